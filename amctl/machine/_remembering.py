"""What a machine notes of the mutations that it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.machine._gates import CLOSED
from amctl.machine.queued import Queued
from amctl.machine.relations import SET
from amctl.machine.result import CANCELED

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine.event import Event, Source
    from amctl.machine.plan import Called, Plan
    from amctl.machine.refusals import Refusals
    from amctl.machine.result import Result

__all__ = ["Remembering"]


class Remembering(Queued):
    """Refuses. `Core` decides what, and renews the note of what is refused again and again."""

    __slots__ = ("_gate", "_refusals")

    _gate: int
    _refusals: Refusals | None
    _now: Callable[[], float]

    def _memory(self) -> Refusals:
        """Made by the first refusal, so that machines which refuse nothing have none."""
        if self._refusals is None:
            from amctl.machine.refusals import Refusals

            self._refusals = Refusals(self._now, self._clock)
        return self._refusals

    def _refused(self, plan: Plan, source: Event | Source | None) -> Result:
        """Relations said no, and no handler or tracer can know."""
        if plan.kind <= SET:  # neither a question nor auto states that lack something
            book = self._refusals or self._memory()
            book.by_relations(self._compiled, plan, self.queue_tick, source)
        return CANCELED

    def _refused_outright(
        self, kind: int, called: Called, source: Event | Source | None, why: str = ""
    ) -> Result:
        why = why or ("disposed" if self._gate & CLOSED else "backoff")
        self._memory().outright(kind, called, why, self.queue_tick, source)
        return CANCELED
