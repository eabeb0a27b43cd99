"""Keeps the clock that belongs to each Mirror event, since one read may bring several."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from amctl.rpc.wire.client import ClientCore
from amctl.rpc.wire.events import Mirror

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Snapshot", "SnapshotCore"]


class Snapshot(NamedTuple):
    """A clock, and how it came to be."""

    view: Sequence[int]
    queue_tick: int
    machine_tick: int
    moved: Sequence[int] | None = None
    """Positions of the ticks that grew; None: any may have changed."""


class SnapshotCore(ClientCore):
    """A client core that queues a snapshot for each Mirror event."""

    snapshots: deque[Snapshot]

    def connection_made(self, now: float) -> None:
        """Start with no snapshots: those of a former connection were all consumed."""
        self.snapshots = deque()
        super().connection_made(now)

    def _control(self, kind: int, one: bytes, now: float) -> None:
        before = len(self.events)
        super()._control(kind, one, now)
        for event in self.events[before:]:
            if isinstance(event, Mirror):
                moved = None if event.full else self.moved
                self.snapshots.append(Snapshot(self.view, self.q, self.m, moved))
