"""From files to playbooks: every problem with its place, the value seen, and a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from amctl.repl.playbook.errors import PlaybookError
from amctl.repl.playbook.loading import MOST_TASKS, load
from tests.repl.playbook.staged import problems, write
from tests.support.house import ROOT


def said(folder: Path, text: str) -> list[tuple[str, str]]:
    """Problems and hints of a playbook's text."""
    with pytest.raises(PlaybookError) as caught:
        load([write(folder, text)])
    hints = [one.hint for one in caught.value.problems]
    return [*zip(problems(caught.value), hints, strict=True)]


def of_task(folder: Path, task: str) -> list[tuple[str, str]]:
    """Of a playbook with one task on line 3, which begins in column 7."""
    return said(folder, f"- machines: all\n  tasks:\n    - {task}\n")


def test_a_playbook_is_plays_with_steps(tmp_path: Path) -> None:
    write(tmp_path, "- {add: B, tags: deep}\n- {pause: 1s}", "inc.yml")
    path = write(
        tmp_path,
        """
- name: one
  machines: [w0, w1]
  tags: all
  tasks:
    - {name: a, add: [A], tags: [x]}
    - {include: inc.yml, tags: y}
    - {assert: {active: A}, on_failure: [{run: status}]}
  on_failure: [{remove: A}]
""",
    )
    book = load([path, path])
    assert len(book.sections) == 2
    section = book.sections[0]
    assert section.title == "one"
    assert [step.title for step in section.steps] == ["a", "include inc.yml", "assert"]
    assert [sorted(step.tags) for step in section.steps] == [["all", "x"], ["all", "y"], ["all"]]
    assert [step.title for step in section.steps[1].inner] == ["add B", "pause 1s"]
    assert sorted(section.steps[1].inner[0].tags) == ["all", "deep", "y"]
    assert section.steps[2].on_failure[0].title == "run status"
    titles = [step.title for step in book.steps()]
    assert titles[:6] == ["a", "add B", "pause 1s", "assert", "run status", "remove A"]


@pytest.mark.parametrize(
    ("task", "problem", "hint"),
    [
        ("whenn: [X]", "3:7: unknown field 'whenn'", "did you mean 'when'?"),
        ("{add: X, hosts: w}", "3:16: unknown field 'hosts'", "here it is called 'machines'"),
        ("{add: X, zzz: w}", "3:16: unknown field 'zzz'", "known are: name, add"),
        ("{assert: {activ: X}}", "3:17: unknown field 'activ'", "did you mean 'active'?"),
        ("{pause: {promt: x}}", "3:16: unknown field 'promt'", "did you mean 'prompt'?"),
        ("{add: X, remove: Y}", "3:16: a task does one thing, and this one has add and remove", ""),
        ("{name: x}", "3:7: the task says nothing to do", "one of: add, remove, set"),
        ("{add: 3}", "3:13: 'add' has to be a text or a list, not 3", ""),
        ("{add: [X, 3]}", "3:17: has to be a text, not 3", ""),
        ("{add: []}", "3:13: 'add' has to be a list that isn't empty", ""),
        ("{add: ''}", "3:13: 'add' has to be a text that isn't empty", ""),
        ("{add: }", "3:12: 'add' has to be a text or a list, not nothing", ""),
        ("{when: X, timeout: 10x}", "3:26: 'timeout' has to be a duration such as", ""),
        ("{when: X, timeout: -1}", "3:26: 'timeout' has to be", ""),
        ("{when: X, timeout: true}", "3:26: 'timeout' has to be", ""),
        ("{when_time: {A: 1, B: x}}", "3:29: 'B' has to be a tick, or \"+1\"", ""),
        ("{assert: {ticks: {A: '~ 3'}}}", "3:28: 'A' has to be a number, or a comparison", ""),
        ("{assert: {}}", "3:16: asserts nothing", "active, inactive, ticks"),
        ("{add: X, retries: many}", "3:25: 'retries' has to be a number, or a variable", ""),
        ("{add: X, loop: x}", "3:22: 'loop' has to be a list, a number, or a variable", ""),
        ("{add: X, register: 1a}", "3:26: 'register' has to be a name of letters", ""),
        ("{add: X, ignore_errors: maybe}", "3:31: 'ignore_errors' has to be true or false", ""),
        ("{add: X, if: [Y]}", "3:20: 'if' has to be true or false or a text, not a list", ""),
        ("{when: X, args: {a: 1}}", "3:17: 'args' here: only a mutation takes arguments", ""),
        ("{assert: {active: X}, timeout: 1}", "3:29: 'timeout' here: assert has no timeout", ""),
        ("{add: X, delay: 1}", "3:16: 'delay' here: it stands between attempts", ""),
        ("{add: X, if: 'A and'}", "3:21: if: can't be read", "as in: Ready"),
        ("{add: X, until: 'A and f(B)'}", "3:30: until: there is only active(S)", "as in: Ready"),
        ("{add: '{{ a + 1 }}'}", "3:14: '{{ a + 1 }}' holds no plain name", "{{ name }}"),
        ("{add: X, vars: {a-b: 1}}", "3:23: 'a-b' is no name of a variable", "letters"),
        ("{include: zz}", "3:17: there is no file 'zz'", "from the folder"),
        ("{include: bok.yml}", "3:17: there is no file 'bok.yml'", "did you mean 'book.yml'?"),
        ("{include: '{{ x }}.yml'}", "3:17: the file of an include is read before", "use `if`"),
        ("{include: book.yml}", "3:17: includes go in a circle: book.yml -> book.yml", ""),
        ("{include: x.yml, pause: 3}", "3:24: a task does one thing", ""),
        ("{include: book.yml, retries: 3}", "3:17: includes go", ""),
        ("{retries: 3, include: book.yml}", "3:8: 'retries' here: an include has none", ""),
        ("3", "3:7: a play or task is a mapping of names to values, not a number", ""),
    ],
)
def test_problems_of_a_task(task: str, problem: str, hint: str, tmp_path: Path) -> None:
    found = of_task(tmp_path, task)
    assert found[0][0].startswith(f"book.yml:{problem}")
    assert hint in found[0][1]


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("a: b", "book.yml:1:1: a playbook is a list of plays, not a mapping", "- machines"),
        ("[]", "book.yml:1:1: holds no play", "- machines"),
        ("- add: X", "book.yml:1:3: a task stands where a play should", "under `tasks:`"),
        ("- machines: w", "book.yml:1:3: the play lacks 'tasks'", ""),
        ("- tasks: [add: X]", "book.yml:1:3: the play lacks 'machines'", ""),
        ("- {machines: w, tasks: []}", "1:24: 'tasks' has to be a list that isn't empty", ""),
        ("- {machines: w, tasks: {add: X}}", "1:24: 'tasks' has to be a list, not a mapping", ""),
        ("- {machins: w, tasks: [add: X]}", "1:4: unknown field 'machins'", "'machines'?"),
        ("- {machines: w, serial: 0, tasks: [add: X]}", "1:25: 'serial' has to be", ""),
        ("- {machines: w, serial: 120%, tasks: [add: X]}", "'50%'".replace("'", '"'), ""),
        ("- 3", "1:3: a play or task is a mapping", ""),
    ],
)
def test_problems_of_a_play(text: str, problem: str, hint: str, tmp_path: Path) -> None:
    found = said(tmp_path, text)
    assert problem in found[0][0]
    assert hint in found[0][1]


