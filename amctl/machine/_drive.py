"""The queue of a machine, and what runs from it: transitions, handlers, their failures."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from amctl.machine._reads import Reads
from amctl.machine.args import ArgsLike, as_args
from amctl.machine.plan import AUTO, Called, Plan
from amctl.machine.relations import ADD, REMOVE
from amctl.machine.result import CANCELED, EXECUTED, Result
from amctl.machine.subscriptions import Signal
from amctl.machine.transition import Event, Mutation, Source, Transition

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Coroutine, Mapping

    from amctl.machine.handlers import Action, Handler, HandlerTable
    from amctl.machine.tasks import TaskSet
    from amctl.machine.tracer import Hooks
    from amctl.machine.view import StatesLike

__all__ = ["BUSY", "DISPOSED", "ERROR_KEY", "TRACED", "WATCHED", "Drive"]

ERROR_KEY = "_am__Exception"
_AUTO_FAILURES = 10  # PAN-10

# reasons not to take the shortcut of `add`, `remove` and `set`
BUSY, TRACED, WATCHED, DISPOSED = 1, 2, 4, 8

_log = logging.getLogger("amctl.machine")


class Drive(Reads):
    """Base of Machine: carries mutations out, one at a time."""

    handler_timeout: float | None
    _auto_failed: dict[Called, int]
    _clock_fn: Callable[[], float]
    _disposing: bool
    _error: BaseException | None
    _exception: Called
    _gate: int
    _hooks: Hooks | None
    _pending: int
    _queue: deque[Mutation]
    _queue_ended: Signal
    _table: HandlerTable
    _tasks: TaskSet
    _time: tuple[int, ...] | None
    _tx: Transition | None

    def _finish_dispose(self) -> None:
        raise NotImplementedError

    def add_err(
        self,
        error: BaseException | None,
        args: ArgsLike = None,
        *,
        source: Event | Source | None = None,
    ) -> Result:
        """Implemented by Machine."""
        raise NotImplementedError

    def _misused(self, error: Exception) -> None:
        self.add_err(error)

    @property
    def transition(self) -> Transition | None:
        """The one that runs now; None between them."""
        return self._tx

    @property
    def _watched(self) -> int:
        return self._gate & WATCHED

    def _snapshot(self) -> tuple[int, ...]:
        """The clock as a tuple, shared by transitions that did not change it."""
        if self._time is None:
            self._time = tuple(self._clock)
        return self._time

    # -- queue

    def _enqueue(self, mutation: Mutation) -> Result:
        """Appends a normal mutation (QUE-4)."""
        self._pending += 1
        mutation.queue_tick = self.queue_tick + self._pending
        self._queue.append(mutation)
        self._tell_queued(mutation)
        return Result(mutation.queue_tick)

    def _prepend(self, mutation: Mutation) -> None:
        self._queue.appendleft(mutation)
        self._tell_queued(mutation)

    def _tell_queued(self, mutation: Mutation) -> None:
        if self._hooks is not None:
            for hook in self._hooks.mutation_queued:
                hook(self, mutation)

    def _queue_auto(self, called: Called) -> None:
        if self._auto_failed.get(called, 0) < _AUTO_FAILURES:
            self._prepend(Mutation(AUTO, called, as_args(None)))
        elif self._auto_failed[called] == _AUTO_FAILURES:
            self._auto_failed[called] += 1
            names = " ".join(called.names)
            _log.error(
                "%s: auto states [%s] failed %d times in a row, left alone",
                self.id,
                names,
                _AUTO_FAILURES,
            )

    def _note_auto(self, called: Called, failed: bool) -> None:
        if failed:
            self._auto_failed[called] = self._auto_failed.get(called, 0) + 1
        elif self._auto_failed:
            self._auto_failed.pop(called, None)

    def _perform(
        self, plan: Plan, args: Mapping[str, Any], source: Source | None, ticks: int = 1
    ) -> Result:
        """Runs a mutation on an idle machine, then everything it caused."""
        hooks = self._hooks
        self._gate |= BUSY
        try:
            if hooks is None:
                self.queue_tick += ticks
                result = (
                    self._run_plain(plan, args)
                    if plan.plain
                    else Transition(self, plan, args, source).run()
                )
            else:
                tick = ticks and self.queue_tick + 1
                mutation = Mutation(plan.kind, plan.called, args, source, tick)
                self._tell_queued(mutation)
                self.queue_tick += ticks
                result = Transition(self, plan, args, source, mutation).run()
            if self._queue:
                self._drain()
        finally:
            self._gate &= ~BUSY
            self._tx = None
            self._after_queue()
        return result

    def _after_queue(self) -> None:
        if self._hooks is not None:
            for hook in self._hooks.queue_end:
                hook(self)
        if not self._queue_ended.done():
            self._queue_ended.close()
        if self._disposing and not self._gone:
            self._finish_dispose()

    def _drain(self) -> None:
        queue = self._queue
        while queue:
            mutation = queue.popleft()
            if mutation.queue_tick:
                self.queue_tick += 1
                self._pending -= 1
            if mutation.fn is not None:
                self._tx = None
                mutation.fn()
                continue
            plan = self._planner.plan(self._config, mutation.kind, mutation.called)
            if plan.plain and self._hooks is None:
                self._tx = None
                result = self._run_plain(plan, mutation.args)
            else:
                tx = Transition(self, plan, mutation.args, mutation.source, mutation)
                result = tx.run()
            if mutation.check_done is not None:
                mutation.check_done(result)

    def _run_plain(self, plan: Plan, args: Mapping[str, Any]) -> Result:
        """A transition which no handler and no tracer can see."""
        out = plan.outcome
        if not plan.accepted or out is None:
            if self._gate & WATCHED and not plan.accepted:
                self._subs.process_queue(self.queue_tick)
            return EXECUTED if plan.accepted else CANCELED
        clock = self._clock
        for i in out.ticks:
            clock[i] += 1
        self._config = out.next
        if out.follow is not None:
            self._queue_auto(out.follow)
        if self._gate & WATCHED:
            self._subs.transition(out.enters, out.exits, clock, self.queue_tick, args)
        return out.result

    # -- handlers

    def _handler_failed(self, tx: Transition, error: Exception, name: str) -> None:
        _log.error("%s: handler %s failed: %s", self.id, name, error, exc_info=error)
        if tx.plan.called.mask >> self._compiled.exception & 1:
            return  # PAN-6
        self._error = error
        self._prepend(Mutation(ADD, self._exception, {ERROR_KEY: error}, tx.as_source()))

    def _handler_slow(self, handler: Handler, limit: float) -> None:
        _log.warning("%s: handler %s took longer than %g s", self.id, handler.name, limit)

    def _spawn_handler(self, coro: Coroutine[Any, Any, Any], action: Action, event: Event) -> None:
        """Start a coroutine handler as a task that lives as long as its state."""
        sch, name = self._compiled, f"{self.id}.{action.name}"
        guarded = self._guard(coro, action, event)
        state = action.state
        if action.phase != "State" or sch.multi >> state & 1:
            state = sch.start
            if state < 0 or not self._config.mask >> state & 1:
                self._tasks.spawn(guarded, name=name).add_done_callback(lambda _: coro.close())
                return
        task = self._tasks.spawn(guarded, name=name)
        # Cancelled before its first step, the guard never gets to close it.
        task.add_done_callback(lambda _: coro.close())
        self._subs.context(state, sch.names[state], self._clock[state]).hold(task)

    async def _guard(self, coro: Coroutine[Any, Any, Any], action: Action, event: Event) -> None:
        try:
            await coro
        except asyncio.CancelledError:
            raise
        except Exception as error:
            _log.error("%s: handler %s failed: %s", self.id, action.name, error, exc_info=error)
            if action.state != self._compiled.exception:
                self.add_err(error, source=event)
        finally:
            coro.close()

    def spawn(self, coro: Coroutine[Any, Any, Any], *, name: str = "") -> asyncio.Task[Any]:
        """Start a task that lives as long as the machine."""
        return self._tasks.spawn(coro, name=name)

    def post_threadsafe(self, loop: asyncio.AbstractEventLoop, fn: Callable[[], Any]) -> None:
        """The one door for other threads: runs `fn` on the machine's loop."""
        loop.call_soon_threadsafe(fn)

    # -- queries of the queue

    @property
    def err(self) -> BaseException | None:
        """The last error ever; removing Exception doesn't clear it."""
        return self._error

    def will_be(self, states: StatesLike) -> bool:
        """Whether an add that names all of them waits in the queue."""
        return self._is_queued((ADD, AUTO), states)

    def will_be_removed(self, states: StatesLike) -> bool:
        """Whether a removal that names all of them waits in the queue."""
        return self._is_queued((REMOVE,), states)

    def _is_queued(self, kinds: tuple[int, ...], states: StatesLike) -> bool:
        states = (states,) if isinstance(states, str) else tuple(states)
        mask, complete = self._known(states)
        return complete and any(
            m.kind in kinds and not mask & ~m.called.mask and len(states) <= len(m.called.order)
            for m in self._queue
        )

    def when_queue_ends(self) -> Signal:
        """Closed when the running drain ends; at once if idle."""
        if not self._gate & BUSY:
            return Signal(True)
        if self._queue_ended.done():
            self._queue_ended = Signal(what="when_queue_ends")
        return self._queue_ended
