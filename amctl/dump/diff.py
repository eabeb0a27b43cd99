"""Where two recordings part: of two runs of the same, machine by machine.

Ids and times differ in any two runs and are not compared, nor is what was only queued, for that is
a matter of timing. What is compared is what happened: which states were called how, whether that
was accepted, and which clocks ticked by how much. Machines run side by side, so that the order
between them isn't compared either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from amctl.dump._aligning import aligned
from amctl.dump.copying import messages_of
from amctl.dump.following import Follower, active_names, flags_text, state_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amctl.dump.following import Entry
    from amctl.dump.model import Dump

__all__ = ["Divergence", "DumpDiff", "Event", "MachineDiff", "diff"]


class _Key(NamedTuple):
    called: tuple[str, ...]
    type: int
    flags: str
    ticks: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened in one transition."""

    key: _Key = field(repr=False)
    """What of it is compared."""
    id: str
    position: int
    """Among all messages of its machine."""
    since_ns: int
    """Since its recording began; 0 if its time is unknown."""
    text: str
    """For people."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first place where two recordings of a machine differ."""

    machine: str
    a: Event | None
    """What the first one has there; None: it has no more."""
    b: Event | None
    since_ns: int
    """Since the first recording began; where that has ended, since the second did."""
    what: str
    """In words."""


@dataclass(frozen=True, slots=True)
class MachineDiff:
    """One machine that both have, if it differs."""

    machine: str
    same: int
    """Transitions that happened in both."""
    only_a: int
    only_b: int
    first: Divergence | None
    states_only_a: tuple[str, ...]
    states_only_b: tuple[str, ...]
    states_changed: tuple[str, ...]
    """States with other properties or relations."""
    active_only_a: tuple[str, ...]
    """Active at the end of the first one's recording, and not in the second's."""
    active_only_b: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        states = (self.states_only_a, self.states_only_b, self.states_changed)
        return self.first is None and not any(states)


@dataclass(frozen=True, slots=True)
class DumpDiff:
    """What differs between two recordings."""

    a: str
    """Names of the two."""
    b: str
    machines_only_a: tuple[str, ...]
    machines_only_b: tuple[str, ...]
    machines: tuple[MachineDiff, ...]
    """Those that differ: the earliest divergence first, at last those that have none."""
    same_machines: int
    same: int
    """Transitions that happened in both."""
    lost_a: int
    """Messages that are known to be missing; what lacks there may only seem to differ."""
    lost_b: int

    @property
    def first(self) -> Divergence | None:
        """The first divergence of all, in the time of the first recording."""
        return self.machines[0].first if self.machines else None

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.machines or self.machines_only_a or self.machines_only_b)


def diff(a: Dump, b: Dump, *, progress: Callable[[int, int], None] | None = None) -> DumpDiff:
    """Compare two recordings. Memory holds a few hundred transitions at a time.

    Args:
        a: The first one, whose time orders the divergences.
        b: The second one.
        progress: Told machines done, and how many there are.
    """
    mine, its = a.machines(), b.machines()
    known = set(its)
    both = [machine for machine in mine if machine in known]
    began = _began(a), _began(b)
    machines: list[MachineDiff] = []
    for number, machine in enumerate(both):
        machines.append(_of_machine(a, b, machine, began))
        if progress is not None:
            progress(number + 1, len(both))
    known_a = set(mine)
    return DumpDiff(
        a.name,
        b.name,
        tuple(machine for machine in mine if machine not in known),
        tuple(machine for machine in its if machine not in known_a),
        tuple(sorted((each for each in machines if not each.is_equal), key=_place)),
        sum(each.is_equal for each in machines),
        sum(each.same for each in machines),
        sum(gap.count for gap in a.gaps()),
        sum(gap.count for gap in b.gaps()),
    )


def _place(machine: MachineDiff) -> tuple[bool, int, str]:
    first = machine.first
    return (first is None, first.since_ns if first is not None else 0, machine.machine)


def _began(dump: Dump) -> int:
    first = next(iter(dump.transitions(None, 0, 1)), None)
    return first.time_ns if first is not None else 0


class _Item(NamedTuple):
    key: _Key
    entry: Entry


class _Side:
    """One machine in one recording."""

    def __init__(self, dump: Dump, machine: str, began_ns: int) -> None:
        self._dump, self._machine, self._began_ns = dump, machine, began_ns
        self._follower = Follower()

    def items(self) -> Iterator[_Item]:
        """What happened, in order."""
        messages = messages_of(self._dump, machines=(self._machine,))
        for entry in self._follower.entries(messages):
            if not entry.tx.is_queued:
                yield _Item(_key(entry), entry)

    def event(self, item: _Item | None) -> Event | None:
        """The same, for people."""
        if item is None:
            return None
        tx = item.entry.tx
        since = tx.time_ns - self._began_ns if tx.time_ns and self._began_ns else 0
        return Event(item.key, tx.id, item.entry.position, since, item.entry.line)

    def active(self) -> tuple[str, ...]:
        """The states that are active at the end, once all events were taken."""
        clocks = self._follower.clocks.get(self._machine, ())
        return active_names(clocks, self._dump.schema(self._machine).names)


def _key(entry: Entry) -> _Key:
    tx, names, before = entry.tx, entry.names, entry.before
    called = tuple([state_name(i, names) for i in tx.called])
    ticks: list[tuple[str, int]] = []
    if tx.clocks != before:
        for index, (now, then) in enumerate(zip_longest(tx.clocks, before, fillvalue=0)):
            if now != then:
                ticks.append((state_name(index, names), now - then))
        ticks.sort()
    return _Key(called, tx.type, flags_text(tx), tuple(ticks))


def _of_machine(a: Dump, b: Dump, machine: str, began: tuple[int, int]) -> MachineDiff:
    left, right = _Side(a, machine, began[0]), _Side(b, machine, began[1])
    parted: list[tuple[Event | None, Event | None]] = []
    same = only_a = only_b = 0

    def note(one: _Item | None, other: _Item | None) -> None:
        if not parted:
            parted.append((left.event(one), right.event(other)))

    for one, other in aligned(left.items(), right.items(), note):
        same += one is not None and other is not None
        only_a += other is None
        only_b += one is None
    schemas = a.schema(machine), b.schema(machine)
    names = tuple(set(schema.names) for schema in schemas)
    active = left.active(), right.active()
    return MachineDiff(
        machine,
        same,
        only_a,
        only_b,
        _divergence(machine, *parted[0]) if parted else None,
        tuple(name for name in schemas[0].names if name not in names[1]),
        tuple(name for name in schemas[1].names if name not in names[0]),
        tuple(
            name
            for name in schemas[0].names
            if name in names[1] and schemas[0].states.get(name) != schemas[1].states.get(name)
        ),
        tuple(name for name in active[0] if name not in active[1]),
        tuple(name for name in active[1] if name not in active[0]),
    )


def _divergence(machine: str, a: Event | None, b: Event | None) -> Divergence:
    at = a or b
    assert at is not None
    return Divergence(machine, a, b, at.since_ns, _what(a, b))


def _what(a: Event | None, b: Event | None) -> str:
    if a is None:
        return "only B goes on"
    if b is None:
        return "only A goes on"
    if (a.key.called, a.key.type) != (b.key.called, b.key.type):
        return "another mutation"
    if a.key.flags != b.key.flags:
        return "the same mutation, with another outcome"
    return "the same mutation, but other clocks"
