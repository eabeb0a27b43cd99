"""When* subscriptions and state contexts (sections 16, 17).

Driven by `Subscriptions.process`, called once for each accepted transition. The class knows no
machine: a mirror of a remote machine drives another instance over its own clock.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from amctl.machine.errors import WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping, Sequence

__all__ = ["Signal", "StateContext", "Subscriptions"]


class Signal:
    """Closes once. Sharing it is safe: neither waiting nor cancelling a wait changes it."""

    __slots__ = ("_callbacks", "_closed", "timeout", "what")

    def __init__(self, closed: bool = False, what: str = "wait") -> None:
        self._closed = closed
        self._callbacks: list[Callable[[Signal], object]] | None = None
        self.timeout: float | None = None
        self.what = what

    def done(self) -> bool:
        """Whether what was waited for has happened."""
        return self._closed

    def add_done_callback(self, fn: Callable[[Signal], object]) -> None:
        """Call `fn(signal)` once, in the transition that closes it, or now if it is closed."""
        if self._closed:
            fn(self)
        elif self._callbacks is None:
            self._callbacks = [fn]
        else:
            self._callbacks.append(fn)

    def remove_done_callback(self, fn: Callable[[Signal], object]) -> None:
        """Forget a callback; unknown ones are ignored."""
        if self._callbacks and fn in self._callbacks:
            self._callbacks.remove(fn)

    def close(self) -> None:
        """For the owner: mark as happened and wake all waiters."""
        if not self._closed:
            self._closed = True
            callbacks, self._callbacks = self._callbacks, None
            for fn in callbacks or ():
                fn(self)

    async def wait(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  # the house API
        """Wait until it closes. Cancelling is safe.

        Raises:
            WaitTimeoutError: `timeout` seconds of loop time have passed.
        """
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()

        def wake(_: Signal) -> None:
            if not waiter.done():
                waiter.set_result(None)

        self.add_done_callback(wake)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            raise WaitTimeoutError(self.what, timeout or 0.0) from None
        finally:
            self.remove_done_callback(wake)

    def __await__(self) -> Generator[Any, None, None]:
        return self.wait(self.timeout).__await__()


class TimedSignal(Signal):
    """One caller's view of a shared signal, with a timeout of its own."""

    __slots__ = ()

    def __init__(self, shared: Signal, timeout: float, what: str) -> None:
        super().__init__(shared.done(), what)
        self.timeout = timeout
        shared.add_done_callback(lambda _: self.close())


class StateContext(Signal):
    """Lives as long as a state stays as it is; closes at the state's next move (CTX-2)."""

    __slots__ = ("_tasks", "state", "tick")

    def __init__(self, state: str, tick: int) -> None:
        super().__init__(what=f"end of state {state}")
        self.state, self.tick = state, tick
        self._tasks: set[asyncio.Task[Any]] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the state has not moved yet."""
        return not self._closed

    def spawn(self, coro: Coroutine[Any, Any, Any], *, name: str = "") -> asyncio.Task[Any]:
        """Start a task that is cancelled when the context closes."""
        task = asyncio.get_running_loop().create_task(coro, name=name or None)
        self.hold(task)
        return task

    def hold(self, task: asyncio.Task[Any]) -> None:
        """Cancel a task of somebody else when the context closes."""
        if self._closed:
            task.cancel()
            return
        if self._tasks is None:
            self._tasks = set()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Cancel the tasks, then wake the waiters."""
        for task in tuple(self._tasks or ()):
            task.cancel()
        super().close()


class _When(Signal):
    __slots__ = ("mask", "matched", "negated")

    def __init__(self, negated: bool, mask: int, matched: int) -> None:
        super().__init__(what="when_not" if negated else "when")
        self.negated = negated
        self.mask = mask
        self.matched = matched


