"""What is found before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from amctl.repl.playbook.checking import check_variables
from amctl.repl.playbook.errors import PlaybookError
from amctl.repl.playbook.loading import load
from amctl.repl.playbook.plan import Tagged
from tests.repl.playbook.staged import play, problems, stage, write
from tests.support.house import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def variables(folder: Path, text: str, tagged: Tagged | None = None, **extra: Any) -> list[str]:
    """Problems with variables, each with its hint."""
    book = load([write(folder, text)])
    try:
        check_variables(book, extra, tagged)
    except PlaybookError as error:
        hints = [one.hint for one in error.problems]
        return [f"{a} | {b}" for a, b in zip(problems(error), hints, strict=True)]
    return []


def test_every_use_of_an_undefined_variable_is_found(tmp_path: Path) -> None:
    write(
        tmp_path, "- {add: '{{ inner }}'}\n- {add: '{{ given }}'}\n- {add: '{{ itme }}'}", "i.yml"
    )
    text = """
- name: one
  machines: "{{ who }}"
  vars: {a: "{{ b }}", b: 1}
  tasks: [{add: X}]
- machines: w
  vars: {patience: 3, later: "{{ patience }}"}
  tasks:
    - {when: X, timeout: "{{ patiense }}"}
    - {add: ["{{ one }}"], vars: {one: "{{ two }}"}}
    - {add: "{{ item }}"}
    - {add: "{{ item }}", loop: [A]}
    - {include: i.yml, vars: {given: X}, loop: 2}
    - {add: X, register: r}
    - {add: "{{ r.result }}", on_failure: [{add: "{{ failure.result }}"}]}
    - {add: "{{ machine }}{{ check }}{{ failure }}"}
  on_failure: [{add: "{{ failure.task }}{{ r.x }}{{ nope }}"}]
