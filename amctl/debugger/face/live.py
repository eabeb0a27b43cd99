"""Keeping up with a recording: its index in slices, and what comes to it while one looks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.debugger.session import Session

__all__ = ["LOOK_EVERY", "Follower"]

LOOK_EVERY: Final = 0.25
"""Seconds between looks at a file that may change."""
_SLICE: Final = 512
"""Transitions of the index between which keys get their turn; some 10 ms."""
_SHOW_EVERY: Final = 16
"""Slices of a long index between which the screen is brought up to date."""


@dataclass
class Follower:
    """Reads on in a session, on the loop of the face.

    Args:
        session: Grows.
        changed: Called when there is something new to show.
        ended: Called once when a live run has ended: nothing came, and all machines are gone.
    """

    session: Session
    changed: Callable[[], None]
    every: float = LOOK_EVERY

    async def run(self) -> None:
        """Until it is canceled."""
        while True:
            await self.catch_up()
            await asyncio.sleep(self.every)
            self.look()

    def look(self) -> None:
        """Whether there is more."""
        health = self.session.store.health
        update = self.session.refresh()
        if update.grew or update.is_new or self.session.store.health != health:
            self.changed()

    async def catch_up(self) -> None:
        """Build the index as far as the recording goes."""
        index, slices = self.session.store.index, 0
        while not self.session.work(_SLICE):
            slices += 1
            if index is not self.session.store.index:
                index = self.session.store.index
            if slices % _SHOW_EVERY == 0:
                self.changed()
            await asyncio.sleep(0)
        if slices:
            self.changed()
