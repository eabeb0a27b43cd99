"""One transition as a sequence: its states are columns, its steps are rows.

`sequence` reads it from a recording into plain data; the modules `sequence_svg`, `sequence_text`
and `sequence_mermaid` draw it. A transition whose steps weren't recorded still has rows, made from
what was called and from its clocks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from amctl.dump.errors import UnknownTransitionError
from amctl.vis._sequence_steps import ANY, SequenceStep, recorded_steps, steps_from_clocks
from amctl.vis.errors import UnknownGroupError
from amctl.vis.text import squeezed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence as Many

    from amctl.dump.model import Dump
    from amctl.machine.reasons import Reason
    from amctl.telemetry.messages import SchemaMsg, SourceRef, TxMsg
    from amctl.vis._sequence_steps import StepKind

__all__ = [
    "ANY",
    "Actor",
    "Sequence",
    "SequenceRow",
    "SequenceStep",
    "reason_text",
    "sequence",
    "tx_url",
    "utc_text",
]

MUTATIONS = ("add", "remove", "set", "eval")
_SHORTEST_PREFIX = 4
_NS = 10**9


@dataclass(frozen=True, slots=True)
class Actor:
    """A state that the transition touched."""

    name: str
    before: int = 0
    """Its tick; odd is active."""
    after: int = 0
    is_called: bool = False

    @property
    def was_active(self) -> bool:
        """Whether it was active before."""
        return self.before & 1 == 1

    @property
    def is_active(self) -> bool:
        """Whether it is active afterwards."""
        return self.after & 1 == 1


@dataclass(frozen=True, slots=True)
class SequenceRow:
    """A run of like steps."""

    kind: StepKind
    source: str
    """State that has the relation; empty for all the other kinds."""
    targets: tuple[str, ...]
    handler: str = ""
    times: int = 1
    """How often the row is repeated, where it is shown only once."""

    @property
    def states(self) -> tuple[str, ...]:
        """All its states."""
        return (self.source, *self.targets) if self.source else self.targets

    @property
    def words(self) -> str:
        """The row as a sentence, without its count: `WorkersReady require Browser[1-4]Ready`."""
        if self.handler:
            return self.handler
        return " ".join([*filter(None, [self.source]), self.kind, *squeezed(self.targets)])


@dataclass(frozen=True, slots=True)
class Sequence:
    """A transition, ready to be drawn."""

    machine: str
    tx_id: str
    mutation: str
    """`add`, `remove`, `set` or `eval`."""
    called: tuple[str, ...] = ()
    accepted: bool = True
    is_auto: bool = False
    is_check: bool = False
    is_queued: bool = False
    """It is no transition yet, but a mutation that was put in the queue."""
    queue_tick: int = 0
    """Of a queued one: the queue tick at which it will run."""
    executed_by: str = ""
    """Of a queued one: the transition that ran it, if the recording has it."""
    time_before: int = 0
    """Sum of the machine's ticks."""
    time_after: int = 0
    time_ns: int = 0
    added: tuple[str, ...] = ()
    """States that became active, or active anew."""
    removed: tuple[str, ...] = ()
    source: SourceRef | None = None
    reason: Reason | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    actors: tuple[Actor, ...] = ()
    """The touched states in schema order; `Any` comes last."""
    steps: tuple[SequenceStep, ...] = ()
    is_recorded: bool = True
    """False if the steps were made from the clocks."""
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """`[add] Foo Bar`."""
        return f"[{self.mutation}] {' '.join(self.called)}".rstrip()

    @property
    def url(self) -> str:
        """Where to find it: `mach://MACHINE/TX`."""
        return tx_url(self.machine, self.tx_id)

    @property
    def outcome(self) -> str:
        """`executed`, `canceled` or `queued`."""
        return "queued" if self.is_queued else "executed" if self.accepted else "canceled"

    @property
    def is_partial(self) -> bool:
        """Whether only some of the states that were called to be added are active now."""
        active = {actor.name for actor in self.actors if actor.is_active}
        wanted = self.mutation in ("add", "set") and self.accepted and not self.is_queued
        return wanted and not active.issuperset(self.called)

    @property
    def facts(self) -> tuple[str, ...]:
        """What people read above the steps, in short pieces."""
        found = [self.outcome + (", auto transition" if self.is_auto else "")]
        if self.is_check:
            found[0] += ", only asked whether it could"
        if self.is_partial:
            found[0] += ", partially accepted"
        if self.is_queued:
            found.append(f"at queue tick {self.queue_tick}" if self.queue_tick else "prepended")
            return (*found, *([f"ran as {self.executed_by}"] if self.executed_by else ()))
        found.append(f"+{len(self.added)} -{len(self.removed)} touched {len(self.actors)}")
        diff = self.time_after - self.time_before
        found.append(f"time {diff:+d}: {self.time_before} -> {self.time_after}")
        return tuple(found)

    def members(self, group: str | None) -> frozenset[str]:
        """The touched states of a group; all of them for None and `all`.

        Raises:
            UnknownGroupError: The machine has no such group.
        """
        touched = frozenset(actor.name for actor in self.actors)
        if group is None or _plain(group) == "all":
            return touched
        for name, states in self.groups.items():
            if _plain(name) == _plain(group):
                return touched & states
        raise UnknownGroupError(self.machine, group, tuple(self.groups))

    def rows(self, *, brief: bool = False, group: str | None = None) -> tuple[SequenceRow, ...]:
        """The steps, runs of like ones joined.

        Args:
            brief: Each row only where it stands first, with its count.
            group: Only steps whose states all belong to it.

        Raises:
            UnknownGroupError: The machine has no such group.
        """
        shown = self.members(group)
        rows = _joined([s for s in self.steps if shown.issuperset(s.states)])
        if not brief:
            return tuple(rows)
        counts: dict[SequenceRow, int] = {}
        for row in rows:
            counts[row] = counts.get(row, 0) + 1
        return tuple(replace(row, times=times) for row, times in counts.items())


