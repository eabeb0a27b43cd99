"""The reader pane (debugger_ui.md 2.4, and the lines of 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.debugger.index import Place
from amctl.debugger.reader import pending, read
from amctl.debugger.store import Store
from amctl.machine.reasons import Reason
from amctl.telemetry.messages import PipeMsg, SourceRef
from tests.debugger.histories import SECOND, history, lines, recorded, tx
from tests.debugger.panes import lamp, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.dump.memory import MemoryDump


def sections(dump: MemoryDump, cursor: int, machine: str = "a") -> dict[str, list[str]]:
    store = Store(dump)
    store.work_all()
    return {
        one.title: [item.text for item in one.items] for one in read(store, Place(machine, cursor))
    }


def test_the_lamp_switched_on() -> None:
    assert sections(lamp(), 3, "lamp") == {
        "Source": ["unknown: no source is told: it came from outside"],
        "State Trace": ["no source is told: it came from outside"],
        "Queue": ["tick 3", "was queued 1 earlier", "length 0"],
        "Executed": ["0: OnState"],
        "Arguments": ["by=hand"],
    }


def test_there_is_nothing_to_read_before_the_first() -> None:
    assert sections(lamp(), 0, "lamp") == {}
    assert sections(lamp(), 99, "lamp") == {}
    assert sections(lamp(), 1, "nope") == {}


def test_a_queued_one_says_when_it_ran() -> None:
    assert sections(lamp(), 2, "lamp")["Queue"] == [
        "tick 0",
        "queued for tick 3, executed 1 later",
        "length 1",
        "+On",
    ]


def test_forks_and_siblings() -> None:
    dump = history(
        tx("a", 1, (1, 0, 0, 0), called=(0,)),
        tx("a", 2, (2, 0, 0, 0), source=SourceRef("a", f"{1:016x}"), called=(1,)),
        tx("b", 3, (1, 0, 0, 0), source=SourceRef("a", f"{1:016x}"), called=(2,)),
        machines=("a", "b"),
    )
    assert sections(dump, 1)["Forked"] == ["a t2 +Ready (own)", "b t1 +Working (rpc)"]
    found = sections(dump, 2)
    assert found["Source"] == ["self (own)", "t1 +Start"]
    assert found["Siblings"] == ["b t1 +Working (rpc)"]
    assert sections(dump, 1, "b")["Source"] == [
        "a t1 +Start (rpc)",
        "from another thread: a -> b",
    ]


def test_why_it_was_canceled_and_where_it_was_asked_for() -> None:
    stack = "a.py:1\nb.py:2"
    dump = history(
        tx("a", 1, (), is_queued=True, mut_queue_tick=2, stack=stack),
        tx("a", 2, (), queue_tick=2, accepted=False, reason=Reason("veto", "Ready", handler="X")),
    )
    store = Store(dump)
    store.work_all()
    source = read(store, Place("a", 2))[0]
    assert [item.text for item in source.items][1:] == ["canceled: veto: Ready: X", "stack trace"]
    assert source.items[-1].more == stack


def test_what_is_open_is_carried_until_it_is_closed() -> None:
    dump = history(
        tx("a", 1, (1, 0, 0, 0), logs=lines(
            "[when:new] Start Ready", "[ctx:new] Start", "[whenTime:new] Start,Ready [1 2]",
            "[whenArgs:new] Start (x,y)", "[whenQueue:new] 17", "[whenNot:new] Ready",
            "[when:new] Start Ready",
        )),
        tx("a", 2, (2, 0, 0, 0), logs=lines("[when:match] Start,Ready", "[ctx:match] Start")),
        tx("a", 3, (3, 0, 0, 0), pre_logs=lines(
            "[whenTime:match] Start Ready [1 2]", "[whenQueue:match] 17", "[whenNot:match] Ready",
        )),
    )  # fmt: skip
    first = sections(dump, 1)
    assert first["When"] == ["Start Ready (t1)", "Start Ready (t1)"]
    assert first["StateCtx"] == ["Start (t1)"]
    assert first["WhenTime"] == ["Start,Ready [1 2] (t1)"]
    assert first["WhenArgs"] == ["Start (x,y) (t1)"]
    assert first["WhenQueue"] == ["17 (t1)"]
    assert first["WhenNot"] == ["Ready (t1)"]
    second = sections(dump, 2)
    assert second["When"] == ["Start Ready (t1)"]  # the oldest equal one went
    assert "StateCtx" not in second
    third = sections(dump, 3)
    assert "WhenTime" not in third
    assert "WhenQueue" not in third
    assert third["WhenArgs"] == ["Start (x,y) (t1)"]


@given(st.lists(st.sampled_from(["new", "match"]), max_size=40), st.integers(0, 40))
def test_what_is_open_equals_a_plain_count(events: list[str], cursor: int) -> None:
    from amctl.debugger import _openings
    from amctl.debugger._openings import Openings

    openings = Openings()
    every, _openings._EVERY = _openings._EVERY, 4
    try:
        for number, event in enumerate(events, 1):
            openings.take(tx("a", number, (), logs=lines(f"[when:{event}] A")), number)
        count = 0
        for event in events[:cursor]:
            count = count + 1 if event == "new" else max(count - 1, 0)
        assert len(openings.open_at(cursor)) == count
    finally:
        _openings._EVERY = every


def test_pipes_by_lines_until_they_are_gone() -> None:
    dump = history(
        tx("a", 1, (1, 0, 0, 0), logs=lines(
            "[pipe-in:add] Ready from b", "[pipe-out:remove] Start to b",
            "[pipe-in:add] Ready from b",
        )),
        tx("a", 2, (2, 0, 0, 0), logs=lines("[pipe:gc] b")),
        tx("b", 3, (1, 0, 0, 0)),
        machines=("a", "b"),
    )  # fmt: skip
    found = sections(dump, 1)
    assert found["Pipe-in"] == ["Ready add from b (t1)"]
    assert found["Pipe-out"] == ["Start remove to b (t1)"]
    assert "Pipe-in" not in sections(dump, 2)


def test_pipes_by_record_up_to_the_moment() -> None:
    dump = history(tx("a", 1, (1, 0, 0, 0)), tx("a", 60, (2, 0, 0, 0)), tx("a", 120, (3, 0, 0, 0)))
    dump.write(PipeMsg("add", "b", "Start", "a", "Ready", time_ns=1002 * SECOND))
    dump.write(PipeMsg("add", "b", "Start", "a", "Ready", gone=True, time_ns=1100 * SECOND))
    assert "Pipe-in" not in sections(dump, 1)
    assert sections(dump, 2)["Pipe-in"] == [
        "Ready add from b.Start (1970-01-01 00:16:42.000 UTC)",
    ]
    assert "Pipe-in" not in sections(dump, 3)


def test_prepended_mutations_wait_in_front() -> None:
    dump = history(
        tx("a", 1, (), is_queued=True, called=(0,), mut_queue_tick=5),
        tx("a", 2, (), is_queued=True, called=(1,), mut_queue_token=1),
        tx("a", 3, (), is_queued=True, called=(2,), mut_queue_token=2),
        tx("a", 4, (), called=(2,), mut_queue_token=2),
    )
    store = Store(dump)
    store.work_all()
    assert [one.mutation for one in pending(store, Place("a", 3))] == [
        "+Working",
        "+Ready",
        "+Start",
    ]
    assert [one.mutation for one in pending(store, Place("a", 4))] == ["+Ready", "+Start"]
    assert len(pending(store, Place("a", 3), most=1)) == 1
    assert pending(store, Place("b", 3)) == []


@pytest.mark.slow
def test_the_recorded_run_is_as_the_golden_file(golden: Callable[[str, str], None]) -> None:
    store = Store(recorded())
    store.work_all()
    shown = []
    for id, cursor in (("orchestrator", 400), ("orchestrator", 300), ("browser2", 121)):
        shown.append(f"== {id} {cursor}")
        for section in read(store, Place(id, cursor)):
            shown.append(section.title)
            for item in section.items[:12]:
                to = f" -> {item.place.machine} {item.place.cursor}" if item.place else ""
                shown.append(f"  {item.text}{to}")
    golden("debugger/reader.txt", text(shown))
