"""The transition that a mirror makes up when its clock moves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from amctl.machine import Mutation, MutationType, Source, Transition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.machine.plan import Called

__all__ = ["MirrorTransition"]


class MirrorTransition(Transition):
    """Reads like an accepted transition of type Set; it runs nothing.

    One may stand for many transitions of the source, since clocks travel merged.
    """

    has_moved = True
    """Its handlers are final ones."""

    def __init__(
        self,
        machine: Any,
        kind: MutationType,
        called: Called,
        orders: tuple[Sequence[int], Sequence[int]],
        times: tuple[tuple[int, ...], tuple[int, ...]],
        queue_tick: int,
        source: Source,
    ) -> None:
        """Args:
        machine: The mirror.
        kind: Set, or the source's mutation type in per-mutation mode.
        called: The states that are active now, or the called ones in per-mutation mode.
        orders: Indexes that were active before, and that are now.
        times: Ticks before and after.
        queue_tick: Of the source, afterwards.
        source: The source machine.
        """
        self.machine = machine
        self.plan: Any = SimpleNamespace(kind=int(kind), called=called)
        self.args = {}
        self.source = source
        self.outcome = None
        self._mutation = Mutation(int(kind), called, {}, source, queue_tick)
        self._before, self._after = orders
        self.time_before, self.time_after = times

    @property
    def target_states(self) -> list[str]:
        """What is active afterwards."""
        return self._names(self._after)

    @property
    def states_before(self) -> list[str]:
        """What was active before."""
        return self._names(self._before)

    @property
    def enters(self) -> list[str]:
        """What became active."""
        return self._names([i for i in self._after if i not in self._before])

    @property
    def exits(self) -> list[str]:
        """What ended."""
        return self._names([i for i in self._before if i not in self._after])