class _WhenTime(Signal):
    __slots__ = ("key", "pending")

    def __init__(self, key: object, pending: dict[int | None, int]) -> None:
        super().__init__(what="when_time")
        self.key, self.pending = key, pending


class Subscriptions:
    """All open subscriptions of one clock.

    Args:
        on_open: Called when the first one opens.
        on_empty: Called when the last one has closed.
    """

    def __init__(self, on_open: Callable[[], None], on_empty: Callable[[], None]) -> None:
        self._on_open, self._on_empty = on_open, on_empty
        self._count = 0
        self._by_key: dict[object, _When | _WhenTime] = {}
        self._by_state: dict[int, list[_When]] = {}
        self._time_by_state: dict[int | None, list[_WhenTime]] = {}
        self._queue: list[tuple[int, Signal]] = []
        self._queries: list[tuple[Callable[[Sequence[int]], bool], Signal]] = []
        self._args: dict[int, list[tuple[dict[str, Any], Signal]]] = {}
        self._contexts: dict[int, StateContext] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits for anything."""
        return not self._count

    def _open(self) -> None:
        self._count += 1
        if self._count == 1:
            self._on_open()

    def _closed(self, signal: Signal) -> None:
        self._count -= 1
        if not self._count:
            self._on_empty()
        signal.close()

    # -- making

    def when(self, order: Iterable[int], mask: int, active_mask: int, negated: bool) -> Signal:
        """All of `mask` active at once, or inactive at once when negated."""
        matched = (~active_mask if negated else active_mask) & mask
        if matched == mask:
            return Signal(True)
        key = ~mask if negated else mask
        sub = self._by_key.get(key)
        if not isinstance(sub, _When):
            sub = self._by_key[key] = _When(negated, mask, matched)
            for i in order:
                self._by_state.setdefault(i, []).append(sub)
            self._open()
        return sub

    def when_time(
        self, order: Sequence[int | None], ticks: Sequence[int], clock: Sequence[int]
    ) -> Signal:
        """Each tick reached, maybe at different moments. An index None never is."""
        pending = {i: t for i, t in zip(order, ticks, strict=True) if i is None or clock[i] < t}
        if not pending:
            return Signal(True)
        key = (tuple(order), tuple(ticks))
        sub = self._by_key.get(key)
        if not isinstance(sub, _WhenTime):
            sub = self._by_key[key] = _WhenTime(key, pending)
            for i in pending:
                self._time_by_state.setdefault(i, []).append(sub)
            self._open()
        return sub

    def when_queue(self, tick: int, now: int) -> Signal:
        """The mutation with this queue tick was dealt with, whatever its outcome (SUB-7)."""
        if now >= tick:
            return Signal(True)
        signal = Signal(what="when_queue")
        self._queue.append((tick, signal))
        self._open()
        return signal

    def when_query(self, fn: Callable[[Sequence[int]], bool]) -> Signal:
        """`fn(ticks)` is true after an accepted transition; not asked at creation."""
        signal = Signal(what="when_query")
        self._queries.append((fn, signal))
        self._open()
        return signal

    def when_args(self, state: int, args: Mapping[str, Any]) -> Signal:
        """The state is entered with at least these arguments. Shared on equal arguments only."""
        subs = self._args.setdefault(state, [])
        for known, signal in subs:
            if known == args:
                return signal
        signal = Signal(what="when_args")
        subs.append((dict(args), signal))
        self._open()
        return signal

    def context(self, i: int, name: str, tick: int) -> StateContext:
        """The state's present context, shared."""
        found = self._contexts.get(i)
        if found is None:
            found = self._contexts[i] = StateContext(name, tick)
            self._open()
        return found

    # -- firing

    def transition(
        self,
        enters: Sequence[int],
        exits: Sequence[int],
        clock: Sequence[int],
        queue_tick: int,
        args: Mapping[str, Any],
    ) -> None:
        """All of it, for a transition without handlers."""
        if self._contexts:
            self.cancel_contexts(enters)
            self.cancel_contexts(exits)
        if self._args:
            for i in enters:
                self.match_args(i, args)
        self.process(enters, exits, clock, queue_tick)

    def cancel_contexts(self, changed: Iterable[int]) -> None:
        """Close the contexts of states that moved; before final handlers run (CTX-3)."""
        if self._contexts:
            for i in changed:
                ctx = self._contexts.pop(i, None)
                if ctx is not None:
                    self._closed(ctx)

    def match_args(self, state: int, args: Mapping[str, Any]) -> None:
        """Close when_args subscriptions of a state that is entered with `args` (SUB-5)."""
        subs = self._args.get(state)
        if not subs:
            return
        left = []
        for wanted, signal in subs:
            if all(k in args and args[k] == v for k, v in wanted.items()):
                self._closed(signal)
            else:
                left.append((wanted, signal))
        if left:
            self._args[state] = left
        else:
            del self._args[state]

    def process(
        self, enters: Sequence[int], exits: Sequence[int], clock: Sequence[int], queue_tick: int
    ) -> None:
        """SUB-9 order. Conditions count edges, so they see exactly what is passed here."""
        if self._by_state:
            # activations are counted, and conditions looked at, before deactivations: two states
            # swapped by one transition fulfil a When of both, as in the original
            for i in enters:
                if i in self._by_state:
                    self._edge(i, False)
            for i in exits:
                if i in self._by_state:
                    self._edge(i, True)
        if self._time_by_state:
            for i in (*enters, *exits):
                self._reached(i, clock)
        if self._queue:
            self.process_queue(queue_tick)
        for query in self._queries[:]:
            if query[0](clock):
                self._queries.remove(query)
                self._closed(query[1])

    def process_queue(self, queue_tick: int) -> None:
        """Close when_queue subscriptions up to a queue tick."""
        due = [s for t, s in self._queue if queue_tick >= t]
        if due:
            self._queue = [q for q in self._queue if queue_tick < q[0]]
            for signal in due:
                self._closed(signal)

    def close_all(self) -> None:
        """Disposal, or a flush: close everything, contexts first."""
        self.cancel_contexts(tuple(self._contexts))
        args = [s for subs in self._args.values() for _, s in subs]
        rest = [*self._by_key.values(), *args, *(s for _, s in self._queue)]
        rest += [s for _, s in self._queries]
        self._by_key.clear()
        self._by_state.clear()
        self._time_by_state.clear()
        self._args.clear()
        self._queue, self._queries = [], []
        for signal in rest:
            self._closed(signal)

    def flush_queue(self) -> None:
        """Release all when_queue waiters, as a restarted remote machine must (SUB-10)."""
        queue, self._queue = self._queue, []
        for _, signal in queue:
            self._closed(signal)

    def _reached(self, i: int, clock: Sequence[int]) -> None:
        for sub in self._time_by_state.get(i, ())[:]:
            if clock[i] >= sub.pending[i]:
                del sub.pending[i]
                self._forget(self._time_by_state, i, sub)
                if not sub.pending:
                    del self._by_key[sub.key]
                    self._closed(sub)

    def _edge(self, i: int, off: bool) -> None:
        bit = 1 << i
        for sub in self._by_state[i][:]:
            if sub.negated is off:
                sub.matched |= bit
                if sub.matched == sub.mask:
                    self._drop(sub)
                    self._closed(sub)
            else:
                sub.matched &= ~bit

    def _drop(self, sub: _When) -> None:
        mask = sub.mask
        del self._by_key[~mask if sub.negated else mask]
        while mask:
            low = mask & -mask
            self._forget(self._by_state, low.bit_length() - 1, sub)
            mask ^= low

    @staticmethod
    def _forget(table: dict[Any, list[Any]], i: int, sub: Signal) -> None:
        subs = table[i]
        if len(subs) == 1:
            del table[i]
        else:
            subs.remove(sub)
