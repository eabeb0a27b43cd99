"""A recording in memory keeps the order of arrival, over all machines and within each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.dump.errors import UnknownMachineError
from amctl.dump.memory import MemoryDump
from amctl.machine import StateDef
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, TxMsg

if TYPE_CHECKING:
    from amctl.dump.model import Dump, DumpWriter


def schema(machine: str, *names: str) -> SchemaMsg:
    return SchemaMsg(machine, names, {name: StateDef() for name in names})


def tx(machine: str, id_: str) -> TxMsg:
    return TxMsg(machine, id_, (1,))


def ids(dump: MemoryDump, machine: str | None = None, **window: int) -> list[str]:
    return [one.id for one in dump.transitions(machine, **window)]


@pytest.fixture
def dump() -> MemoryDump:
    messages = [schema("b", "A"), schema("a", "A"), tx("a", "1"), tx("b", "2"), tx("a", "3")]
    return MemoryDump("some", messages=messages)


def test_it_is_a_dump_and_a_writer(dump: MemoryDump) -> None:
    reader: Dump = dump
    writer: DumpWriter = dump
    writer.finish()
    assert (reader.name, reader.format, reader.meta) == ("some", "memory", {})
    reader.close()
    assert reader.count() == 3


def test_machines_come_in_the_order_of_their_first_schemas(dump: MemoryDump) -> None:
    dump.write(schema("b", "A", "B"))
    assert dump.machines() == ("b", "a")


def test_transitions_are_found_by_position_within_a_machine_and_over_all(dump: MemoryDump) -> None:
    assert ids(dump) == ["1", "2", "3"]
    assert ids(dump, "a") == ["1", "3"]
    assert ids(dump, "a", start=1) == ["3"]
    assert ids(dump, start=1, stop=2) == ["2"]
    assert ids(dump, start=-5, stop=99) == ["1", "2", "3"]
    assert (dump.count("a"), dump.count("b"), dump.count()) == (2, 1, 3)


def test_what_is_written_during_an_iteration_is_not_in_it(dump: MemoryDump) -> None:
    running = dump.transitions("a")
    assert next(running).id == "1"
    dump.write(tx("a", "4"))
    assert [one.id for one in running] == ["3"]


def test_schemas_hold_from_a_position_on(dump: MemoryDump) -> None:
    dump.write(schema("a", "A", "B"))
    dump.write(tx("a", "4"))
    assert [(at, one.names) for at, one in dump.schemas("a")] == [(0, ("A",)), (2, ("A", "B"))]
    assert dump.schema("a").names == ("A", "B")


def test_a_schema_that_no_transition_had_is_replaced(dump: MemoryDump) -> None:
    dump.write(schema("c", "A"))
    dump.write(schema("c", "B"))
    assert [(at, one.names) for at, one in dump.schemas("c")] == [(0, ("B",))]


def test_unknown_machines_are_errors_at_once(dump: MemoryDump) -> None:
    with pytest.raises(UnknownMachineError, match=r"dump some: no machine 'x'"):
        dump.transitions("x")
    with pytest.raises(UnknownMachineError):
        dump.schema("x")
    with pytest.raises(UnknownMachineError):
        dump.count("x")
    with pytest.raises(UnknownMachineError):
        dump.write(tx("x", "1"))
    assert dump.count() == 3


def test_pipes_gaps_and_the_gone_are_records_of_their_own(dump: MemoryDump) -> None:
    pipe, gap = PipeMsg("add", "a", "A", "b", "A"), GapMsg(3, "outbox full")
    for message in (pipe, gap, GoneMsg("a", 7)):
        dump.write(message)
    assert (dump.pipes(), dump.gaps(), dump.gone()) == ((pipe,), (gap,), {"a": 7})


def test_a_machine_that_comes_back_is_gone_no_more(dump: MemoryDump) -> None:
    dump.write(GoneMsg("a", 7))
    dump.write(schema("a", "A"))
    assert dump.gone() == {}


def test_abandoned_it_is_empty(dump: MemoryDump) -> None:
    dump.write(GapMsg(3, "x"))
    dump.abandon()
    assert (dump.machines(), dump.count(), dump.gaps()) == ((), 0, ())
