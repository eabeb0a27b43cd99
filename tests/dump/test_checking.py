"""Recordings read to their end."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from amctl.dump.checking import check
from amctl.dump.errors import DumpFormatError
from amctl.dump.memory import MemoryDump
from amctl.telemetry.messages import GapMsg, PipeMsg, SchemaMsg, TxMsg
from tests.support.recordings import lamp

if TYPE_CHECKING:
    from collections.abc import Iterator

A = SchemaMsg("a", ("X", "Y"), {})


def test_a_sound_one_is_counted() -> None:
    dump = lamp()
    dump.write(PipeMsg("add", "lamp", "On", "x", "On"))
    dump.write(GapMsg(4, "outbox full"))
    report = check(dump)
    assert report.ok
    assert asdict(report) == {
        "name": "test",
        "problems": [],
        "oddities": [],
        "machines": 1,
        "transitions": 3,
        "pipes": 1,
        "gaps": 1,
        "lost": 4,
    }


def test_what_cant_be_read_is_damage() -> None:
    class Broken(MemoryDump):
        def transitions(self, *_: Any, **__: Any) -> Iterator[TxMsg]:
            yield from lamp().transitions()
            raise DumpFormatError("x", "broken", 7)

    report = check(Broken(messages=[*[lamp().schema("lamp")], *lamp().transitions()]))
    assert (report.ok, report.problems) == (False, ["dump x: broken at byte 7"])


def test_less_than_there_should_be_is_damage() -> None:
    class Short(MemoryDump):
        def count(self, machine: str | None = None) -> int:
            return 5

    assert check(Short()).problems == ["0 transitions of 5 can be read"]


def test_what_cant_have_happened_is_odd_and_no_damage() -> None:
    txs = [
        TxMsg("a", "1", (3, 0)),
        TxMsg("a", "2", (1, 0)),
        TxMsg("a", "3", (0,), is_queued=True),
        TxMsg("a", "4", (9, 9, 9), called=(7,)),
        TxMsg("a", "5", (9, 9, 9), called=(-1,)),
    ]
    report = check(MemoryDump(messages=[A, *txs]))
    assert report.ok
    assert report.oddities == [
        "a: its clocks step back, as if it had been restarted",
        "a: 1 clocks of 2 states",
        "a: 3 clocks of 2 states, 2 times",
        "a: a state was called that it hasn't got, 2 times",
    ]


def test_a_new_schema_may_begin_anew() -> None:
    messages = [A, TxMsg("a", "1", (3, 0)), SchemaMsg("a", ("X",), {}), TxMsg("a", "2", (0,))]
    assert check(MemoryDump(messages=messages)).oddities == []


def test_many_oddities_are_counted() -> None:
    dump = MemoryDump()
    for number in range(25):
        dump.write(SchemaMsg(f"m{number}", ("X",), {}))
        dump.write(TxMsg(f"m{number}", "1", ()))
    assert check(dump).oddities[-1] == "and 5 more"


def test_progress_is_told() -> None:
    said: list[tuple[int, int]] = []
    dump = MemoryDump(messages=[A, *(TxMsg("a", f"{i}", (i, 0)) for i in range(6000))])
    check(dump, progress=lambda done, total: said.append((done, total)))
    assert said == [(5000, 6000)]
