"""An event loop whose clock jumps: a test that waits an hour ends at once, in the same order.

Only timers are virtual. Sockets, pipes and threads are real, so a test that needs them must be
marked `realtime`.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

__all__ = ["VirtualLoop"]


class _JumpingSelector(selectors.DefaultSelector):
    """Never sleeps: an idle wait moves the loop's clock to its next timer instead."""

    def __init__(self) -> None:
        super().__init__()
        self.loop: VirtualLoop | None = None

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("deadlock: every task waits and no timer is set")
        assert self.loop is not None
        self.loop.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A selector loop with a clock that tests own."""

    def __init__(self) -> None:
        selector = _JumpingSelector()
        super().__init__(selector)
        self.now = 0.0
        selector.loop = self
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self.now
