"""What travels with a transition: its mutation, where that came from, and what handlers get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from amctl.machine.args import Args, as_args, parse_args
from amctl.machine.plan import AUTO, CHECK_ADD, CHECK_REMOVE, RELATION_KIND
from amctl.machine.result import MutationType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.machine.args import ArgsLike
    from amctl.machine.machine import Machine
    from amctl.machine.plan import Called
    from amctl.machine.transition import Transition

__all__ = ["Event", "EventId", "Mutation", "Source", "as_source"]

A = TypeVar("A", bound=Args)
_CHECKS = (CHECK_ADD, CHECK_REMOVE)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a mutation comes from: a transition, maybe of another machine (MUT-7)."""

    machine_id: str
    tx_id: str = ""
    time: int = 0
    """Time sum of the source machine before that transition; 0 when it wasn't current any more."""
    trace: bytes = b""
    """Opaque trace context, carried across the network."""


def as_source(source: Event | Source | None) -> Source | None:
    """The origin that a caller named."""
    return source.as_source() if isinstance(source, Event) else source


class Mutation:
    """One request to change states, as it stands in the queue."""

    __slots__ = ("args", "called", "kind", "queue_len", "queue_tick", "queue_tick_now",
                 "queue_token", "source")  # fmt: skip

    def __init__(
        self,
        kind: int,
        called: Called,
        args: Mapping[str, Any],
        source: Source | None = None,
        queue_tick: int = 0,
    ) -> None:
        self.kind = kind
        self.called = called
        self.args = args
        self.source = source
        self.queue_tick = queue_tick
        """The machine's queue tick when this is its turn; 0 if it was put in front (QUE-7)."""
        self.queue_tick_now = 0
        """The queue tick when it was queued."""
        self.queue_len = 0
        """The length of the queue with it."""
        self.queue_token = 0
        """A unique number, when it was put in front; else 0."""

    @property
    def is_auto(self) -> bool:
        """Whether the machine itself made it for its auto states."""
        return self.kind == AUTO

    @property
    def is_check(self) -> bool:
        """Whether it is a question (Can*) that changes nothing."""
        return self.kind in _CHECKS

    @property
    def type(self) -> MutationType:
        """Its type on the wire."""
        return MutationType(RELATION_KIND[self.kind])

    @property
    def called_states(self) -> tuple[str, ...]:
        """The names that were given, in the order of the call."""
        return self.called.names

    def __str__(self) -> str:
        """MUT-9: in index order."""
        names = self.called.names
        order = sorted(range(len(names)), key=self.called.order.__getitem__)
        return f"[{self.type}] " + " ".join(names[i] for i in order)


class EventId(NamedTuple):
    """An event as plain data (EVT-2)."""

    machine_id: str
    name: str
    tx_id: str
    is_check: bool


class Event:
    """What a handler gets. One object per handler name, shared by all bindings (EVT-1)."""

    __slots__ = ("name", "raw", "transition")

    def __init__(self, name: str, raw: Mapping[str, Any], transition: Transition) -> None:
        self.name = name
        """The event's name, e.g. FooState."""
        self.raw = raw
        """The mutation's arguments as one map, the same for all its handlers."""
        self.transition = transition

    def args(self, cls: type[A]) -> A:
        """The typed arguments of one type; the default object when there are none.

        Raises:
            ArgsError: They came over the wire and don't fit their declaration.
        """
        return parse_args(cls, self.raw)

    @property
    def machine(self) -> Machine:
        """The machine whose handler runs."""
        return self.transition.machine

    @property
    def mutation(self) -> Mutation:
        """What is being carried out."""
        return self.transition.mutation

    @property
    def source(self) -> Source | None:
        """Where the mutation came from; None for a plain call."""
        return self.transition.source

    @property
    def is_check(self) -> bool:
        """Whether this is only a question.

        # differs from Go, which never sets it (CAN-6).
        """
        return self.transition.is_check

    def is_valid(self) -> bool:
        """Whether its transition is still the current one, and still accepted (EVT-4)."""
        return self.transition.is_current

    def as_source(self) -> Source:
        """This event as the origin of another mutation."""
        return self.transition.as_source()

    def log(self, text: str, *args: object) -> None:
        """As `Machine.log`, with this event's name in front (LOG-1)."""
        self.machine.log(text, *args, handler=self.name)

    def with_args(self, args: ArgsLike) -> Event:
        """The same event with other arguments, for calling a handler by hand.

        # differs from Go, where a copy knows no machine.
        """
        return Event(self.name, as_args(args), self.transition)

    def export(self) -> EventId:
        """What identifies it elsewhere."""
        return EventId(self.machine.id, self.name, self.transition.id, self.is_check)

    def __str__(self) -> str:
        return str(self.mutation)