def sequence(dump: Dump, machine: str, tx_id: str) -> Sequence:
    """A transition of a recording.

    Args:
        dump: The recording.
        machine: Whose transition.
        tx_id: Its id, or the beginning of it that no other one shares (4 characters or more).

    Raises:
        UnknownMachineError: The recording has no such machine.
        UnknownTransitionError: The machine has no such transition, or more than one.
    """
    position, before, tx = _find(dump, machine, tx_id)
    schema = [held for first, held in dump.schemas(machine) if first <= position][-1:]
    return _sequence(
        schema[0] if schema else dump.schema(machine),
        before,
        tx,
        _executed_by(dump, tx, position) if tx.is_queued else "",
    )


def _find(dump: Dump, machine: str, tx_id: str) -> tuple[int, TxMsg | None, TxMsg]:
    before: TxMsg | None = None
    close: list[tuple[int, TxMsg | None, TxMsg]] = []
    for position, tx in enumerate(dump.transitions(machine)):
        if tx.id == tx_id:
            return position, before, tx
        if len(close) < 2 and len(tx_id) >= _SHORTEST_PREFIX and tx.id.startswith(tx_id):
            close.append((position, before, tx))
        before = tx
    executed = [found for found in close if not found[2].is_queued]
    if len(close) == 1 or len(executed) == 1:  # LASTTX-N begins with the id of another one
        return (executed or close)[0]
    raise UnknownTransitionError(dump.name, machine, tx_id)


def _executed_by(dump: Dump, queued: TxMsg, position: int) -> str:
    for tx in dump.transitions(queued.machine_id, position + 1):
        same_tick = queued.mut_queue_tick and tx.queue_tick == queued.mut_queue_tick
        same_token = queued.mut_queue_token and tx.mut_queue_token == queued.mut_queue_token
        if not tx.is_queued and (same_tick or same_token):
            return tx.id
    return ""