def test_all_problems_are_told_in_the_order_of_their_places(tmp_path: Path) -> None:
    text = """
- machines: w
  serail: 1
  tasks:
    - {ad: X}
    - {add: X, on_failure: [{remov: Y}]}
    - {if: "(", add: 3}
"""
    places = [problem.split(": ")[0] for problem, _ in said(tmp_path, text)]
    assert places == ["book.yml:3:3", "book.yml:5:8", "book.yml:6:30", "book.yml:7:22"]


def test_problems_of_included_files_name_those(tmp_path: Path) -> None:
    write(tmp_path, "- {whn: [X]}\n- {include: sub/b.yml}", "a.yml")
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "- {include: ../a.yml}\n- {include: c.yml}\n- {add: 1}", "b.yml")
    write(tmp_path / "sub", "{add: X}", "c.yml")
    found = [problem for problem, _ in of_task(tmp_path, "include: a.yml")]
    assert found == [
        "a.yml:1:4: unknown field 'whn'",
        "b.yml:1:13: includes go in a circle: a.yml -> b.yml -> a.yml",
        "b.yml:3:9: 'add' has to be a text or a list, not 1",
        "c.yml:1:1: an included file is a list of tasks, not a mapping",
    ]


def test_an_included_file_of_plays_is_told(tmp_path: Path) -> None:
    write(tmp_path, "- {machines: w, tasks: [add: X]}", "a.yml")
    ((problem, hint),) = of_task(tmp_path, "include: a.yml")
    assert problem == "a.yml:1:3: a play stands where a task should"
    assert "amctl play A.yml B.yml" in hint


def test_a_file_may_be_included_twice_but_not_without_end(tmp_path: Path) -> None:
    write(tmp_path, "- {add: X}\n- {add: Y}", "a0.yml")
    for i in range(1, 14):
        write(tmp_path, f"- include: a{i - 1}.yml\n- include: a{i - 1}.yml", f"a{i}.yml")
    twice = load([write(tmp_path, "- {machines: w, tasks: [include: a1.yml]}")])
    assert len([*twice.steps()]) == 4
    found = of_task(tmp_path, "include: a13.yml")
    assert [problem.partition(": ")[2] for problem, _ in found] == [
        f"more than {MOST_TASKS} tasks, with all includes"
    ]


def test_files_that_are_not_there_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(PlaybookError) as caught:
        load([Path("x.yml"), Path("y.yml")], tmp_path)
    assert [str(one) for one in caught.value.problems] == [
        "x.yml: can't be read: No such file or directory",
        "y.yml: can't be read: No such file or directory",
    ]


@pytest.mark.parametrize("name", ["restart.yml", "drain.yml", "soak.yml"])
def test_the_examples_can_be_read(name: str) -> None:
    assert load([ROOT / "docs" / "playbooks" / name]).sections
