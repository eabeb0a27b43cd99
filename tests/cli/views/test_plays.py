"""A playbook's run in a terminal."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from amctl.cli.views.plays import PlayView, machine_lines, problem_lines, recap_lines, result_lines
from amctl.repl.playbook.errors import Place, Problem
from amctl.repl.playbook.results import Did, PlayReport, Status, TaskResult, recap


def result(status: Status = Status.CHANGED, machine: str = "m", **rest: Any) -> TaskResult:
    did = Did(status, "word", rest.pop("reason", ""), {"A": 1, "Long": 2}, {"A": 2, "Long": 5})
    return TaskResult("p", "t", Place("f.yml", 3, 5), machine, did, **rest)


def lines(one: TaskResult, *, diff: bool = False) -> list[str]:
    return [line.plain for line in result_lines(one, diff=diff)]


def test_a_result_with_all_there_is_to_say() -> None:
    one = result(Status.TIMEOUT, reason="why\nso\x1b[2J", attempts=3, item={"a": 1}, ignored=True)
    assert lines(one) == [
        "  timeout      m  ({'a': 1})  3 -> 7  after 3 attempts  why so\ufffd[2J  (ignored)"
    ]


def test_moved_clocks_say_which_way() -> None:
    assert lines(result(), diff=True)[1:] == ["      - A     1 -> 2", "      + Long  2 -> 5"]


def test_the_recap_is_as_wide_as_its_names() -> None:
    results = (result(Status.OK, "orchestrator"), result(Status.CANCELED, "a" * 20))
    report = PlayReport(results, recap(results, {"orchestrator": (412, 455)}))
    head, first, second = (line.plain for line in recap_lines(report))
    assert head == (
        "RECAP                 ok  changed  canceled  timeout  unreachable  failed   time"
    )
    assert first == (
        "orchestrator           1        0         0        0            0       0   412 -> 455"
    )
    assert second.startswith("a" * 20 + "   0")


def test_the_recap_of_the_design() -> None:
    results = tuple(
        result(status, "orchestrator") for status in (Status.OK, Status.OK, Status.CHANGED)
    )
    report = PlayReport(results, recap(results, {"orchestrator": (412, 455)}))
    assert [line.plain for line in recap_lines(report)] == [
        "RECAP             ok  changed  canceled  timeout  unreachable  failed   time",
        "orchestrator       2        1         0        0            0       0   412 -> 455",
    ]


def test_a_problem_with_its_line_and_a_mark() -> None:
    problem = Problem(Place("f.yml", 2, 5), "is wrong", "mend it", "  a: b")
    assert [*problem_lines([problem])] == [
        "error: f.yml:2:5: is wrong",
        "    a: b",
        "      ^",
        "hint: mend it",
    ]
    assert [*problem_lines([Problem(Place("f.yml"), "is empty")])] == ["error: f.yml: is empty"]


def test_what_is_under_way_moves_on_a_terminal_only() -> None:
    def shown(*, terminal: bool) -> str:
        out = io.StringIO()
        console = Console(file=out, force_terminal=terminal, width=60, force_interactive=terminal)
        view = PlayView(console, diff=False, moving=True)
        with view.shown():
            view.play("p", ["m", "n"])
            view.task("t", ["m", "n"])
            with view.aside():
                pass
            view.result(result())
            view.result(result(machine="n"))
        return out.getvalue()

    plain = shown(terminal=False)
    assert plain == ("PLAY  p  m, n\nTASK  t\n  changed      m  3 -> 7\n  changed      n  3 -> 7\n")
    moving = shown(terminal=True)
    assert "t: m, n" in moving
    assert "\x1b[?25l" in moving, "the cursor is hidden meanwhile"
    assert moving.rstrip().endswith("\x1b[2K") or "\x1b[?25h" in moving


def test_a_play_without_machines_says_so() -> None:
    out = io.StringIO()
    PlayView(Console(file=out), diff=False, moving=False).play("p", ())
    assert out.getvalue() == "PLAY  p  no machine is left for it, or within the limit\n"


def test_machines_of_a_play() -> None:
    plays = [{"play": "p", "pattern": "w*", "machines": ["w0", "w1"]}]
    assert [*machine_lines(plays)] == ["PLAY  p  w*", "  w0", "  w1"]