def _sequence(schema: SchemaMsg, before: TxMsg | None, tx: TxMsg, executed_by: str) -> Sequence:
    names = schema.names
    old = before.clocks if before and before.time_sum <= tx.time_sum else ()  # else it began anew
    was, now = _padded(old, len(names)), _padded(tx.clocks, len(names))
    called = tuple(names[i] for i in tx.called if 0 <= i < len(names))
    moved = [i for i in range(len(names)) if was[i] != now[i]]
    steps = recorded_steps(names, tx.steps)
    made = steps or steps_from_clocks(names, tx, was, now)
    return Sequence(
        machine=tx.machine_id,
        tx_id=tx.id,
        mutation=MUTATIONS[tx.type] if 0 <= tx.type < len(MUTATIONS) else f"type {tx.type}",
        called=called,
        accepted=tx.accepted,
        is_auto=tx.is_auto,
        is_check=tx.is_check,
        is_queued=tx.is_queued,
        queue_tick=tx.mut_queue_tick,
        executed_by=executed_by,
        time_before=sum(was),
        time_after=sum(now),
        time_ns=tx.time_ns or tx.received_ns,
        added=tuple(names[i] for i in moved if now[i] & 1),
        removed=tuple(names[i] for i in moved if was[i] & 1 and not now[i] & 1),
        source=tx.source,
        reason=tx.reason,
        args=dict(sorted(tx.args.items())),
        actors=_actors(names, called, made, was, now),
        steps=tuple(made),
        is_recorded=bool(steps),
        groups={
            group: frozenset(names[i] for i in indexes if 0 <= i < len(names))
            for group, indexes in schema.groups.items()
        },
    )


def _actors(
    names: Many[str],
    called: Many[str],
    steps: Many[SequenceStep],
    was: Many[int],
    now: Many[int],
) -> tuple[Actor, ...]:
    touched = {state for step in steps for state in step.states}.union(called)
    actors = [
        Actor(name, before, after, name in called)
        for name, before, after in zip(names, was, now, strict=True)
        if name in touched or before != after
    ]
    if ANY in touched and ANY not in names:
        actors.append(Actor(ANY))
    return tuple(actors)


def _joined(steps: Many[SequenceStep]) -> list[SequenceRow]:
    rows: list[SequenceRow] = []
    for step in steps:
        last = rows[-1] if rows else None
        if (
            last
            and step.kind != "handler"
            and (last.kind, last.source) == (step.kind, step.source)
            and step.target not in last.targets
        ):
            rows[-1] = replace(last, targets=(*last.targets, step.target))
        else:
            rows.append(SequenceRow(step.kind, step.source, (step.target,), step.handler))
    return rows


def _padded(clocks: tuple[int, ...], length: int) -> tuple[int, ...]:
    return (*clocks[:length], *[0] * (length - len(clocks)))


def _plain(group: str) -> str:
    """How names of groups are compared: `- Connected StatesDef:12` is `connected`."""
    name = group.partition(":")[0].replace("StatesDef", "")
    return name.replace("-", "").replace(" ", "").lower()


def tx_url(machine: str, tx_id: str) -> str:
    """`mach://MACHINE/TX`."""
    return f"mach://{quote(machine, safe='-._~:')}/{quote(tx_id, safe='-._~')}"


def utc_text(time_ns: int) -> str:
    """A moment in Unix nanoseconds as date and time of UTC, all nine digits of it."""
    if time_ns <= 0:
        return "unknown time"
    seconds, rest = divmod(time_ns, _NS)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return "unknown time"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{rest:09d} UTC"


def reason_text(reason: Reason) -> str:
    """Why a transition was canceled, as a sentence without its full stop."""
    by, state = " ".join(reason.by), reason.state or "it"
    where = f"{reason.handler}{f' of {reason.binding}' if reason.binding else ''}"
    said = {
        "require": f"{state} requires {by}",
        "remove": f"{by} keeps {state} out",
        "veto": f"{where} refused",
        "error": f"{where or state} failed",
        "timeout": f"{where or state} took too long",
        "relations": f"the relations leave no way for {state}",
    }.get(reason.kind, f"{reason.kind} {state} {by}".strip())
    return f"{said}: {reason.text}" if reason.text else said
