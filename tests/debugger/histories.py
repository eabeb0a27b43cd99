"""Histories to look into: small ones by hand, random ones, and the recorded ones."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from amctl.dump.memory import MemoryDump
from amctl.dump.opening import open_dump
from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.telemetry.messages import SchemaMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.dump.model import Dump
    from amctl.telemetry.messages import Message

__all__ = ["NAMES", "history", "machine", "recorded", "tx", "walks"]

NAMES = ("Start", "Ready", "Working", "Exception")
DUMPS = Path(__file__).parents[1] / "cases" / "dumps"
SECOND = 10**9


def machine(id: str, names: Sequence[str] = NAMES, **more: object) -> SchemaMsg:
    """The schema of a machine without relations."""
    return SchemaMsg(id, tuple(names), {name: StateDef() for name in names}, **more)  # type: ignore[arg-type]


def tx(id: str, number: int, clocks: Sequence[int], **more: object) -> TxMsg:
    """The transition `number` of a machine, a second after the one before it."""
    more.setdefault("time_ns", (1000 + number) * SECOND)
    return TxMsg(id, f"{number:016x}", tuple(clocks), **more)  # type: ignore[arg-type]


def history(*messages: Message, machines: Sequence[str] = ("a",)) -> MemoryDump:
    """A recording of machines with the usual states."""
    return MemoryDump("by hand", messages=[*map(machine, machines), *messages])


def lines(*texts: str, level: int = 2) -> tuple[LogLine, ...]:
    """Lines of a log."""
    return tuple(LogLine(level, text) for text in texts)


@lru_cache(maxsize=4)
def recorded(name: str = "workflow.gob.br") -> Dump:
    """A recording that lies in the tree."""
    return open_dump(DUMPS / name)


@st.composite
def walks(draw: st.DrawFn, machines: Sequence[str] = ("a", "b"), most: int = 24) -> MemoryDump:
    """Random histories: clocks that tick by 1 or 2, stand, restart; queued and canceled ones."""
    dump = history(machines=machines)
    ticks = {id: [0] * len(NAMES) for id in machines}
    for number in range(draw(st.integers(0, most))):
        id = draw(st.sampled_from(machines))
        kind = draw(st.sampled_from(("run", "run", "run", "queued", "canceled", "restart")))
        if kind == "restart":
            ticks[id] = [0] * len(NAMES)
        if kind == "run":
            for at, more in enumerate(draw(st.tuples(*[st.integers(0, 2)] * len(NAMES)))):
                ticks[id][at] += more
        called = tuple(draw(st.lists(st.integers(0, len(NAMES) - 1), max_size=2, unique=True)))
        dump.write(
            tx(
                id,
                number,
                ticks[id] if kind != "queued" else [9] * len(NAMES),  # as stale as can be
                called=called,
                is_queued=kind == "queued",
                accepted=kind != "canceled",
                is_auto=draw(st.booleans()),
            )
        )
    return dump


def executed(dump: Dump, id: str) -> Iterator[tuple[int, ...]]:
    """The naive way: the clocks of a machine at each cursor, from 0 on."""
    clocks: tuple[int, ...] = (0,) * len(NAMES)
    yield clocks
    for one in dump.transitions(id):
        clocks = clocks if one.is_queued else one.clocks
        yield clocks
