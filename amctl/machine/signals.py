"""What a wait hands out: something that closes once, to be polled, awaited and shared."""

from __future__ import annotations

import asyncio
import logging
import weakref
from typing import TYPE_CHECKING, Any

from amctl.machine.errors import WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Sequence

    from amctl.machine.event import Event
    from amctl.machine.tasks import TaskSet

__all__ = ["Signal", "StateContext", "TimedSignal", "Watch"]

_log = logging.getLogger("amctl.machine")


class Watch:
    """A subscription's entry in the tables of `Subscriptions`.

    It holds its signal, but only weakly once all who waited for the signal have given up: a wait
    that is cancelled leaves nothing behind, while whoever still polls the signal sees it close.
    """

    __slots__ = ("ref", "signal")

    what = "wait"

    def __init__(self) -> None:
        self.signal: Signal | None = Signal(False, self.what, self)
        self.ref: weakref.ref[Signal] | None = None

    def open(self) -> Signal:
        """The signal of a new entry."""
        assert self.signal is not None
        return self.signal

    def drop(self) -> None:
        """Leave the tables."""

    def missing(self) -> Sequence[str]:
        """Names of the states that are still waited for."""
        return ()

    def target(self) -> Signal | None:
        """The signal, if anybody has it."""
        return self.signal or (self.ref() if self.ref else None)

    def hold(self, signal: Signal) -> None:
        """Somebody waits."""
        self.signal, self.ref = signal, None

    def release(self) -> None:
        """Nobody waits any more, some may still look."""
        if self.signal is not None:
            self.ref = weakref.ref(self.signal, lambda _: self.drop())
            self.signal = None


class Signal:
    """Closes once. Sharing it is safe: neither waiting nor giving up a wait changes it.

    `await signal` and `await signal.wait(seconds)` return the machine time at which it closed, 0
    if it was closed from the start.
    """

    __slots__ = ("__weakref__", "_callbacks", "_closed", "_error", "_shares", "_time", "_watch",
                 "what")  # fmt: skip

    def __init__(
        self, closed: bool = False, what: str = "wait", watch: Watch | None = None
    ) -> None:
        self.what = what
        """What is waited for, for messages."""
        self._closed = closed
        self._time = 0
        self._error: BaseException | None = None
        self._watch = watch
        self._callbacks: list[Callable[[Signal], object]] | None = None
        self._shares = 1

    def done(self) -> bool:
        """Whether it is over: fulfilled, timed out, cancelled, or the machine disposed of."""
        return self._closed

    def missing(self) -> Sequence[str]:
        """Names of the states that are still waited for; empty when unknown."""
        return self._watch.missing() if self._watch is not None else ()

    def share(self) -> Signal:
        """For the tables: hand it out once more."""
        self._shares += 1
        return self

    def cancel(self) -> None:
        """Give it up. Others that got it keep it; after the last, waiters are cancelled."""
        self._shares -= 1
        if self._shares <= 0 and not self._closed:
            if self._watch is not None:
                self._watch.drop()
            self.fail(asyncio.CancelledError())

    def add_done_callback(self, fn: Callable[[Signal], object]) -> None:
        """Call `fn(signal)` once, within the mutation that closes it, or now if it is closed."""
        if self._closed:
            fn(self)
        elif self._callbacks:
            self._callbacks.append(fn)
        else:
            self._callbacks = [fn]
            if self._watch is not None:
                self._watch.hold(self)

    def remove_done_callback(self, fn: Callable[[Signal], object]) -> None:
        """Forget a callback; an unknown one is ignored."""
        if self._callbacks and fn in self._callbacks:
            self._callbacks.remove(fn)
            if not self._callbacks and self._watch is not None:
                self._watch.release()

    def close(self, time: int = 0) -> None:
        """For the owner: it has happened, at this machine time. Wakes all waiters."""
        if not self._closed:
            self._closed, self._time, self._watch = True, time, None
            if self._callbacks:
                self._wake()

    def fail(self, error: BaseException) -> None:
        """For the owner: it will never happen; waiters get this error."""
        if not self._closed:
            self._error = error
            self.close()

    def _wake(self) -> None:
        callbacks, self._callbacks = self._callbacks, None
        for fn in callbacks or ():
            try:
                fn(self)
            except Exception:
                _log.exception("a callback of a %s failed", self.what)

    async def wait(self, timeout: float | None = None) -> int:  # noqa: ASYNC109  # raises its own error
        """Wait until it closes. Cancelling the wait is safe.

        Args:
            timeout: Seconds of the loop's time; None waits for ever.

        Returns:
            The machine time (sum of ticks) at which it closed.

        Raises:
            WaitTimeoutError: Time ran out.
        """
        if not self._closed:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def wake(_: Signal) -> None:
                if not waiter.done():
                    waiter.set_result(None)

            self.add_done_callback(wake)
            try:
                await (waiter if timeout is None else _within(waiter, timeout))
            except TimeoutError:
                raise WaitTimeoutError(self.what, timeout or 0.0, self.missing()) from None
            finally:
                self.remove_done_callback(wake)
        if self._error is not None:
            raise self._error
        return self._time

    def __await__(self) -> Generator[Any, None, int]:
        return self.wait().__await__()


