"""The machine list, the bars, the timelines (debugger_ui.md 2.1, 2.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from amctl.debugger.filters import Filters
from amctl.debugger.index import Place
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from amctl.debugger.views import (
    bar,
    buckets,
    machines,
    status,
    step_timeline,
    tags_line,
    timeline,
    wall_text,
)
from amctl.dump.memory import MemoryDump
from amctl.telemetry.messages import GapMsg, GoneMsg
from tests.debugger.histories import history, machine, tx
from tests.debugger.panes import at, place_in_the_run, text

if TYPE_CHECKING:
    from collections.abc import Callable


def family() -> Session:
    dump = MemoryDump("x")
    dump.write(machine("m-10", tags=("rpc-server",)))
    dump.write(machine("m-9"))
    dump.write(machine("child", parent="m-10", tags=("x", "y:1")))
    dump.write(machine("orphan", parent="nobody"))
    dump.write(tx("m-9", 1, (1, 1, 0, 0)))
    dump.write(tx("m-10", 2, (1, 0, 0, 1)))
    for number in range(3, 120):
        dump.write(tx("m-10", number, (1, 0, 0, 2)))
    dump.write(GapMsg(3, "x", "child"))
    dump.write(GoneMsg("orphan", 9))
    session = Session(Store(dump), Filters.none(), follow=False)
    session.work_all()
    return session


def test_s1_machines_are_a_tree_in_natural_order() -> None:
    rows = machines(family()).rows
    assert [(row.id, row.depth) for row in rows] == [
        ("m-9", 0),
        ("m-10", 0),
        ("child", 1),
        ("orphan", 0),
    ]
    assert [row.is_connected for row in rows] == [True, True, True, False]
    assert [row.dropped for row in rows] == [0, 0, 3, 0]


def test_s2_flags_and_numbers_are_of_the_moment() -> None:
    session = family()
    session.go(Place("m-10", 1))
    rows = {row.id: row for row in machines(session).rows}
    assert rows["m-10"].text == "m-10 ES |1+"
    assert rows["m-9"].text == "m-9 R |1"
    assert rows["child"].text == "-child |0"
    assert rows["m-10"].is_selected
    assert machines(session).title == "Machines 4 T5"
    assert machines(session).time_now == 4


def test_s3_errors_now_and_of_late() -> None:
    session = family()
    found = []
    for cursor in (1, 2, 100, 101, 118):
        session.go(Place("m-10", cursor))
        found.append(next(r.error for r in machines(session).rows if r.id == "m-10"))
    assert found == ["now", "recent", "recent", "", ""]


def test_filters_hide_machines_and_the_title_says_so() -> None:
    session = family()
    session.set_filters(replace(Filters.none(), disconn=True, rpc=True))
    assert [row.id for row in machines(session).rows] == ["m-9", "child"]
    assert machines(session).title == "Machines 2 of 4 T5"


def test_parents_in_a_circle_are_shown_once() -> None:
    dump = MemoryDump("x", messages=[machine("a", parent="b"), machine("b", parent="a")])
    assert sorted(row.id for row in machines(Session(Store(dump))).rows) == ["a", "b"]


def test_s39_tags_of_the_machine_and_its_parents() -> None:
    session = family()
    session.select_machine("child")
    assert tags_line(session) == "#x #y:1 ... #rpc-server"


def test_s30_the_bars() -> None:
    session = at(3)
    now = bar(session)
    assert (now.title, now.cursor, now.time, now.time_diff) == ("Paused", 3, 4, 2)
    assert (now.type, now.called, now.is_multi) == ("add", ("On",), False)
    assert (now.added, now.removed, now.touched) == (1, 1, 3)
    assert now.wall[now.differs_at :] == "3.000000000"
    ahead = bar(session, ahead=True)
    assert (ahead.title, ahead.cursor, ahead.is_canceled) == ("Next", 4, True)
    session.go(Place("lamp", 6))
    again = bar(session)
    assert (again.added, again.removed, again.is_multi) == (1, 0, True)  # it ticked again
    session.set_follow(True)
    assert bar(session).title == "Tail"
    assert bar(session, ahead=True).cursor == 0
    assert bar(at(2)).is_queued


def test_a_restart_is_said() -> None:
    session = Session(Store(history(tx("a", 1, (5, 0, 0, 0)), tx("a", 2, (1, 0, 0, 0)))))
    session.work_all()
    assert bar(session).is_restart


def test_s27_timelines_count_what_is_shown() -> None:
    session = at(3)
    assert timeline(session).title == "Transition 3 / 7"
    session.set_filters(Filters.none().toggled("queued"))
    now = timeline(session)
    assert now.title == "Transition 2 / 6  3 / 7"
    assert now.dropped == 4
    assert now.share == pytest.approx(1 / 3)


def test_s28_steps_are_those_of_the_next_one() -> None:
    now = step_timeline(at(2, step=3))
    assert (now.title, now.is_last, now.is_canceled) == ("Step 3 / 6", False, False)
    last = step_timeline(at(3, step=2))
    assert (last.is_last, last.is_canceled) == (True, True)
    assert step_timeline(at(7)).total == 0


def test_buckets_hold_every_shown_transition_once() -> None:
    session = family()
    session.go(Place("m-10", 50))
    for width in (1, 7, 50, 118, 1000):
        found = buckets(session, width)
        assert len(found) == min(width, 118)
        assert sum(one.count for one in found) == 118
        assert sum(one.errors for one in found) == 1
        assert sum(one.has_cursor for one in found) == 1
    assert buckets(Session(Store(MemoryDump("x"))), 10) == ()


def test_the_status_is_never_silent() -> None:
    session = at(3)
    session.select_state("On")
    assert status(session) == ("showing 7 of 7, 4 dropped", "On t1")
    assert status(Session(Store(MemoryDump("x"))))[1] == "x holds no machine yet"


def test_times_are_told_to_the_nanosecond() -> None:
    assert wall_text(1_700_000_000_123_456_789) == "2023-11-14 22:13:20.123456789"
    assert wall_text(0) == ""
    assert wall_text(1 << 70) == ""


@pytest.mark.slow
def test_the_recorded_machines_are_as_the_golden_file(golden: Callable[[str, str], None]) -> None:
    session = place_in_the_run("orchestrator", 400)
    found = machines(session)
    golden(
        "debugger/machines.txt",
        text([found.title, *(f"{row.text} {row.error}".rstrip() for row in found.rows)]),
    )
