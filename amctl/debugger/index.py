"""What is looked up in a recording, in memory: built once, slice by slice, and grown with it.

Positions here are cursors: 0 is before the first transition of a machine, N behind its N-th. The
index holds no message, takes some 70 bytes a transition, and never touches the recording.
"""

from __future__ import annotations

import gc
import hashlib
import re
from array import array
from dataclasses import dataclass
from itertools import compress
from operator import ne
from typing import TYPE_CHECKING, Final

from amctl.debugger._columns import Bits, Numbers, below, filled, flags, packed
from amctl.debugger._openings import Openings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.dump.model import Dump
    from amctl.telemetry.messages import SchemaMsg, TxMsg

__all__ = ["DumpIndex", "MachineIndex", "Place", "StateTrack", "id_key", "is_error"]

_HEALTH: Final = ("Healthcheck", "Heartbeat")
_HEX: Final = re.compile(r"(?:[0-9a-f]{16}){1,2}")
_SPARSE: Final = 64
"""One change in so many positions is few: setting bits is quicker then than packing bytes."""
_PENDING: Final = 4096
"""Queued auto mutations of a machine whose execution is waited for."""


def id_key(tx_id: str) -> bytes:
    """Eight bytes of a transition's id. Of hex ids the first ones; of others a digest."""
    if _HEX.fullmatch(tx_id):
        return bytes.fromhex(tx_id[:16])
    return hashlib.blake2b(tx_id.encode("utf-8", "replace"), digest_size=8).digest()


@dataclass(frozen=True, slots=True)
class Place:
    """A transition: the machine's N-th."""

    machine: str
    cursor: int
    """From 1; 0 is before its first one."""


class StateTrack:
    """One state of one machine over time."""

    __slots__ = ("_active", "_again", "_at", "_ticks", "_toggles", "called_bits")

    def __init__(self) -> None:
        self._toggles, self._again, self.called_bits = Bits(), Bits(), Bits()
        self._at, self._ticks = Numbers(), Numbers()
        self._active = (-1, 0)

    def take(self, cursor: int, tick: int, toggles: bool) -> None:
        """Its tick has changed."""
        (self._toggles if toggles else self._again).add(cursor)
        self._at.append(cursor)
        self._ticks.append(tick)
        self._active = (-1, 0)

    @property
    def changed(self) -> int:
        """Cursors at which it ticked."""
        return self._toggles.value | self._again.value

    def active(self, end: int) -> int:
        """Cursors before `end` at which it is active."""
        if self._active[0] != end:
            self._active = end, filled(self._toggles.value, end)
        return self._active[1]

    def tick(self, cursor: int) -> int:
        """Its tick there."""
        at = self._at.first_at_least(cursor + 1)
        return self._ticks[at - 1] if at else 0

    def last_change(self, cursor: int) -> int:
        """The last cursor, up to this one, at which it ticked; -1 if it never did."""
        at = self._at.first_at_least(cursor + 1)
        return self._at[at - 1] if at else -1

    def at_least(self, number: int, end: int) -> int:
        """Cursors before `end` at which its tick is no smaller than a number."""
        if number <= 0:
            return below(end)
        if self._ticks.is_sorted:
            at = self._ticks.first_at_least(number)
            return below(end) & ~below(self._at[at]) if at < len(self._at) else 0
        toggles, was = Bits(), False
        for cursor, tick in zip(self._at, self._ticks, strict=True):
            if (tick >= number) is not was:
                was = not was
                toggles.add(cursor)
        return filled(toggles.value, end)

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        sets = (self._toggles, self._again, self.called_bits)
        return sum(one.nbytes for one in sets) + self._at.nbytes + self._ticks.nbytes + 160


class _Pairs:
    """Cursors with a number each."""

    __slots__ = ("_at", "_numbers")

    def __init__(self) -> None:
        self._at, self._numbers = Numbers(), Numbers()

    def append(self, cursor: int, number: int) -> None:
        self._at.append(cursor)
        self._numbers.append(number)

    def after(self, number: int, cursor: int) -> int:
        """The first cursor behind another one that has a number; 0 if none has."""
        at = self._numbers.index(number, self._at.first_at_least(cursor + 1))
        return self._at[at] if at >= 0 else 0

    def before(self, number: int, cursor: int) -> int:
        """The last one before another; 0 if there is none."""
        found, end = 0, self._at.first_at_least(cursor)
        at = self._numbers.index(number)
        while 0 <= at < end:
            found, at = self._at[at], self._numbers.index(number, at + 1)
        return found

    @property
    def nbytes(self) -> int:
        return self._at.nbytes + self._numbers.nbytes


