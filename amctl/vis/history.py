"""What became of the clocks of some machines, moment by moment: what a time slider moves over.

A recording may hold a million transitions, a page can't. So moments are thinned evenly: neighbours
are joined, and a joined moment has the clocks of its last one. Every moment that is left is exact.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from amctl.dump.model import Dump
    from amctl.telemetry.messages import TxMsg

__all__ = ["LIMIT", "History", "Moment", "history"]

LIMIT = 20_000
"""Moments that a page moves over without effort."""
_TICKS, _LEAST_TICKS = 8, 10_000
"""Ticks that are kept: per moment on average, and at least."""
_WINDOW = 32_768
"""Changes that wait to be sorted by time. Collectors write what arrives, and threads send in
batches; later than this, nothing overtakes."""


class Moment(NamedTuple):
    """A transition that moved clocks; or several neighbours, of which the last one names it."""

    time_ns: int
    """Unix time. It never runs backwards from one moment to the next."""
    machine: int
    """Position in `History.machines`."""
    tx_id: str
    ticks: tuple[int, ...]
    """Flat: machine, state index, tick; new values, not differences."""
    type: int = 0
    """0 add, 1 remove, 2 set, 3 eval."""
    called: tuple[int, ...] = ()
    """State indexes."""
    accepted: bool = True
    is_auto: bool = False
    joined: int = 1
    """How many changes it stands for."""


@dataclass(frozen=True, slots=True)
class History:
    """Moments in time order. Before the first one, all clocks are zero."""

    machines: tuple[str, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """State names of each machine, by the newest schema."""
    moments: tuple[Moment, ...] = ()
    total: int = 0
    """Changes that the recording has; equal to the number of moments if none were joined."""
    lost: int = 0
    """Messages of the recording that are known to be missing."""

    @property
    def is_thinned(self) -> bool:
        """Whether moments stand for more than one change."""
        return self.total > len(self.moments)

    def clocks(self) -> Iterator[tuple[Moment, Mapping[str, Sequence[int]]]]:
        """Each moment with all the clocks after it. The mapping is reused: copy what you keep."""
        now = {name: [0] * len(self.names[name]) for name in self.machines}
        for moment in self.moments:
            for machine, state, tick in _triples(moment.ticks):
                now[self.machines[machine]][state] = tick
            yield moment, now


def history(dump: Dump, machines: Iterable[str] | None = None, limit: int = LIMIT) -> History:
    """The clock changes of some machines.

    It reads the recording once and keeps no more than `limit` moments, however long that is.

    Args:
        dump: The recording.
        machines: Ids; those that the recording doesn't know are left out. None is all of them.
        limit: Most moments to keep, at least 1.

    Raises:
        ValueError: The limit isn't positive.
    """
    if limit < 1:
        raise ValueError(f"history: the limit is {limit}, and at least 1 moment has to stay")
    known = dict.fromkeys(dump.machines())
    wanted = tuple(
        known if machines is None else (m for m in dict.fromkeys(machines) if m in known)
    )
    keeper = _Keeper(limit)
    for moment in _sorted(_changes(dump, wanted)):
        keeper.add(moment)
    return History(
        wanted,
        {name: dump.schema(name).names for name in wanted},
        tuple(keeper.kept()),
        keeper.total,
        sum(gap.count for gap in dump.gaps()),
    )


def _changes(dump: Dump, machines: Sequence[str]) -> Iterator[Moment]:
    """Changes in order of arrival. The times of one machine never run backwards."""
    clocks = {name: _Clock(dump, name, number) for number, name in enumerate(machines)}
    alone = machines[0] if len(machines) == 1 else None
    for tx in dump.transitions(alone):
        clock = clocks.get(tx.machine_id)
        if clock is not None:
            moment = clock.change(tx)
            if moment is not None:
                yield moment


class _Clock:
    """The clock of one machine while its transitions are read."""

    def __init__(self, dump: Dump, name: str, number: int) -> None:
        self.number = number
        self._schemas = list(dump.schemas(name))
        self._index = {state: i for i, state in enumerate(dump.schema(name).names)}
        self._position = -1
        self._names: Sequence[str] = ()
        self._is_newest = False
        self._last: tuple[int, ...] = ()
        self._now = 0
        self._ticks: dict[int, int] = {}

    def change(self, tx: TxMsg) -> Moment | None:
        """What a transition changes; None if nothing."""
        self._position += 1
        while self._schemas and self._schemas[0][0] <= self._position:
            self._names = self._schemas.pop(0)[1].names
            self._is_newest = not self._schemas
            self._last = ()
        clocks, last = tx.clocks, self._last
        if clocks == last:
            return None
        self._last = clocks
        if len(clocks) == len(last):
            moved = [(i, b) for i, (a, b) in enumerate(zip(last, clocks, strict=True)) if a != b]
        else:
            moved = list(enumerate(clocks))
        ticks = self._newest(moved)
        if not ticks:
            return None
        self._now = max(self._now, tx.time_ns or tx.received_ns)
        return Moment(
            self._now,
            self.number,
            tx.id,
            tuple(ticks),
            tx.type,
            self._called(tx.called),
            tx.accepted,
            tx.is_auto,
        )

    def _newest(self, moved: Sequence[tuple[int, int]]) -> list[int]:
        """What is new among (index, tick), flat and by the newest schema's indexes."""
        found: list[int] = []
        for index, tick in moved:
            if index >= len(self._names):
                break
            state = index if self._is_newest else self._index.get(self._names[index], -1)
            if state >= 0 and self._ticks.get(state, 0) != tick:
                self._ticks[state] = tick
                found += (self.number, state, tick)
        return found

    def _called(self, called: Sequence[int]) -> tuple[int, ...]:
        names = [self._names[i] for i in called if 0 <= i < len(self._names)]
        return tuple(self._index[name] for name in names if name in self._index)


