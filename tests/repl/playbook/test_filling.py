"""Variables put into tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from amctl.repl.playbook.errors import PlaybookError
from amctl.repl.playbook.filling import MOST_ROUNDS, enter, fill, items, pattern, share, titled
from amctl.repl.playbook.loading import load
from amctl.repl.playbook.templates import UNKNOWN, NotKnownError
from amctl.repl.playbook.variables import Scope
from tests.repl.playbook.staged import problems, write

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.repl.playbook.plan import Section


def section(folder: Path, task: str, play: str = "") -> Section:
    text = f"- machines: '{{{{ w }}}}'\n{play}  tasks:\n    - {task}\n"
    return load([write(folder, text)]).sections[0]


def test_a_task_is_filled_and_checked_again(tmp_path: Path) -> None:
    step = section(
        tmp_path,
        "{name: '{{ n }}', add: ['{{ s }}', B], args: {'{{ t }}.x': '{{ n }}'}, "
        "timeout: '{{ n }}ms', retries: '{{ r }}'}",
    ).steps[0]
    task = fill(step, Scope({"n": 5, "s": "A", "t": "Typed", "r": "2"}))
    assert (task.name, task.add, task.args) == ("5", ["A", "B"], {"Typed.x": 5})
    assert (task.timeout, task.retries) == ("5ms", 2)


@pytest.mark.parametrize(
    ("task", "value", "problem"),
    [
        ("{when: A, timeout: '{{ v }}'}", "soon", "3:26: 'timeout' has to be a duration"),
        ("{when: A, timeout: '{{ v }}'}", [1], "3:26: 'timeout' has to be"),
        ("{add: ['{{ v }}']}", 3, "3:14: has to be a text, not 3"),
        ("{add: '{{ v }}'}", [], "3:13: 'add' has to be a list that isn't empty"),
        ("{add: A, retries: '{{ v }}'}", -1, "3:25: 'retries' has to be"),
        ("{add: '{{ nope }}'}", 0, "3:17: undefined variable 'nope'"),
        ("{add: '{{ vv }}'}", 0, "3:17: undefined variable 'vv'"),
    ],
)
def test_what_a_variable_makes_wrong(task: str, value: Any, problem: str, tmp_path: Path) -> None:
    step = section(tmp_path, task).steps[0]
    with pytest.raises(PlaybookError) as caught:
        fill(step, Scope({"v": value}))
    assert problems(caught.value)[0].startswith(f"book.yml:{problem}")
    if "vv" in task:
        assert caught.value.hint == "did you mean 'v'?"


def test_an_unknown_value_is_no_problem_but_not_known(tmp_path: Path) -> None:
    step = section(tmp_path, "{add: '{{ u }}'}").steps[0]
    with pytest.raises(NotKnownError):
        fill(step, Scope({"u": UNKNOWN}))
    scope = enter(step, Scope({"u": UNKNOWN}), {"v": "{{ u }}", "w": 1})
    assert scope.get("v") is UNKNOWN
    assert scope.get("w") == 1


@pytest.mark.parametrize(
    ("loop", "found"),
    [
        ("3", [1, 2, 3]), ("0", []), ("[a, {b: 1}]", ["a", {"b": 1}]), ("'{{ n }}'", [1, 2]),
        ("'{{ text }}'", [1, 2]), ("'{{ l }}'", ["x"]), ("['{{ n }}']", [2]),
    ],
)  # fmt: skip
def test_loops(loop: str, found: list[Any], tmp_path: Path) -> None:
    step = section(tmp_path, f"{{add: A, loop: {loop}}}").steps[0]
    assert items(step, Scope({"n": 2, "text": "2", "l": ["x"]})) == found


def test_a_task_without_a_loop_has_no_items(tmp_path: Path) -> None:
    assert items(section(tmp_path, "{add: A}").steps[0], Scope({})) is None


@pytest.mark.parametrize(
    ("value", "problem"),
    [("x", "needs a list or a number, not 'x'"), (True, "not True"), (-1, "not -1"),
     (MOST_ROUNDS + 1, "at most 10000 times"), ({"a": 1}, "not {'a': 1}")],
)  # fmt: skip
def test_loops_that_are_none(value: Any, problem: str, tmp_path: Path) -> None:
    step = section(tmp_path, "{add: A, loop: '{{ v }}'}").steps[0]
    with pytest.raises(PlaybookError, match=r"book\.yml:3:22") as caught:
        items(step, Scope({"v": value}))
    assert problem in str(caught.value)


def test_machines_and_shares(tmp_path: Path) -> None:
    play = section(tmp_path, "{add: A}", "  serial: '{{ n }}'\n")
    assert pattern(play, play.play.machines, Scope({"w": ["a", "b"]})) == "a,b"
    assert pattern(play, ["x*", "!xy"], Scope({})) == "x*,!xy"
    assert share(play, Scope({"n": "30%"}), 10) == 3
    assert share(play, Scope({"n": "1%"}), 10) == 1
    assert share(play, Scope({"n": 4}), 10) == 4
    assert share(section(tmp_path, "{add: A}"), Scope({}), 10) == 10
    for bad in (0, "x", "-2", [1]):
        with pytest.raises(PlaybookError, match="'serial' has to be a number or a share"):
            share(play, Scope({"n": bad}), 10)


def test_a_title_is_filled_as_far_as_it_can_be(tmp_path: Path) -> None:
    step = section(tmp_path, "{name: 'x {{ n }}', add: A}").steps[0]
    assert titled(step, Scope({"n": 1})) == "x 1"
    assert titled(step, Scope({})) == "x {{ n }}"
