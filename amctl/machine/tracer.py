"""What a tracer may implement. Called synchronously, in binding order (section 24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from amctl.machine.schema import Schema
    from amctl.machine.transition import Mutation, Transition
    from amctl.machine.view import MachineView

__all__ = ["HOOKS", "Hooks", "Tracer"]


class Tracer:
    """Base of tracers: override what you need, the rest costs nothing. Must not block or raise."""

    id = ""

    def machine_init(self, machine: MachineView) -> None:
        """A machine with this tracer among its options was made."""

    def new_submachine(self, parent: MachineView, child: MachineView) -> None:
        """A machine with this one as its parent was made."""

    def schema_change(self, machine: MachineView, old: Schema) -> None:
        """The schema was replaced."""

    def mutation_queued(self, machine: MachineView, mutation: Mutation) -> None:
        """A mutation was accepted, and will run now or later."""

    def transition_init(self, tx: Transition) -> None:
        """Targets are known, and whether relations accept them."""

    def transition_start(self, tx: Transition) -> None:
        """Negotiation is about to begin, or was refused by relations."""

    def handler_start(self, tx: Transition, binding: str, name: str) -> None:
        """A handler is about to run."""

    def handler_end(self, tx: Transition, binding: str, name: str) -> None:
        """A handler has returned or failed."""

    def transition_finals(self, tx: Transition) -> None:
        """Clocks have moved, final handlers come next."""

    def transition_end(self, tx: Transition) -> None:
        """The transition is complete; also for canceled ones and checks."""

    def queue_end(self, machine: MachineView) -> None:
        """Nothing is left in the queue."""

    def machine_dispose(self, machine_id: str) -> None:
        """The machine is disposed of."""


HOOKS = tuple(n for n in vars(Tracer) if n[0] != "_" and n != "id")


class Hooks:
    """Per hook, the methods which some tracer really implements."""

    __slots__ = HOOKS

    def __init__(self, tracers: Iterable[Tracer]) -> None:
        tracers = tuple(tracers)
        for name in HOOKS:
            base = getattr(Tracer, name)
            found = tuple(
                getattr(t, name) for t in tracers if getattr(type(t), name, base) is not base
            )
            setattr(self, name, found)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> tuple[Callable[..., Any], ...]: ...
