"""Machines in a terminal: every width, and nothing that would steer it."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Group

from amctl.cli.views.machines import (
    Grid,
    clean,
    details,
    done_lines,
    inner_listing,
    listing,
    schemas,
    summary_line,
    times,
)
from tests.cli.views.screens import screen

ROW: dict[str, Any] = {
    "id": "browser1",
    "key": "repl-browser1.addr",
    "addr": "127.0.0.1:7000",
    "connected": True,
    "flags": "CR",
    "time": 6,
    "active": ["Start", "Ready", "ErrNetwork"],
    "ticks": {"Start": 1, "Ready": 3, "ErrNetwork": 1, "Working": 0},
    "tags": ["worker", "fast"],
    "parent": "boss",
}
MANY = {**ROW, "id": "b" * 30, "active": [f"State{n}" for n in range(40)], "ticks": {}}


def drawn(*grids: Grid, width: int = 80) -> list[str]:
    text = screen(Group(*(part for grid in grids for part in grid.drawn())), width)
    return [line.rstrip() for line in text.splitlines()]


@pytest.mark.parametrize("width", [40, 80, 140])
def test_tables_fit_the_terminal(width: int) -> None:
    lines = drawn(listing([ROW, MANY]), width=width)
    assert len(lines) == 3
    assert max(map(len, lines)) <= width
    assert "…" in lines[-1]


def test_who_asks_for_all_states_sees_all() -> None:
    lines = drawn(listing([MANY], states_all=True), width=60)
    assert max(map(len, lines)) <= 60
    assert "State39:0" in lines[-1]


def test_a_pipe_gets_whole_lines() -> None:
    lines = listing([ROW, MANY]).lines()
    assert lines[1].split() == ["browser1", "CR", "t6", "ErrNetwork:1", "Start:1", "Ready:3"]
    assert "State39" in lines[2]


def test_errors_stand_first_and_in_red() -> None:
    cell = listing([ROW]).rows[0][-1]
    assert cell.plain.startswith("ErrNetwork")
    assert cell.spans[0].style == "red"


def test_what_steers_a_terminal_is_taken_out() -> None:
    assert clean("a\x1b[2Jb\n") == "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}"
    bad = {**ROW, "id": "x\x1b[31m", "active": ["\x07"], "ticks": {"\x07": 1}}
    grids = [listing([bad]), times([{"id": "\x1b", "sum": 1, "time": [1], "ticks": {"\x1b": 1}}])]
    assert "\x1b" not in "".join(line for grid in grids for line in grid.lines())


def test_a_circle_of_parents_is_shown_once() -> None:
    rows = [
        {"id": a, "parent_id": b, "process": "p", "tags": [], "active": [], "time_sum": 1}
        | {"remote_id": "", "is_local": True}
        for a, b in (("a", "b"), ("b", "a"), ("c", "c"))
    ]
    found = [line.split()[0] for line in inner_listing(rows).lines(head=False)]
    assert sorted(found) == ["a", "b", "c"]


def pipe(source: str, state: str, target: str) -> dict[str, str]:
    return {"source_id": source, "source_state": state, "target_id": "me", "target_state": target}


ABOUT: dict[str, Any] = {
    "children": ["rs-1"],
    "into": [
        {"op": op, **pipe("other", f"S{n}", f"T{n}")} for n in range(8) for op in ("add", "remove")
    ],
    "out": [{"op": "add", **pipe("me", "Ready", "Ready")}],
    "args": [{"name": "Go", "key": "k", "fields": [{"name": "n", "type": "int", "default": "0"}]}],
    "bindings": [{"id": "worker", "handlers": ["AState", "BState"]}],
    "groups": [["Work", ["A", "B"]]],
}
WHOLE = {
    **ROW,
    "problem": "",
    "about": ABOUT,
    "mirrors": [{"id": "m1", "connected": True}, {"id": "m2", "connected": False}],
    "clients": ["rc-9"],
}


def test_details_name_pipes_once_and_not_too_many() -> None:
    lines = details([WHOLE])[0].lines(head=False)
    text = "\n".join(lines)
    assert "pipes in   other: S0->T0 S1->T1 S2->T2 S3->T3 S4->T4 S5->T5 and 2 more" in text
    assert "pipes out  me: Ready" in text
    assert "mirrors    m1 m2 (not connected)" in text
    assert "arguments  Go(n: int = 0)" in text
    assert "handlers   worker (2)" in text
    assert "groups     Work: A B" in text
    assert "tags       worker fast" in text
    assert "inactive" not in text


def test_details_of_all_leave_nothing_out() -> None:
    text = "\n".join(details([WHOLE], all=True)[0].lines(head=False))
    assert "S7->T7" in text
    assert "inactive   Working:0" in text
    assert "handlers   worker: AState BState" in text


def test_details_fit_a_narrow_terminal() -> None:
    assert max(map(len, drawn(*details([WHOLE]), width=50))) <= 50


def test_details_without_an_answer_tell_the_problem() -> None:
    row = {**WHOLE, "about": None, "problem": "gone"}
    assert "problem  gone" in details([row])[0].lines()[-1]


def test_schemas_tell_what_is_set() -> None:
    states = {
        "Start": {"tick": 1, "active": True, "require": ["A", "B"], "multi": True, "auto": False},
        "ErrX": {"tick": 3, "active": True},
    }
    lines = schemas([{"id": "m", "time": 4, "states": states}])[0].lines()
    assert lines[0] == "m  t4"
    assert lines[2].split(None, 2) == ["Start", "1", "require A B, multi"]


def report(**more: Any) -> dict[str, Any]:
    row = {"machine": "m1", "result": "executed", "tick": 0, "changed": {}, "after": {"A": 1}}
    return {**row, **more}


def test_reports_are_aligned_and_tell_what_moved() -> None:
    rows = [report(changed={"A": [0, 1]}), report(machine="machine2", result="canceled")]
    lines = [line.plain for line in done_lines(rows, lambda row: row["result"], diff=True)]
    assert lines == ["m1        executed", "   A 0 -> 1", "machine2  canceled", "   no clock moved"]
    assert [line.plain for line in done_lines(rows[:1], lambda row: "ok")] == ["ok"]


def test_a_summary_counts_results() -> None:
    rows = [report(), report(result="canceled"), report()]
    assert summary_line(rows, {}) == "3 machines: 2 executed, 1 canceled"
    assert summary_line(rows, {"executed": "yes", "canceled": "no"}) == "3 machines: 2 yes, 1 no"