"""
    assert variables(tmp_path, text) == [
        "book.yml:4:17: undefined variable 'b' | define it: -e b=VALUE",
        "book.yml:9:30: undefined variable 'patiense' | did you mean 'patience'?",
        "book.yml:10:44: undefined variable 'two' | define it: -e two=VALUE",
        "book.yml:11:17: undefined variable 'item' | define it: -e item=VALUE",
        "i.yml:1:13: undefined variable 'inner' | define it: -e inner=VALUE",
        "i.yml:3:13: undefined variable 'itme' | did you mean 'item'?",
        "book.yml:16:41: undefined variable 'failure' | define it: -e failure=VALUE",
        "book.yml:17:53: undefined variable 'nope' | define it: -e nope=VALUE",
    ]


def test_extra_variables_count_and_win(tmp_path: Path) -> None:
    text = "- {machines: '{{ who }}', vars: {t: soon}, tasks: [{when: X, timeout: '{{ t }}'}]}"
    assert variables(tmp_path, text, who="w", t="3s") == []
    assert len(variables(tmp_path, text, who="w")) == 1


def test_values_that_do_not_fit_are_found_in_every_round(tmp_path: Path) -> None:
    text = "- {machines: w, tasks: [{when: X, timeout: '{{ item }}', loop: [1s, 2s, soon]}]}"
    (problem,) = variables(tmp_path, text)
    assert "'timeout' has to be a duration such as 500ms, 30s, 2m, not 'soon'" in problem


def test_a_task_that_tags_leave_out_registers_nothing(tmp_path: Path) -> None:
    text = "- {machines: w, tasks: [{add: X, register: r, tags: a}, {add: '{{ r.x }}', tags: b}]}"
    assert variables(tmp_path, text) == []
    (problem,) = variables(tmp_path, text, Tagged(frozenset("b")))
    assert "undefined variable 'r'" in problem


def test_machines_can_not_depend_on_what_is_only_known_later(tmp_path: Path) -> None:
    text = "- {machines: '{{ machine }}', tasks: [add: X]}"
    assert "is needed to find the machines" in variables(tmp_path, text)[0]


async def machines(folder: Path, task: str, **how: Any) -> list[str]:
    """Problems of a task on worker machines, each with its hint."""
    path = write(folder, f"- machines: all\n  tasks:\n    - {task}\n")
    fleet = stage("w0", "w1")
    with pytest.raises(PlaybookError) as caught:
        await play(fleet, path, **how)
    assert [peer.net.time_sum for peer in fleet.peers] == [0, 0], "something ran"
    hints = [one.hint for one in caught.value.problems]
    return [f"{a} | {b}" for a, b in zip(problems(caught.value), hints, strict=True)]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("task", "problem", "hint"),
    [
        ("{add: [Foo, Fooo]}", "3:19: machine 'w0' has no state 'Fooo'", "did you mean 'Foo'?"),
        ("{when: Zzz}", "3:14: machine 'w0' has no state 'Zzz'", "amctl mach inspect w0"),
        ("{when_time: {Starrt: 3}}", "3:28: machine 'w0' has no state", "'Start'?"),
        ("{assert: {active: Foo, inactive: [Baar]}}", "3:41: machine 'w0' has", "'Bar'?"),
        ("{assert: {ticks: {Fo: 3}}}", "3:29: machine 'w0' has no state 'Fo'", "'Foo'?"),
        ("{add: Foo, if: Foo and Baar}", "3:30: if: 'Baar' is no variable, and no state", "'Bar'"),
        ("{add: Foo, until: tick(Baar) > 1}", "3:30: until: machine 'w0' has no state", "'Bar'"),
        ("{add: Foo, loop: [Foo, Fooo], if: item}", "", ""),
        ("{add: '{{ item }}', loop: [Foo, Fooo]}", "3:13: machine 'w0' has no state 'Fooo'", "Foo"),
        ("{add: Foo, machines: w1, on_failure: [{add: Baar}]}", "3:51: machine 'w1", "'Bar'?"),
        ("{run: lst}", "3:13: there is no command 'lst'", "'list'"),
        ("{run: list --nope}", "3:13: list has no option --nope", ""),
        ("{run: 'add . \"Foo'}", "3:13: no closing quotation", ""),
        ("{run: '# nothing'}", "3:13: the line holds no command", ""),
    ],
)
async def test_what_machines_do_not_have_is_found_before_anything_ran(
    task: str, problem: str, hint: str, check: bool, tmp_path: Path
) -> None:
    if not problem:
        report = await play(stage("w0"), write(tmp_path, f"- {{machines: all, tasks: [{task}]}}"))
        assert report.results[0].status == "changed", "a variable hides no mistake, nor makes one"
        return
    found = await machines(tmp_path, task, check=check)
    assert found[0].startswith(f"book.yml:{problem}")
    assert hint in found[0]


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ("{Working.nme: x}", "3:40: arguments 'Working' of machine 'w0' have no field 'nme' | did"),
        ("{Workin.name: x}", "3:40: machine 'w0' takes no typed arguments 'Workin' | did you mean"),
        ("{Working.count: many}", "3:42: Working.count is int, not 'many'"),
    ],
)
async def test_arguments_are_held_against_what_a_machine_tells(
    args: str, problem: str, tmp_path: Path
) -> None:
    from tests.support.fake_fleet import fleet_of

    fleet = fleet_of("w0")
    path = write(tmp_path, f"- machines: all\n  tasks:\n    - {{add: Event, args: {args}}}\n")
    with pytest.raises(PlaybookError) as caught:
        await play(fleet, path)
    text = f"{problems(caught.value)[0]} | {caught.value.hint}"
    assert text.startswith(f"book.yml:{problem}")


async def test_problems_are_told_once_for_many_machines_of_a_kind(tmp_path: Path) -> None:
    found = await machines(tmp_path, "{add: Fooo, loop: 9}")
    assert len(found) == 2, "one for each machine, since they may differ"


@pytest.mark.parametrize("name", ["restart.yml", "drain.yml", "soak.yml"])
def test_variables_of_the_examples_are_defined(name: str) -> None:
    check_variables(load([ROOT / "docs" / "playbooks" / name]), {})
