"""Random messages: any at all, and recordings as they come from machines."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from amctl.dump.memory import MemoryDump
from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.machine.steps import Step
from amctl.telemetry.messages import (
    GapMsg,
    GoneMsg,
    Message,
    PipeMsg,
    SchemaMsg,
    SourceRef,
    TxMsg,
)

__all__ = ["recordings", "wild_streams"]

_TEXTS = st.text(st.characters(), max_size=6)  # lone surrogates too
_NAMES = st.sampled_from(["Start", "Ready", "ErrX", "<b>", "名", ""])
_INTS = st.integers(0, 2**64 - 1) | st.integers(0, 3)
_INDEX = st.integers(-1, 6)
_TIMES = st.integers(0, 2**63 - 1) | st.integers(0, 9)
_FLAGS = st.booleans()


def _many(of: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(of, max_size=3).map(tuple)


_STATES = st.builds(
    StateDef, _FLAGS, _FLAGS, *[_many(_NAMES) for _ in range(4)], tags=_many(_TEXTS)
)
_STEPS = st.builds(
    Step, st.integers(0, 65), _INDEX, _INDEX, st.integers(-1, 4), _FLAGS, _FLAGS, _FLAGS, _TEXTS
)
_LOGS = st.lists(st.builds(LogLine, st.integers(0, 5), _TEXTS), max_size=2).map(tuple)
_SOURCES = st.none() | st.builds(SourceRef, _TEXTS, _TEXTS, _INTS)
_REASONS = st.none() | st.builds(Reason, _TEXTS, _TEXTS, _many(_TEXTS), _TEXTS, _TEXTS, _TEXTS)


@st.composite
def _schema(draw: st.DrawFn, machine: str) -> SchemaMsg:
    names = draw(_many(_NAMES | _TEXTS))
    return SchemaMsg(
        machine,
        names,
        draw(st.dictionaries(st.sampled_from(names) if names else _TEXTS, _STATES, max_size=3)),
        draw(_TEXTS),
        draw(_many(_TEXTS)),
        draw(st.dictionaries(_TEXTS, st.lists(_INDEX, max_size=2).map(tuple), max_size=2)),
        draw(_many(_TEXTS)),
        draw(_TIMES),
    )


@st.composite
def _tx(draw: st.DrawFn, machine: str, clocks: tuple[int, ...]) -> TxMsg:
    return TxMsg(
        machine,
        draw(_TEXTS),
        clocks,
        draw(st.integers(0, 5)),
        draw(st.lists(_INDEX, max_size=3).map(tuple)),
        draw(_FLAGS),
        draw(_FLAGS),
        draw(_FLAGS),
        draw(_FLAGS),
        draw(_INTS),
        draw(_INTS),
        draw(_INTS),
        draw(_INTS),
        draw(_TIMES),
        draw(_TIMES),
        draw(st.lists(_STEPS, max_size=3).map(tuple)),
        draw(_LOGS),
        draw(_LOGS),
        draw(st.dictionaries(_TEXTS, _TEXTS, max_size=2)),
        draw(_SOURCES),
        draw(_REASONS),
        draw(_TEXTS),
    )


@st.composite
def wild_streams(draw: st.DrawFn) -> list[Message]:
    """Messages in a valid order, with any content that their types allow."""
    messages: list[Message] = []
    machines: dict[str, tuple[int, ...]] = {}
    for _ in range(draw(st.integers(0, 12))):
        machine = draw(st.sampled_from(["a", "b", ""]))
        what = draw(st.integers(0, 9))
        if machine not in machines or what == 0:
            messages.append(draw(_schema(machine)))
            machines.setdefault(machine, ())
        elif what == 1:
            kind = draw(st.sampled_from(["add", "remove"]))
            ends = (draw(_TEXTS), draw(_TEXTS), draw(_TEXTS), draw(_TEXTS))
            messages.append(PipeMsg(kind, *ends, draw(_FLAGS), draw(_TIMES)))
        elif what == 2:
            counted = (draw(_INTS), draw(_TEXTS), draw(_TEXTS))
            messages.append(GapMsg(*counted, draw(_TIMES), draw(_TIMES)))
        elif what == 3:
            messages.append(GoneMsg(machine, draw(_TIMES)))
        else:
            any_clocks = st.lists(_INTS, max_size=5).map(tuple)
            clocks = draw(st.just(machines[machine]) | any_clocks)
            machines[machine] = clocks
            messages.append(draw(_tx(machine, clocks)))
    return messages


@st.composite
def recordings(draw: st.DrawFn, machines: int = 3, most: int = 25) -> MemoryDump:
    """What a collector takes down: clocks only grow, times don't step back, ids are unique.

    Times may stand still within a machine, as browsers' coarse clocks do.
    """
    dump = MemoryDump("random")
    ids = [f"m{i}" for i in range(draw(st.integers(1, machines)))]
    names = ("A", "B", "C")
    clocks = dict.fromkeys(ids, (0, 0, 0))
    last = dict.fromkeys(ids, ("", 0))
    ticks = dict.fromkeys(ids, 0)
    for id in ids:
        parent = draw(st.sampled_from(["", ids[0]]))
        dump.write(SchemaMsg(id, names, {n: StateDef() for n in names}, parent))
    now = 1_000
    numbers = itertools.count(1)
    for _ in range(draw(st.integers(0, most))):
        id = draw(st.sampled_from(ids))
        now += draw(st.sampled_from([0, 0, 1, 50]))
        kind = draw(st.integers(0, 5))
        if kind == 0:
            pipe = PipeMsg("add", id, "A", draw(st.sampled_from(ids)), "B", False, now)
            if pipe not in dump.pipes():
                dump.write(pipe)
            continue
        tx, queued = last[id]
        ticks[id] += kind > 2
        if kind < 3:
            text, last[id] = f"{tx}-{queued}", (tx, queued + 1)
        else:
            text = f"{next(numbers):016x}"
            last[id] = (text, 0)
            steps = draw(st.tuples(*[st.sampled_from([0, 0, 1, 2])] * 3))
            clocks[id] = tuple(map(sum, zip(clocks[id], steps, strict=True)))
        called = (draw(st.integers(0, 2)),)
        tick = ticks[id]
        dump.write(
            TxMsg(
                id, text, clocks[id], kind % 3, called, is_queued=kind < 3, queue_tick=tick,
                time_ns=now,
            )
        )  # fmt: skip
    return dump