def _sorted(moments: Iterable[Moment]) -> Iterator[Moment]:
    """By time, then by arrival, as far as the window reaches."""
    window: list[tuple[int, int, Moment]] = []
    for number, moment in enumerate(moments):
        entry = (moment.time_ns, number, moment)
        if len(window) < _WINDOW:
            heapq.heappush(window, entry)
        else:
            yield heapq.heappushpop(window, entry)[2]
    yield from (heapq.heappop(window)[2] for _ in range(len(window)))


class _Keeper:
    """Keeps at most so many moments, each for about as many changes."""

    def __init__(self, limit: int) -> None:
        self.total = 0
        self._limit, self._most = limit, 3 * max(_TICKS * limit, _LEAST_TICKS)
        self._stride = 1
        self._kept: list[Moment] = []
        self._open: list[Moment] = []
        self._ticks = 0

    def add(self, moment: Moment) -> None:
        """One more change; it isn't earlier than those before."""
        self.total += 1
        self._open.append(moment)
        if len(self._open) == self._stride:
            self._close()
        while self._is_too_much():
            self._thin()

    def kept(self) -> list[Moment]:
        """What is left; call it once, at the end."""
        if self._open:
            self._close()
        while self._is_too_much():
            self._thin()
        return self._kept

    def _is_too_much(self) -> bool:
        too_many = len(self._kept) > self._limit or self._ticks > self._most
        return too_many and len(self._kept) > 1

    def _close(self) -> None:
        last = self._kept[-1].time_ns if self._kept else 0
        moment = _joined(self._open, last)
        self._open = []
        self._kept.append(moment)
        self._ticks += len(moment.ticks)

    def _thin(self) -> None:
        pairs = range(0, len(self._kept), 2)
        self._kept = [_joined(self._kept[i : i + 2], 0) for i in pairs]
        self._ticks = sum(len(moment.ticks) for moment in self._kept)
        self._stride *= 2


def _joined(moments: Sequence[Moment], not_before: int) -> Moment:
    last = moments[-1]
    if len(moments) == 1 and last.time_ns >= not_before:
        return last
    ticks: dict[tuple[int, int], int] = {}
    for moment in moments:
        ticks.update(((m, state), tick) for m, state, tick in _triples(moment.ticks))
    return Moment(
        max(last.time_ns, not_before),
        last.machine,
        last.tx_id,
        tuple(part for (m, state), tick in ticks.items() for part in (m, state, tick)),
        last.type,
        last.called,
        last.accepted,
        last.is_auto,
        sum(moment.joined for moment in moments),
    )


def _triples(ticks: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    return zip(ticks[0::3], ticks[1::3], ticks[2::3], strict=True)
