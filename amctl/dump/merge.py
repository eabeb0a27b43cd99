"""Several recordings made one: of the same run by several collectors, or the files of a rotation.

A transition that several of them hold, told by machine, id and clocks, stands in the result once.
The result is in the order of time; within a machine the recordings' own order holds, also where a
clock of the system stepped back. It is the same whichever recording is named first, a recording
merged with itself or with a part of it stays as it is.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from amctl.dump._weaving import Thing, Weaver
from amctl.telemetry.messages import GoneMsg, SchemaMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from amctl.dump.model import Dump, DumpWriter
    from amctl.telemetry.messages import Message

__all__ = ["Conflict", "MergeReport", "merge"]

_TELL_EVERY: Final = 5_000
_AHEAD: Final = 512
_PIPE, _GAP, _TX = range(3)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two recordings that can't be of the same run."""

    machine: str
    problem: str
    count: int
    """How often."""
    example: str
    """The first one's transition id; empty if it isn't about one."""

    def __str__(self) -> str:
        often = f", {self.count} times" if self.count > 1 else ""
        first = f" (first at {self.example})" if self.example else ""
        return f"machine {self.machine!r}: {self.problem}{often}{first}"


@dataclass(slots=True)
class MergeReport:
    """What came of a merge."""

    machines: int = 0
    transitions: int = 0
    duplicates: int = 0
    """Transitions that stood in more than one recording."""
    conflicts: list[Conflict] = field(default_factory=list)
    """By machine; the result holds both sides."""


@dataclass(slots=True)
class _Step:
    """A transition, or at a recording's end what no transition has reached, with its schema."""

    schema: SchemaMsg
    tx: TxMsg | None
    number: int
    """Of the recording."""


