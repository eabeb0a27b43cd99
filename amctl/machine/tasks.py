"""Tasks that nobody loses, and the lifetimes of coroutine handlers."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from amctl.machine.errors import HandlerTimeoutError
from amctl.machine.handlers import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from amctl.machine.event import Event
    from amctl.machine.handlers import Action, Handler
    from amctl.machine.machine import Machine
    from amctl.machine.signals import Signal

__all__ = ["HandlerTasks", "TaskSet"]

T = TypeVar("T")
_log = logging.getLogger("amctl.machine.tasks")


class TaskSet:
    """Holds tasks until they end, and logs what they raise. Belongs to one loop.

    Args:
        name: Whose tasks, for the log.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def running(self) -> set[asyncio.Task[Any]]:
        """The tasks which have not ended."""
        return set(self._tasks)

    def spawn(self, coro: Coroutine[Any, Any, T], *, name: str = "") -> asyncio.Task[T]:
        """Start a task. Its failure is logged, its cancellation isn't.

        Raises:
            RuntimeError: No loop is running; the coroutine is closed then.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            coro.close()
            raise RuntimeError(f"{self.name}: {name or coro!r} needs a running loop") from None
        task = loop.create_task(coro, name=name or None)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def cancel_all(self) -> None:
        """Ask all tasks to stop; they do at their next await."""
        for task in tuple(self._tasks):
            task.cancel()

    async def close(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  # leaves them
        """Cancel all tasks and wait until they have ended, but for the task that calls it.

        Args:
            timeout: Seconds after which those that ignore it are left behind, which is logged.
        """
        me = asyncio.current_task()
        others = {task for task in self._tasks if task is not me}
        for task in others:
            task.cancel()
        if others:
            _, left = await asyncio.wait(others, timeout=timeout)
            for task in left:
                _log.error("%s: %s ignores its cancellation", self.name, task.get_name())

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(task, error)

    def _failed(self, task: asyncio.Task[Any], error: BaseException) -> None:
        _log.error("%s: %s failed: %s", self.name, task.get_name(), error, exc_info=error)


class HandlerTasks(TaskSet):
    """The tasks of one machine: coroutine handlers, and what state contexts spawned."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.id)
        self._machine = machine
        self._events: dict[asyncio.Task[Any], Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        try:
            self.attach()
        except RuntimeError:
            self._loop = None  # a machine may live without a loop

    def attach(self) -> None:
        """Belong to the running loop."""
        self._loop = asyncio.get_running_loop()

    @property
    def is_attached(self) -> bool:
        """Whether there is a loop."""
        return self._loop is not None

    def handlers(self) -> tuple[str, ...]:
        """Names of the coroutine handlers under way, the one that runs longest first."""
        return tuple(task.get_name() for task in self._events if not task.done())

    def now(self) -> float:
        """The loop's time, in seconds."""
        return self._loop.time() if self._loop is not None else 0.0

    def spawn(self, coro: Coroutine[Any, Any, T], *, name: str = "") -> asyncio.Task[T]:
        """See TaskSet. What the task raises becomes the machine's Exception, too."""
        task = super().spawn(coro, name=name)
        self._loop = asyncio.get_running_loop()
        return task

    def start(self, coro: Any, handler: Handler, action: Action, event: Event) -> None:
        """Start what a coroutine handler returned, for as long as its state lives."""
        machine, compiled = self._machine, self._machine._compiled
        if machine.is_disposed:
            coro.close()
            return
        if not asyncio.iscoroutine(coro):
            coro = _wrapped(coro)
        task = self.spawn(coro, name=action.name)
        self._events[task] = event
        single = action.phase == STATE and not compiled.multi >> action.state & 1
        state = action.state if single else compiled.start
        if state >= 0 and (single or machine.is_(compiled.names[state])):
            context = machine.state_context(compiled.names[state])
            context.hold(task)

            def ending(_: Signal) -> None:
                self._ending(task, handler)

            context.add_done_callback(ending)
            # a context may outlive many tasks
            task.add_done_callback(lambda _: context.remove_done_callback(ending))

    def post(self, fn: Callable[[], T]) -> Future[T]:
        """Run a function on the machine's loop, for another thread."""
        from concurrent.futures import Future

        loop, future = self._loop, Future[T]()
        if loop is None:
            raise RuntimeError(f"machine {self.name!r} is attached to no loop")

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn())
                except BaseException as error:
                    future.set_exception(error)  # or its thread would wait for ever
                    if not isinstance(error, Exception | asyncio.CancelledError):
                        raise

        loop.call_soon_threadsafe(run)
        return future

    def _ending(self, task: asyncio.Task[Any], handler: Handler) -> None:
        """PAN-8, for a coroutine that doesn't heed its cancellation."""
        limit = self._machine.limits.handler_deadline
        timer = task.get_loop().call_later(limit, self._overdue, task, handler, limit)
        task.add_done_callback(lambda _: timer.cancel())

    def _overdue(self, task: asyncio.Task[Any], handler: Handler, limit: float) -> None:
        machine, event = self._machine, self._events.get(task)
        error = HandlerTimeoutError(handler.name, handler.binding, limit)
        whose = f"{handler.name} from {handler.binding}"
        machine._line(5, f"[handler:deadline] {whose}")
        machine._internal_error(error)
        machine._clear_queue()
        machine.add_err(error, source=event)
        machine._back_off()

        def ended(_: asyncio.Task[Any]) -> None:
            if not machine.is_disposed:
                machine._line(2, f"[error] deadlined handler finished {whose}")
                machine.add_err(error, source=event)

        task.add_done_callback(ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        super()._ended(task)
        self._events.pop(task, None)

    def _failed(self, task: asyncio.Task[Any], error: BaseException) -> None:
        machine, event = self._machine, self._events.get(task)
        _log.error(
            "machine %s: handler %s failed: %s",
            self.name, task.get_name(), error, exc_info=error,
        )  # fmt: skip
        if event is not None and event.transition.plan.called.mask & machine._compiled.exception:
            return  # a handler of errors must not feed itself (PAN-6)
        if isinstance(error, Exception):
            machine.add_err(error, source=event)


async def _wrapped(awaitable: Any) -> None:
    await awaitable
