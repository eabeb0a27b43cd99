"""Three ways to look at a running thread from within its process.

`SignalSampler` has the system interrupt the main thread a hundred times a second, wherever it is;
that costs next to nothing. `ThreadSampler` looks from a second thread, for loops that run in no
main thread; it sees work where Python lets another thread in, which is not everywhere alike.
`CallSampler` needs neither: it hangs on calls and returns, looks at the clock at each, and
notes the stack whenever the interval has passed. That slows Python down, so figures of it are like
the others' in shape, not in size.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from amctl.telemetry.profiling.stacks import Stacks, walk

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    from amctl.telemetry.profiling.stacks import Key

__all__ = [
    "CallSampler",
    "Sampler",
    "SignalSampler",
    "ThreadSampler",
    "current_task",
    "running_loop",
]

_WAITS = (("select", "selectors.py"), ("_run_once", "asyncio/base_events.py"))
"""Innermost frames of a loop that has nothing to do."""


_SWITCH = 20e-6
"""Seconds that a working thread is left alone when the sampler wants to look."""


class Sampler(Protocol):
    """Takes samples between `start` and `stop`."""

    stacks: Stacks

    def start(self) -> None: ...

    def stop(self) -> None: ...


class SignalSampler:
    """Has its own thread, the main one, interrupted by a timer of the system.

    Args:
        interval: Seconds between looks.
        clock: In seconds.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self.stacks = Stacks()
        self._interval, self._clock = interval, clock
        self._last = 0.0
        self._loop = running_loop()
        self._before: Any = None

    @staticmethod
    def is_possible() -> bool:
        """Whether this is the main thread, and nobody else uses that timer."""
        import signal
        import threading

        return (
            hasattr(signal, "setitimer")
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGALRM) in (signal.SIG_DFL, signal.SIG_IGN)
        )

    def start(self) -> None:
        """Begin to look."""
        import signal

        self._last = self._clock()
        self._before = signal.signal(signal.SIGALRM, self._look)
        signal.siginterrupt(signal.SIGALRM, False)
        signal.setitimer(signal.ITIMER_REAL, self._interval, self._interval)

    def stop(self) -> None:
        """Look no more."""
        import signal

        signal.setitimer(signal.ITIMER_REAL, 0)
        if self._before is not None:
            signal.signal(signal.SIGALRM, self._before)

    def _look(self, number: int, frame: FrameType | None) -> None:
        now = self._clock()
        passed, self._last = now - self._last, now
        if frame is not None:
            _note(self.stacks, walk(frame, current_task(self._loop)), passed)


class ThreadSampler:
    """Looks at the thread that made it, from another one.

    Python lets one thread run at a time, and takes it from one that works after 5 ms only. A loop
    with short turns would be seen where it lets go by itself, in its wait for events, and never at
    work; so that time is cut down while samples are taken.

    Args:
        interval: Seconds between looks.
        clock: In seconds.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.perf_counter) -> None:
        import threading

        self.stacks = Stacks()
        self._interval, self._clock = interval, clock
        self._ident = threading.get_ident()
        self._loop = running_loop()
        self._done = threading.Event()
        self._switch = sys.getswitchinterval()
        self._thread = threading.Thread(target=self._run, name="profile", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        sys.setswitchinterval(min(self._switch, _SWITCH))
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns when the thread has ended."""
        self._done.set()
        self._thread.join()
        sys.setswitchinterval(self._switch)

    def _run(self) -> None:
        last = self._clock()
        while not self._done.wait(self._interval):
            now = self._clock()
            self.look(now - last)
            last = now

    def look(self, seconds: float) -> None:
        """Take one sample, which stands for so many seconds."""
        frame = sys._current_frames().get(self._ident)
        if frame is None:
            return
        _note(self.stacks, walk(frame, current_task(self._loop)), seconds)


class CallSampler:
    """Looks at its own thread whenever a function is called or returns.

    Time is counted while Python runs; a stack is noted each time an interval of it is full, however
    many short turns of the loop that took.

    Args:
        interval: Seconds of work that a sample stands for, at least.
        clock: In seconds.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self.stacks = Stacks()
        self._interval, self._clock = interval, clock
        self._last = self._due = 0.0
        self._loop = running_loop()

    def start(self) -> None:
        """Begin to look; another profiler of this thread is replaced."""
        self._last = self._clock()
        sys.setprofile(self._look)

    def stop(self) -> None:
        """Look no more."""
        if sys.getprofile() == self._look:
            sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, arg: Any) -> None:
        now = self._clock()
        passed, self._last = now - self._last, now
        if event == "call":
            # what passed was spent by whoever calls; nobody does where the loop was woken
            above = frame.f_back
            if above is None:
                self.stacks.idle += passed
                return
            frame = above
        elif event == "c_return" and _waits(frame.f_code):
            self.stacks.idle += passed
            return
        self._due += passed
        if self._due >= self._interval:
            self.stacks.add(walk(frame, current_task(self._loop)), self._due)
            self._due = 0.0
            # the walk itself isn't the program's time
            self._last = self._clock()


def _note(stacks: Stacks, stack: list[Key], seconds: float) -> None:
    name, file, _ = stack[-1] if stack else ("", "", 0)
    if any(name.endswith(wait) and file == where for wait, where in _WAITS):
        stacks.idle += seconds
    else:
        stacks.add(stack, seconds)


def _waits(code: CodeType) -> bool:
    return code.co_name == "select" and code.co_filename.endswith("selectors.py")


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop, if there is one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def current_task(loop: asyncio.AbstractEventLoop | None) -> asyncio.Task[Any] | None:
    """What it runs, if that is a task."""
    try:
        return None if loop is None else asyncio.current_task(loop)
    except RuntimeError:
        return None