class MachineIndex:
    """The transitions of one machine."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.size = 0
        """Transitions so far; also the last cursor."""
        self.tracks: dict[str, StateTrack] = {}
        """By state, those of older schemas too."""
        self.seqs, self.times, self.sums = Numbers(), Numbers(), Numbers()
        """Of each transition: its place among all, Unix ns, the machine's time behind it."""
        self.queue_ticks = Numbers()
        self.queued, self.canceled, self.auto = Bits(), Bits(), Bits()
        self.checks, self.empty, self.health = Bits(), Bits(), Bits()
        self.auto_canceled, self.restarts = Bits(), Bits()
        """Restarts: the clocks went back."""
        self.sourced = Bits()
        self.openings = Openings()
        self._keys = bytearray()
        self._asked, self._ran, self._due = _Pairs(), _Pairs(), _Pairs()
        """Tokens of prepended mutations, queued and executed; ticks of queued ones."""
        self._sources: tuple[Numbers, bytearray] = Numbers(), bytearray()
        """Of transitions with a source: cursor; key of its transition and of its machine."""
        self._row: list[StateTrack] = []
        self._names: tuple[str, ...] = ()
        self._ticks: tuple[int, ...] = ()
        self._health: frozenset[int] = frozenset()
        self._pending: dict[int, int] = {}

    # -- growing

    def rename(self, schema: SchemaMsg) -> None:
        """States, from the next transition on."""
        if schema.names == self._names and self._row:
            return
        ticks = dict(zip(self._names, self._ticks, strict=False))
        self._names = schema.names
        self._ticks = tuple(ticks.get(name, 0) for name in schema.names)
        self._row = [self.tracks.setdefault(name, StateTrack()) for name in schema.names]
        self._health = frozenset(i for i, n in enumerate(schema.names) if n in _HEALTH)

    def take(self, tx: TxMsg, seq: int) -> None:
        """One transition more, the `seq`-th of the recording."""
        self.size = cursor = self.size + 1
        self.seqs.append(seq)
        self.times.append(tx.time_ns or tx.received_ns)
        self.queue_ticks.append(tx.queue_tick)
        self._keys += id_key(tx.id)
        self.openings.take(tx, cursor)
        row = self._row
        for i in tx.called:
            if 0 <= i < len(row):
                row[i].called_bits.add(cursor)
        if tx.is_auto:
            self.auto.add(cursor)
        if tx.is_check:
            self.checks.add(cursor)
        if len(tx.called) == 1 and tx.called[0] in self._health:
            self.health.add(cursor)
        if tx.source is not None:
            self.sourced.add(cursor)
            self._sources[0].append(cursor)
            self._sources[1].extend(id_key(tx.source.tx_id) + id_key(tx.source.machine_id))
        if tx.is_queued:
            self._queue(tx, cursor)
        else:
            self._execute(tx, cursor)

    def _queue(self, tx: TxMsg, cursor: int) -> None:
        self.queued.add(cursor)
        self.sums.append(self.sums.last)
        if tx.mut_queue_token:
            self._asked.append(cursor, tx.mut_queue_token)
        elif tx.mut_queue_tick:
            self._due.append(cursor, tx.mut_queue_tick)
        if tx.is_auto and (tx.mut_queue_tick or tx.mut_queue_token):
            if len(self._pending) >= _PENDING:
                del self._pending[next(iter(self._pending))]
            self._pending[tx.mut_queue_tick or -tx.mut_queue_token] = cursor

    def _execute(self, tx: TxMsg, cursor: int) -> None:
        before, after = self._ticks, tx.clocks
        time = self.sums.last
        if after is not before and after != before:
            time = sum(after)
            self._moved(before, after, cursor)
            self._ticks = after
        if time < self.sums.last:
            self.restarts.add(cursor)
        is_empty = time == self.sums.last
        self.sums.append(time)
        if tx.mut_queue_token:
            self._ran.append(cursor, tx.mut_queue_token)
        if not tx.accepted:
            self.canceled.add(cursor)
            if tx.is_auto:
                self.auto_canceled.add(cursor)
        elif is_empty:
            self.empty.add(cursor)
        if self._pending:
            queued = self._pending.pop(tx.queue_tick, 0)
            queued = self._pending.pop(-tx.mut_queue_token, 0) or queued
            if queued and not tx.accepted:
                self.auto_canceled.add(queued)

    def _moved(self, before: Sequence[int], after: Sequence[int], cursor: int) -> None:
        row = self._row
        if len(before) != len(after):
            width = max(len(before), len(after), len(row))
            before = (*before, *[0] * (width - len(before)))
            after = (*after, *[0] * (width - len(after)))
        for i in compress(range(len(row)), map(ne, before, after)):
            row[i].take(cursor, after[i], (before[i] ^ after[i]) & 1 == 1)

    # -- asking

    @property
    def end(self) -> int:
        """The first cursor that isn't there."""
        return self.size + 1

    @property
    def everything(self) -> int:
        """All transitions, without the place before them."""
        return below(self.end) & ~1

    @property
    def error_bits(self) -> int:
        """Transitions behind which an error state is active."""
        end, found = self.end, 0
        for name, track in self.tracks.items():
            if is_error(name):
                found |= track.active(end)
        return found & self.everything

    @property
    def new_errors(self) -> int:
        """Transitions in which an error state became active, or ticked again."""
        end, found = self.end, 0
        for name, track in self.tracks.items():
            if is_error(name):
                found |= track.changed & track.active(end)
        return found

    def time_sum(self, cursor: int) -> int:
        """The machine's time there."""
        return self.sums[cursor - 1] if 0 < cursor <= self.size else 0

    def wall(self, cursor: int) -> int:
        """Unix ns of a transition; 0 before the first, or if it is unknown."""
        return self.times[cursor - 1] if 0 < cursor <= self.size else 0

    def candidates(self, tx_id: str) -> Iterator[int]:
        """Cursors of transitions that may have an id, or begin with it; the id itself decides."""
        if _HEX.fullmatch(tx_id) or not re.fullmatch(r"[0-9a-f]{4,15}", tx_id):
            yield from _places(self._keys, id_key(tx_id), 8)
            return
        prefix = bytes.fromhex(tx_id[: len(tx_id) // 2 * 2])
        yield from _places(self._keys, prefix, 8)

    def forks_of(self, machine: str, tx_id: str) -> Iterator[int]:
        """Cursors of transitions that may name another one as their source."""
        held, keys = self._sources
        for at in _places(keys, id_key(tx_id) + id_key(machine), 16):
            yield held[at - 1]

    def execution(self, tx: TxMsg, cursor: int) -> int:
        """Where a queued mutation was executed, by queue tick or token; 0 if that isn't known."""
        if tx.mut_queue_token:
            return self._ran.after(tx.mut_queue_token, cursor)
        if not tx.mut_queue_tick:
            return 0
        at = self.queue_ticks.index(tx.mut_queue_tick, cursor)
        while at >= 0 and self.queued.value >> (at + 1) & 1:
            at = self.queue_ticks.index(tx.mut_queue_tick, at + 1)
        return at + 1

    def queueing(self, tx: TxMsg, cursor: int) -> int:
        """Where an executed mutation had been queued; 0 if it wasn't, as far as is known."""
        if tx.mut_queue_token:
            return self._asked.before(tx.mut_queue_token, cursor)
        return self._due.before(tx.queue_tick, cursor) if tx.queue_tick else 0

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        rows = (self.seqs, self.times, self.sums, self.queue_ticks, self._sources[0])
        sets = (self.queued, self.canceled, self.auto, self.checks, self.empty, self.health)
        more = (self.auto_canceled, self.restarts, self.sourced)
        return (
            sum(one.nbytes for one in (*rows, *sets, *more, self._asked, self._ran, self._due))
            + sum(track.nbytes for track in self.tracks.values())
            + len(self._keys)
            + len(self._sources[1])
            + self.openings.nbytes
        )


def is_error(state: str) -> bool:
    """Whether a state's name says that it is an error (dbg.md 4.1)."""
    return state == "Exception" or state.startswith("Err")


def _places(keys: bytearray, wanted: bytes, width: int) -> Iterator[int]:
    """Numbers, from 1, of the keys that begin with some bytes."""
    at = keys.find(wanted)
    while at >= 0:
        if at % width == 0:
            yield at // width + 1
            at += 1
        at = keys.find(wanted, at + (-at % width))


class DumpIndex:
    """All machines of a recording, in the order of arrival.

    Args:
        dump: Is read from `done` on; it may grow.
        machine: Take in this one alone, as if the recording held no other; None: all.
    """

    def __init__(self, dump: Dump, machine: str | None = None) -> None:
        self._only = machine
        self.machines: dict[str, MachineIndex] = {}
        self.done = 0
        """Transitions of the recording that are in."""
        self._dump = dump
        self._schemas: dict[str, list[tuple[int, SchemaMsg]]] = {}
        self._fresh: set[str] = set()
        self._goal = 0
        self._owners = array("H")
        self._order: list[MachineIndex] = []
        self._numbers: dict[str, int] = {}

    def grow(self, limit: int | None = None) -> bool:
        """Take in what is new, at most so many transitions.

        Returns:
            Whether all is in that was there at the call.

        Raises:
            DumpError: It can't be read; what was taken in stays.
        """
        count = self._dump.count(self._only)
        if count != self._goal:
            self._goal = count
            self._fresh.clear()
        stop = count if limit is None else min(count, self.done + limit)
        before = self.done
        if before < stop:
            self._take(stop)
        return self.done >= count or self.done == before  # it was cut meanwhile

    def _take(self, stop: int) -> None:
        collects = gc.isenabled()
        gc.disable()  # it would look through all messages again and again, and find nothing
        try:
            for tx in self._dump.transitions(self._only, self.done, stop):
                self._machine(tx.machine_id).take(tx, self.done)
                self._owners.append(self._numbers[tx.machine_id])
                self.done += 1
        finally:
            if collects:
                gc.enable()

    @property
    def goal(self) -> int:
        """Transitions that were there at the last look."""
        return self._goal

    @property
    def share(self) -> float:
        """How much of what is known to be there is in: 0 to 1."""
        return min(self.done / self._goal, 1.0) if self._goal else 1.0

    def _machine(self, id: str) -> MachineIndex:
        found = self.machines.get(id)
        if found is None:
            found = self.machines[id] = MachineIndex(id)
            self._numbers[id] = len(self._order)
            self._order.append(found)
        if id not in self._fresh:
            self._fresh.add(id)
            held = [one for one in self._dump.schemas(id) if one[0] >= found.size]
            known = [one for one in self._dump.schemas(id) if one[0] < found.size]
            self._schemas[id] = [*known[-1:], *held]
        waiting = self._schemas[id]
        while waiting and waiting[0][0] <= found.size:
            found.rename(waiting.pop(0)[1])
        return found

    def at(self, seq: int) -> Place | None:
        """The transition that arrived as the `seq`-th, from 0."""
        if not 0 <= seq < self.done:
            return None
        machine = self._order[self._owners[seq]]
        return Place(machine.id, machine.seqs.index(seq) + 1)

    def spread(self, machine: MachineIndex, found: int, start: int, stop: int) -> int:
        """A set of a machine's cursors in a part of the whole recording: N is behind the N-th.

        What holds at a cursor of the machine holds until its next transition. Bit 0 is `start`.
        """
        seqs = machine.seqs
        first, last = seqs.first_at_least(start), seqs.first_at_least(stop - 1)
        changes = (found ^ (found << 1)) >> (first + 1) & below(last - first)
        moved = seqs.where(flags(changes, last - first), first)
        width = stop - start
        if changes.bit_count() * _SPARSE < width:
            few = Bits()
            for seq in moved:
                few.add(seq + 1 - start)
            return filled(few.value ^ (found >> first & 1), width)
        places = bytearray(width)
        for seq in moved:
            places[seq + 1 - start] = 1
        places[0] = found >> first & 1
        return filled(packed(places), width)

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return len(self._owners) * 2 + sum(one.nbytes for one in self._order)
