"""A recording as a stream again: nothing is lost, and parts are whole recordings."""

from __future__ import annotations

import pytest
from hypothesis import given

from amctl.dump.copying import copy, messages_of
from amctl.dump.memory import MemoryDump
from amctl.telemetry.messages import GapMsg, GoneMsg, Message, PipeMsg, SchemaMsg, TxMsg
from tests.dump.same import assert_same
from tests.dump.strategies import recordings, wild_streams

A = SchemaMsg("a", ("X",), {})
A2 = SchemaMsg("a", ("X", "Y"), {})
B = SchemaMsg("b", ("X",), {})


def tx(machine: str, time_ns: int, *clocks: int) -> TxMsg:
    return TxMsg(machine, f"{time_ns:x}", clocks, time_ns=time_ns)


def pipe(source: str, target: str, time_ns: int) -> PipeMsg:
    return PipeMsg("add", source, "X", target, "X", False, time_ns)


def stream(*messages: Message, **how: object) -> list[Message]:
    return list(messages_of(MemoryDump(messages=messages), **how))  # type: ignore[arg-type]


@pytest.mark.slow
@given(wild_streams())
def test_a_copy_tells_the_same(messages: list[Message]) -> None:
    dump, other = MemoryDump(messages=messages), MemoryDump()
    assert copy(dump, other) == dump.count()
    assert_same(other, dump)


@pytest.mark.slow
@given(recordings())
def test_a_copy_of_a_real_one_tells_the_same(dump: MemoryDump) -> None:
    other = MemoryDump()
    copy(dump, other)
    assert_same(other, dump)


def test_schemas_and_pipes_stand_where_they_belong() -> None:
    first, second = tx("a", 10, 1), tx("a", 20, 1, 0)
    early, late = pipe("a", "b", 15), pipe("b", "a", 30)
    gap = GapMsg(1, "x", "a", 11, 12)
    gone = GoneMsg("b", 40)
    got = stream(A, B, gap, first, A2, early, second, late, gone)
    assert got == [A, B, first, A2, early, gap, second, late, gone]


def test_a_schema_that_no_transition_has_reached_comes_at_the_end() -> None:
    assert stream(A, tx("a", 1, 1), A2) == [A, tx("a", 1, 1), A2]


def test_some_machines_come_with_what_belongs_to_them() -> None:
    mine, other = pipe("a", "b", 2), pipe("b", "c", 2)
    gaps = [GapMsg(1, "all"), GapMsg(1, "a's", "a"), GapMsg(1, "b's", "b")]
    got = stream(A, B, tx("b", 1, 1), tx("a", 2, 1), mine, other, *gaps, machines=["a"])
    assert got == [A, mine, *gaps[:2], tx("a", 2, 1)]


def test_a_span_of_time_takes_its_beginning_and_leaves_its_end() -> None:
    txs = [tx("a", at, at) for at in (10, 20, 30)]
    pipes = [pipe("a", "b", at) for at in (5, 25, 35)]
    got = stream(A, B, *txs, *pipes, GoneMsg("a", 40), since=20, until=30)
    assert got == [A, B, pipes[0], txs[1], pipes[1]]


def test_a_span_keeps_the_schema_that_holds_in_it() -> None:
    assert stream(A, tx("a", 1, 1), A2, tx("a", 5, 1, 1), since=3) == [A, A2, tx("a", 5, 1, 1)]


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    dump = MemoryDump(messages=[A, *(tx("a", i, i) for i in range(5001))])
    copy(dump, MemoryDump(), progress=lambda done, total: told.append((done, total)))
    assert told == [(5000, 5001), (5001, 5001)]
