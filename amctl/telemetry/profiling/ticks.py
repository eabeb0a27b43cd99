"""Looks at a browser's thread at ticks that come from outside, which costs it next to nothing.

A tick is a signal that Python finds when it runs again. One that came while nothing ran is found at
the beginning of the loop's next turn, and means that nothing ran: so it has to be known when a turn
began, and when the tick came.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any, Protocol

from amctl.telemetry.profiling.samplers import current_task, running_loop
from amctl.telemetry.profiling.stacks import Stacks, walk

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from amctl.telemetry.profiling.marks import Timeline

__all__ = ["TickSampler", "Turns"]

_FRESH = 2.0
"""Milliseconds after which a tick came before JavaScript called Python, not during."""


class Turns(Protocol):
    """When the loop began with what it runs now."""

    began: float | None
    """None while it runs nothing, or something else runs than it."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class _LoopTurns:
    """Hears of each turn of asyncio's loop, and of nothing else.

    Args:
        now: The clock, in milliseconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.began: float | None = None
        self._now = now
        # of Python 3.12 on
        self._tools: Any = getattr(sys, "monitoring", None)
        self._is_ours = False

    def start(self) -> None:
        """Begin to listen, unless another profiler does."""
        tools = self._tools
        if tools is None or tools.get_tool(tools.PROFILER_ID) is not None:
            return
        tools.use_tool_id(tools.PROFILER_ID, "amctl profile")
        self._is_ours = True
        events = tools.events
        tools.register_callback(tools.PROFILER_ID, events.PY_START, self._begin)
        tools.register_callback(tools.PROFILER_ID, events.PY_RETURN, self._end)
        self._set(events.PY_START | events.PY_RETURN)

    def stop(self) -> None:
        """Listen no more."""
        if self._is_ours:
            self._is_ours = False
            self._set(0)
            self._tools.free_tool_id(self._tools.PROFILER_ID)
        self.began = None

    def _set(self, events: int) -> None:
        code = asyncio.Handle._run.__code__
        self._tools.set_local_events(self._tools.PROFILER_ID, code, events)

    def _begin(self, code: object, offset: int) -> None:
        self.began = self._now()

    def _end(self, code: object, offset: int, value: object) -> None:
        self.began = None


class TickSampler:
    """Looks at its own thread at each tick.

    Args:
        interval: Seconds between ticks.
        timeline: Where ticks come from.
        turns: When the loop began with what it runs.
    """

    def __init__(self, interval: float, timeline: Timeline, turns: Turns | None = None) -> None:
        self.stacks = Stacks()
        self._interval, self._timeline = interval, timeline
        self._turns: Turns = turns or _LoopTurns(timeline.now)
        self._loop = running_loop()
        self._began = self._last = 0.0
        self._busy = 0.0
        self._before: Any = None

    def start(self) -> None:
        """Begin to look."""
        self._began = self._last = self._timeline.now()
        self._before = signal.signal(signal.SIGALRM, self._look)
        self._turns.start()
        self._timeline.begin_ticks(self._interval, signal.SIGALRM)

    def stop(self) -> None:
        """Look no more."""
        self._timeline.end_ticks()
        self._turns.stop()
        signal.signal(signal.SIGALRM, self._before or signal.SIG_DFL)
        elapsed = self._timeline.now() - self._began
        self.stacks.idle = max(0.0, (elapsed - self._busy) / 1e3)

    def _look(self, number: int, frame: FrameType | None) -> None:
        now, tick = self._timeline.now(), self._timeline.tick_time()
        passed, self._last = now - self._last, now
        began = self._turns.began
        was_running = now - tick < _FRESH if began is None else tick >= began
        if frame is not None and was_running:
            self._busy += passed
            self.stacks.add(walk(frame, current_task(self._loop)), passed / 1e3)
