"""Keeps the clock that belongs to each Mirror event, since one read may bring several."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from amctl.rpc.wire.client import ClientCore
from amctl.rpc.wire.events import Mirror

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SnapshotCore"]


class SnapshotCore(ClientCore):
    """A client core that queues (ticks, queue tick, machine tick) for each Mirror event."""

    snapshots: deque[tuple[Sequence[int], int, int]]

    def connection_made(self, now: float) -> None:
        """Start with no snapshots: those of a former connection were all consumed."""
        self.snapshots = deque()
        super().connection_made(now)

    def _control(self, kind: int, one: bytes, now: float) -> None:
        before = len(self.events)
        super()._control(kind, one, now)
        for event in self.events[before:]:
            if isinstance(event, Mirror):
                self.snapshots.append((self.view, self.q, self.m))
