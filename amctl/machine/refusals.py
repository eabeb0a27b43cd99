"""What a machine remembers of the mutations that it refused.

A machine writes into this book only when it refuses something, and never looks into it. The last
refusal of each call is kept, of the latest calls only: one that comes again and again takes the
place of itself, and of relations that refuse it again, the machine itself brings the note up to
date, which it finds by the plan. Arguments are not kept, they may be large or secret; the reason is
worked out when somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.machine.event import Source, as_source
from amctl.machine.plan import AUTO, CHECK_ADD, CHECK_REMOVE, RELATION_KIND
from amctl.machine.reasons import Reason, explain, failed, vetoed
from amctl.machine.result import MutationType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.machine.compiled import Compiled
    from amctl.machine.event import Event
    from amctl.machine.handlers import Action, Handler
    from amctl.machine.plan import ActiveSet, Called, Plan
    from amctl.machine.transition import Transition

__all__ = ["Mishap", "Note", "Refusal", "Refusals"]

_CALLS = 32
_CHECKS = (CHECK_ADD, CHECK_REMOVE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A mutation that was refused."""

    op: str
    """`add`, `remove` or `set`."""
    states: tuple[str, ...]
    """As they were called."""
    reason: Reason
    queue_tick: int
    """The machine's queue tick then."""
    at: float = 0.0
    """When, on the machine's stop-watch, in seconds; 0 if it has none."""
    auto: bool = False
    """Whether it was the machine's own try."""
    count: int = 1
    """How many times this call was refused, as far as it is remembered."""
    source: Source | None = None
    """Where the mutation came from."""
    outdated: bool = False
    """Whether the first of its states has moved since."""

    def __str__(self) -> str:
        who = "the machine's own try" if self.auto else "the call"
        return f"{who} [{self.op}] {' '.join(self.states)} was refused: {self.reason}"


@dataclass(frozen=True, slots=True)
class Mishap:
    """An error, and what was active when it came."""

    config: ActiveSet
    ticks: tuple[int, ...]
    text: str


class Note:
    """A refusal as it is noted, cheaply."""

    __slots__ = ("at", "called", "count", "first", "kind", "number", "plan", "queue_tick",
                 "reason", "schema", "source", "tick", "veto")  # fmt: skip

    at: float
    queue_tick: int
    source: Source | None
    tick: int
    """Of the first called state, afterwards."""

    def __init__(self, kind: int, called: Called) -> None:
        self.kind, self.called = kind, called
        self.count = self.number = 0
        self.first = called.order[0] if called.order else -1
        """The index of the first called state."""
        self.plan: Plan | None = None
        self.schema: Compiled | None = None
        self.veto: tuple[Handler, Action] | None = None
        self.reason: Reason | None = None

    def judged(self, clock: Sequence[int]) -> Refusal:
        """With its reason, in the light of the present clock."""
        names = self.called.names
        op = str(MutationType(RELATION_KIND[self.kind]))
        at = (self.queue_tick, self.at, self.kind == AUTO, self.count, self.source)
        outdated = self.tick != self.called.tick(clock)
        return Refusal(op, names, self._why() or Reason("relations", by=names), *at, outdated)

    def _why(self) -> Reason | None:
        if self.reason is not None or self.plan is None or self.schema is None:
            return self.reason
        if self.veto is not None:
            return vetoed(self.schema, *self.veto)
        return explain(self.schema, self.plan.config, self.kind, self.called)


class Refusals:
    """The book of one machine.

    Args:
        now: The machine's stop-watch.
        clock: The machine's, which lives on.
    """

    __slots__ = ("_book", "_clock", "_error", "_now", "_number", "repeated")

    def __init__(self, now: Callable[[], float], clock: Sequence[int]) -> None:
        self._now, self._clock = now, clock
        self._error: Mishap | None = None
        self._number = 0
        self._book: dict[tuple[int, Called], Note] = {}
        self.repeated: dict[Plan, Note] = {}
        """The notes of what relations refused, for the machine to find."""

    def by_relations(
        self, schema: Compiled, plan: Plan, queue_tick: int, source: Event | Source | None = None
    ) -> None:
        """Relations refused a call that no handler saw."""
        note = self._note(plan.kind, plan.called, queue_tick, source)
        note.schema, note.plan, note.veto, note.reason = schema, plan, None, None
        self.repeated[plan] = note

    def by_transition(self, tx: Transition) -> None:
        """A transition was canceled. Questions count for nothing, nor do auto states that lack
        something."""
        plan, machine = tx.plan, tx.machine
        kind = plan.kind
        if kind in _CHECKS or (kind == AUTO and not (tx.vetoes or tx.failure)):
            return
        note = self._note(kind, plan.called, machine.queue_tick, tx.source)
        note.schema, note.plan = machine._compiled, plan
        note.veto = tx.vetoes[-1] if plan.accepted and tx.vetoes else None
        # an error holds on to frames, which must not live as long as this book
        note.reason = failed(machine._compiled, *tx.failure) if tx.failure is not None else None

    def outright(
        self,
        kind: int,
        called: Called,
        why: str,
        queue_tick: int,
        source: Event | Source | None = None,
    ) -> None:
        """A call was refused before it became a transition: `full`, `backoff` or `disposed`."""
        note = self._note(kind, called, queue_tick, source)
        note.plan = note.schema = note.veto = None
        note.reason = Reason(why, called.names[0] if called.names else "")

    def error_came(self, config: ActiveSet, ticks: tuple[int, ...], error: BaseException) -> None:
        """An error is about to become Exception; what it ends is worked out when somebody asks."""
        text = str(error)
        name = type(error).__name__
        self._error = Mishap(config, ticks, f"{name}: {text}" if text else name)

    @property
    def mishap(self) -> Mishap | None:
        """The last error that became Exception."""
        return self._error

    def last(self, state: str) -> Refusal | None:
        """The last one of a call that named the state, or whose reason does."""
        for note in sorted(self._book.values(), key=_age, reverse=True):
            refusal = note.judged(self._clock)
            if state in refusal.states or state == refusal.reason.state:
                return refusal
        return None

    def all(self) -> list[Refusal]:
        """Everything that is remembered, the oldest first."""
        return [note.judged(self._clock) for note in sorted(self._book.values(), key=_age)]

    def _note(
        self, kind: int, called: Called, queue_tick: int, source: Event | Source | None
    ) -> Note:
        """The note of a call, the newest of all from now on."""
        book = self._book
        key = kind, called
        note = book.get(key)
        if note is None:
            if len(book) >= _CALLS:
                oldest = min(book.values(), key=_age)
                del book[oldest.kind, oldest.called]
                self.repeated.pop(oldest.plan, None)  # type: ignore[arg-type]  # None isn't there
            note = book[key] = Note(kind, called)
        elif note.plan is not None:
            self.repeated.pop(note.plan, None)
        self._number = note.number = self._number + 1
        note.count += 1
        note.queue_tick, note.at = queue_tick, self._now()
        note.tick = called.tick(self._clock)
        # an event holds on to its transition and arguments
        note.source = None if source is None else as_source(source)
        return note


def _age(note: Note) -> tuple[int, int]:
    """Later ones have more. What the machine notes by itself always has a queue tick of its own."""
    return note.queue_tick, note.number