async def _within(waiter: asyncio.Future[None], timeout: float) -> None:  # noqa: ASYNC109  # see wait
    """Wait for a future. Apart, since a task keeps the cancellation that ends a timeout, and with
    it the frame that caught it: a frame that knows the signal would keep that open too."""
    async with asyncio.timeout(timeout):
        await waiter


class TimedSignal(Signal):
    """One caller's own view of a signal, with a deadline. Needs a running loop."""

    def __init__(self, inner: Signal, timeout: float) -> None:
        super().__init__(what=inner.what)
        self._inner: Signal | None = inner
        loop = asyncio.get_running_loop()
        self._timer = None if inner.done() else loop.call_later(timeout, self._expire, timeout)
        inner.add_done_callback(self._follow)

    def missing(self) -> Sequence[str]:
        """As the signal's own."""
        return self._inner.missing() if self._inner is not None else ()

    def _follow(self, inner: Signal) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._error = inner._error
        self.close(inner._time)

    def _expire(self, timeout: float) -> None:
        error = WaitTimeoutError(self.what, timeout, self.missing())
        self._leave()
        self.fail(error)

    def _leave(self) -> None:
        inner, self._inner = self._inner, None
        assert inner is not None  # it was left already
        inner.remove_done_callback(self._follow)

    def cancel(self) -> None:
        """Give it up."""
        if not self._closed and self._timer is not None:
            self._timer.cancel()
            self._leave()
            self.fail(asyncio.CancelledError())


class StateContext(Signal):
    """Lives as long as a state stays as it is; ends at the state's next move (CTX-2).

    A context of an inactive state ends when the state is activated.
    """

    def __init__(self, name: str, tick: int, tasks: TaskSet | None = None) -> None:
        super().__init__(what=f"context of state {name}")
        self.name = name
        """The state."""
        self.tick = tick
        """The state's tick when the context was made."""
        self.machine_id = tasks.name if tasks is not None else ""
        """The machine, if it is known."""
        self.event: Event | None = None
        """The event that it was first asked for with (CTX-4)."""
        self._tasks = tasks
        self._spawned: set[asyncio.Task[Any]] = set()

    @property
    def is_alive(self) -> bool:
        """Whether the state has not moved yet."""
        return not self._closed

    def spawn(self, coro: Coroutine[Any, Any, Any], *, name: str = "") -> asyncio.Task[Any]:
        """Start a task that is cancelled when the context ends; at once if it has ended.

        What it raises is logged and becomes the machine's Exception.
        """
        if self._tasks is None:
            coro.close()
            raise RuntimeError(f"context of state {self.name!r} has no machine to run tasks")
        task = self._tasks.spawn(coro, name=name or f"{self.name} task")
        self.hold(task)
        return task

    def hold(self, task: asyncio.Task[Any]) -> None:
        """Cancel this task, too, when the context ends."""
        if self._closed:
            task.cancel()
        else:
            self._spawned.add(task)
            task.add_done_callback(self._spawned.discard)

    def cancel(self) -> None:
        """Contexts are shared, and end by themselves: nothing to do."""

    def close(self, time: int = 0) -> None:
        """See Signal. Cancels the tasks first."""
        for task in tuple(self._spawned):
            task.cancel()
        super().close(time)
