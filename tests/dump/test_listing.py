"""Recordings at a glance."""

from __future__ import annotations

from amctl.dump.listing import list_dump
from amctl.dump.memory import MemoryDump
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, TxMsg
from tests.support.recordings import BEGAN, lamp


def test_a_machine_is_listed_with_its_span_and_its_end() -> None:
    dump = lamp()
    dump.write(GapMsg(3, "x"))
    dump.write(PipeMsg("add", "lamp", "On", "other", "On"))
    dump.write(SchemaMsg("new", ("A",), {}, parent="lamp"))
    dump.write(GoneMsg("lamp", 5))
    listing = list_dump(dump)
    assert (listing.name, listing.format, listing.transitions) == ("test", "memory", 3)
    assert (listing.pipes, listing.gaps, listing.lost) == (1, 1, 3)
    row, new = listing.rows
    assert (row.id, row.transitions, row.gone_ns) == ("lamp", 3, 5)
    assert (row.first_ns, row.last_ns) == (BEGAN + 10**6, BEGAN + 3 * 10**6)
    assert (listing.first_ns, listing.last_ns) == (row.first_ns, row.last_ns)
    assert row.active == ("Plugged", "On", "Warm")
    assert (new.transitions, new.first_ns, new.clocks, new.active) == (0, 0, (), ())


def test_the_document_holds_all_of_it() -> None:
    made = list_dump(lamp()).to_json()
    (machine,) = made.pop("machines")
    assert made == {
        "dump": "test",
        "format": "memory",
        "transitions": 3,
        "first_ns": BEGAN + 10**6,
        "last_ns": BEGAN + 3 * 10**6,
        "pipes": 0,
        "gaps": 0,
        "lost": 0,
    }
    assert machine["states"] == ["Plugged", "On", "Off", "Warm", "ErrBulb", "Exception"]
    assert machine["clocks"] == [1, 1, 2, 1, 0, 0]


def test_only_some_machines_are_listed_when_named() -> None:
    dump = lamp()
    dump.write(SchemaMsg("new", ("A",), {}))
    assert [row.id for row in list_dump(dump, ["new"]).rows] == ["new"]


def test_an_empty_recording_is_listed_too() -> None:
    listing = list_dump(MemoryDump("x"))
    assert (listing.rows, listing.first_ns, listing.last_ns) == ((), 0, 0)


def test_what_was_only_queued_at_the_end_isnt_the_end() -> None:
    dump = lamp()
    for number in range(300):
        dump.write(TxMsg("lamp", f"3-{number}", (0,) * 6, is_queued=True))
    assert list_dump(dump).rows[0].active == ("Plugged", "On", "Warm")
    only = MemoryDump(messages=[SchemaMsg("a", ("A",), {}), TxMsg("a", "-0", (1,), is_queued=True)])
    assert list_dump(only).rows[0].clocks == ()
