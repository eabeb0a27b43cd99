"""What a tracer may implement. Called synchronously, in binding order (section 24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from amctl.machine.event import Mutation
    from amctl.machine.schema import Schema
    from amctl.machine.transition import Transition
    from amctl.machine.view import MachineView

__all__ = ["Hooks", "LastTx", "Tracer"]


class Tracer:
    """Base of tracers: give it an id, override what you need; the rest costs nothing.

    A tracer must not block. What it raises is logged, and the first time it becomes Exception.
    """

    id: str = ""

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

    def transition_change(self, tx: Transition) -> None:
        """Clocks have moved, or won't; auto states come next. Not for checks (TX-9)."""

    def transition_end(self, tx: Transition) -> None:
        """The transition is complete; also for canceled ones and checks."""

    def queue_end(self, machine: MachineView) -> None:
        """Nothing is left in the queue."""

    def log_line(self, machine: MachineView, level: int, text: str) -> None:
        """A line for the machine's log that no other hook stands for (section 21)."""

    def machine_dispose(self, machine_id: str) -> None:
        """The machine is disposed of."""

    def failed(self, error: Exception) -> bool:
        """No hook: one of these raised something. Whether that is dealt with by now; if it isn't,
        the machine logs it and adds Exception."""
        return False


class LastTx(Tracer):
    """Keeps the last transition that ended (TRC-4)."""

    id = "lasttx"

    def __init__(self) -> None:
        self.tx: Transition | None = None
        """None until one has ended."""

    def transition_end(self, tx: Transition) -> None:
        """See Tracer."""
        self.tx = tx


_HOOKS = tuple(n for n, f in vars(Tracer).items() if n[0] != "_" and callable(f) and n != "failed")


class Hooks:
    """Per hook, the methods which some tracer really implements.

    Args:
        tracers: In binding order.
        failed: Told of what a tracer raises; without it the hook's caller is.
    """

    __slots__ = ("begin", *_HOOKS)

    begin: tuple[Callable[..., None], ...]
    """`transition_init` of all, then `transition_start` of all."""

    def __init__(
        self,
        tracers: Iterable[Tracer],
        failed: Callable[[Tracer, Exception], None] | None = None,
    ) -> None:
        tracers = tuple(tracers)
        for name in _HOOKS:
            base = getattr(Tracer, name)
            found = [t for t in tracers if getattr(type(t), name, base) is not base]
            hooks = [_guarded(t, name, failed) if failed else getattr(t, name) for t in found]
            setattr(self, name, tuple(hooks))
        self.begin = (*self.transition_init, *self.transition_start)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> tuple[Callable[..., None], ...]: ...


def _guarded(
    tracer: Tracer, name: str, failed: Callable[[Tracer, Exception], None]
) -> Callable[..., None]:
    hook = getattr(tracer, name)

    def call(*args: Any) -> None:
        try:
            hook(*args)
        except Exception as error:
            if not tracer.failed(error):
                failed(tracer, error)

    def call_with_one(what: Any) -> None:  # what is told most often, without packing a tuple
        try:
            hook(what)
        except Exception as error:
            if not tracer.failed(error):
                failed(tracer, error)

    return call_with_one if name.startswith("transition_") else call
