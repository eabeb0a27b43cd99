"""Listeners that a machine itself binds when somebody asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.machine.relations import ADD
from amctl.machine.tracer import Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amctl.machine.event import Mutation
    from amctl.machine.machine import Machine
    from amctl.machine.transition import Transition
    from amctl.machine.view import MachineView

__all__ = ["Breakpoint", "Breakpoints", "Changes"]

_LINE = "[breakpoint] Machine.breakpoint"
_LEVEL = 2


class Changes(Tracer):
    """Serves `Machine.on_change` (TX-9)."""

    id = "on_change"

    def __init__(self, fn: Callable[[Machine, Mapping[str, int], Mapping[str, int]], None]) -> None:
        self.fn = fn

    def transition_change(self, tx: Transition) -> None:
        """See Tracer."""
        names = tx.machine.names
        before = dict(zip(names, tx.time_before, strict=False))
        self.fn(tx.machine, before, dict(zip(names, tx.time_after, strict=False)))


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """What to stop at. Lists are compared in order."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    strict: bool
    call: Callable[[], object] | None

    def fits(self, machine: MachineView, is_add: bool, names: Sequence[str]) -> bool:
        wanted = self.added if is_add else self.removed
        if not wanted or wanted != names:
            return False
        return not self.strict or not (machine.is_(names) if is_add else machine.not_(names))


class Breakpoints(Tracer):
    """Serves `Machine.add_breakpoint` (BRK-1)."""

    id = "breakpoints"

    def __init__(self) -> None:
        self.points: tuple[Breakpoint, ...] = ()

    def mutation_queued(self, machine: MachineView, mutation: Mutation) -> None:
        """See Tracer. What the machine puts in front of its queue was called by nobody."""
        if not mutation.queue_tick or mutation.kind > ADD + 1:
            return
        for point in self.points:
            if point.fits(machine, mutation.kind == ADD, mutation.called_states):
                for _ in range(2):  # the original looks twice
                    machine._line(_LEVEL, _LINE)  # type: ignore[attr-defined]  # local ones only
                if point.call is not None:
                    point.call()