def merge(
    dumps: Sequence[Dump],
    writer: DumpWriter,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> MergeReport:
    """Write what all of `dumps` hold.

    Memory holds a few numbers for each transition of machines that several of them have, and
    what the recordings themselves need; nothing for machines that only one has.

    Args:
        dumps: At least one.
        writer: Where to; neither finished nor abandoned.
        progress: Told transitions that were read, and all there are, now and then.
    """
    total = sum(dump.count() for dump in dumps)
    homes: dict[str, list[Dump]] = {}
    for dump in dumps:
        for id in dump.machines():
            homes.setdefault(id, []).append(dump)
    machines = sorted((_Machine(id, its) for id, its in homes.items()), key=attrgetter("age"))
    for machine in machines:
        writer.write(machine.begin())
    report = MergeReport(len(machines))
    streams: list[Iterable[tuple[tuple[int, int, str], Message]]] = [
        *(machine.messages() for machine in machines),
        _aside(_PIPE, [dump.pipes() for dump in dumps], attrgetter("time_ns")),
        _aside(_GAP, [dump.gaps() for dump in dumps], lambda gap: max(gap.since_ns, gap.until_ns)),
    ]
    for _, message in heapq.merge(*streams, key=lambda each: each[0]):
        writer.write(message)
        if isinstance(message, TxMsg):
            report.transitions += 1
            if progress is not None and report.transitions % _TELL_EVERY == 0:
                progress(report.transitions + sum(m.duplicates for m in machines), total)
    for machine in machines:
        report.duplicates += machine.duplicates
        report.conflicts += machine.conflicts()
    for message in _gone(dumps, {machine.id: machine.last_ns for machine in machines}):
        writer.write(message)
    if progress is not None:
        progress(total, total)
    return report


class _Machine:
    """One machine of all the recordings."""

    def __init__(self, id: str, dumps: Sequence[Dump]) -> None:
        self.id = id
        self.last_ns = 0
        self._sources = [_Source(dump, id, number) for number, dump in enumerate(dumps)]
        first = min(self._sources, key=lambda source: source.age)
        self.age = (*first.age[:2], id)
        """When it was first seen."""
        self._schema = first.first_schema
        self._past: list[SchemaMsg] = []
        self._ids: dict[bytes, int] = {}
        self._problems: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self._is_shared = len(dumps) > 1
        self._last = _Step(self._schema, None, 0)
        streams = [source.things(shared=self._is_shared) for source in self._sources]
        self._equal: dict[tuple[int, int], bool] = {}
        self._weaver = Weaver(streams, self._prefer, self._check if self._is_shared else None)

    @property
    def duplicates(self) -> int:
        """Copies that were left out."""
        return self._weaver.duplicates

    def begin(self) -> SchemaMsg:
        """Its first schema."""
        return self._schema

    def messages(self) -> Iterator[tuple[tuple[int, int, str], Message]]:
        """Its transitions, and its other schemas."""
        for thing in self._weaver:
            place = (thing.at, _TX, self.id)
            schema, tx = thing.value.schema, thing.value.tx
            if not _same(schema, self._schema):
                self._turn(schema, tx)
                yield place, schema
            if tx is not None:
                self.last_ns = max(self.last_ns, tx.time_ns)
                self._compare(thing.value, tx)
                yield place, tx

    def _prefer(self, one: _Step, other: _Step) -> bool:
        """Of two copies, the one that tells more, then the older one, then any, but always that."""
        mine, its = _rank(one), _rank(other)
        if mine != its:
            return mine < its
        if one.tx == other.tx:
            pair = (id(one.schema), id(other.schema))  # of objects that their sources hold
            if pair not in self._equal:
                self._equal[pair] = one.schema == other.schema
            if self._equal[pair]:
                return False
        return repr((one.tx, one.schema)) < repr((other.tx, other.schema))

    def _turn(self, schema: SchemaMsg, tx: TxMsg | None) -> None:
        if self._is_shared:
            if any(_same(schema, old) for old in self._past):
                self._tell("its schema changes to and fro, as if two machines had this id", tx)
            else:
                self._past.append(self._schema)
        self._schema = schema

    def _compare(self, step: _Step, tx: TxMsg) -> None:
        """Clocks go on from one recording to another, unless that is of another run."""
        before, self._last = self._last, step
        if before.tx is None or before.number == step.number:
            return
        if tx.time_sum < before.tx.time_sum:
            self._tell("its clocks step back between recordings, as if of another run", tx)

    def _check(self, thing: Thing[_Step], number: int) -> None:
        tx = thing.value.tx
        if tx is None:
            return
        key = _digest(tx.id)
        had = self._ids.get(key, 0)
        if had & ~(1 << number):
            self._tell("an id stands for different transitions", tx)
        self._ids[key] = had | 1 << number

    def _tell(self, problem: str, tx: TxMsg | None) -> None:
        self._problems[problem] += 1
        self._examples.setdefault(problem, tx.id if tx is not None else "")

    def conflicts(self) -> list[Conflict]:
        """What speaks against these being the same machine."""
        return [
            Conflict(self.id, problem, count, self._examples[problem])
            for problem, count in sorted(self._problems.items())
        ]


class _Source:
    """One machine in one recording."""

    def __init__(self, dump: Dump, machine: str, number: int) -> None:
        self._dump, self._machine, self._number = dump, machine, number
        self._schemas = list(dump.schemas(machine))
        self.first_schema = self._schemas[0][1]
        first = next(iter(dump.transitions(machine, 0, 1)), None)
        first_ns = first.time_ns if first is not None else 1 << 64
        self.age = (self.first_schema.time_ns or first_ns, first_ns, repr(self.first_schema))

    def things(self, *, shared: bool) -> Iterator[Thing[_Step]]:
        """Its transitions; their times never step back."""
        at = 0
        schema, later = self.first_schema, self._schemas[1:]
        for position, tx in enumerate(self._transitions()):
            while later and later[0][0] <= position:
                schema = later.pop(0)[1]
            at = max(at, tx.time_ns)
            identity = _identity(tx) if shared else b""
            order = _order(tx) if shared else ()
            yield Thing(at, identity, order, _Step(schema, tx, self._number))
        if later:
            schema = later[-1][1]
            at = max(at, schema.time_ns)
            end = _Step(schema, None, self._number)
            yield Thing(at, _digest("schema", schema), (1 << 64,), end)

    def _transitions(self) -> Iterator[TxMsg]:
        """A few at a time: all the machines are read at once, each of them reads ahead."""
        count = self._dump.count(self._machine)
        for start in range(0, count, _AHEAD):
            stop = min(start + _AHEAD, count)
            yield from self._dump.transitions(self._machine, start, stop)


def _digest(*parts: object) -> bytes:
    text = "\0".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()


def _identity(tx: TxMsg) -> bytes:
    return _digest(tx.id, tx.is_queued, tx.clocks)


def _order(tx: TxMsg) -> tuple[Any, ...]:
    """How messages of one machine and one moment follow each other, mostly."""
    number = tx.id.rpartition("-")[2]
    nth = int(number) if tx.is_queued and number.isdecimal() and len(number) < 10 else 0
    return (tx.time_sum, tx.queue_tick, tx.is_queued, nth, tx.id)


def _rank(step: _Step) -> tuple[Any, ...]:
    """The less, the more it tells, or the older it is."""
    tx = step.tx
    if tx is None:
        return ()
    more = len(tx.steps) + len(tx.logs) + len(tx.pre_logs) + len(tx.args)
    return (-more, tx.source is None, tx.time_ns, tx.received_ns)


def _same(one: SchemaMsg, other: SchemaMsg) -> bool:
    """Whether two schemas say the same, whenever that was."""
    return one is other or all(
        getattr(one, part) == getattr(other, part)
        for part in ("names", "states", "parent", "tags", "groups", "groups_order")
    )


def _aside(
    kind: int, streams: Sequence[Iterable[Any]], time_of: Callable[[Any], int]
) -> Iterator[tuple[tuple[int, int, str], Message]]:
    """Pipes, or gaps."""

    def things(stream: Iterable[Any]) -> Iterator[Thing[Any]]:
        at = 0
        for each in stream:
            at = max(at, time_of(each))
            yield Thing(at, each, (repr(each),), each)

    weaver = Weaver([things(stream) for stream in streams], lambda *_: False)
    return (((thing.at, kind, ""), thing.value) for thing in weaver)


def _gone(dumps: Sequence[Dump], last_ns: dict[str, int]) -> Iterator[GoneMsg]:
    """Who is gone, and has not been heard of since."""
    times: dict[str, int] = {}
    for dump in dumps:
        for machine, time_ns in dump.gone().items():
            times[machine] = max(times.get(machine, 0), time_ns)
    for machine, time_ns in sorted(times.items()):
        if time_ns >= last_ns.get(machine, 0):
            yield GoneMsg(machine, time_ns)
