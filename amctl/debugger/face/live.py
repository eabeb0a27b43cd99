"""Keeping up with a recording: its index in slices, and what comes to it while one looks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

from amctl.dump.sqlite import is_written

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.debugger.session import Session

__all__ = ["LOOK_EVERY", "Follower"]

LOOK_EVERY: Final = 0.25
"""Seconds between looks at a file that may change."""
_SLICE: Final = 512
"""Transitions of the index between which keys get their turn; some 10 ms."""
QUIET: Final = 0.1
"""Seconds after a key before the index goes on: all that comes of the key is done by then."""
PATIENCE: Final = 0.5
"""Seconds after which it goes on, however many keys come."""
_SHOW_EVERY: Final = 16
"""Slices of a long index between which the screen is brought up to date."""


@dataclass
class Follower:
    """Reads on in a session, on the loop of the face.

    Args:
        session: Grows.
        changed: Called when there is something new to show.
        every: Seconds between looks.
    """

    session: Session
    changed: Callable[[], None]
    every: float = LOOK_EVERY
    is_live: bool = False
    """Whether a collector has the recording open."""

    _touched: float = field(default=-1e9, repr=False)

    def __post_init__(self) -> None:
        self.is_live = self._is_written()

    def _is_written(self) -> bool:
        store = self.session.store
        return store.dump.format == "sqlite" and is_written(store.name)

    async def run(self) -> None:
        """Until it is canceled."""
        while True:
            await self.catch_up()
            await asyncio.sleep(self.every)
            self.look()

    def look(self) -> None:
        """Whether there is more."""
        health, was_live = self.session.store.health, self.is_live
        update = self.session.refresh()
        self.is_live = self._is_written()
        is_same = (self.session.store.health, self.is_live) == (health, was_live)
        if update.grew or update.is_new or not is_same:
            self.changed()

    def touched(self) -> None:
        """A person did something: that goes first."""
        self._touched = monotonic()

    async def _make_way(self) -> None:
        """Let others have their turn, and what a person did last its end."""
        await asyncio.sleep(0)
        began = monotonic()
        while (now := monotonic()) - self._touched < QUIET and now - began < PATIENCE:  # noqa: ASYNC110
            await asyncio.sleep(QUIET / 4)

    async def catch_up(self) -> None:
        """Build the index as far as the recording goes."""
        slices = 0
        while not self.session.work(_SLICE):
            slices += 1
            if slices % _SHOW_EVERY == 0:
                self.changed()
            await self._make_way()
        if slices:
            self.changed()
