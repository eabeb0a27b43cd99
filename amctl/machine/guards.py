"""Guards of programs around machines: conditions, loops, failures, too many tasks, their logs."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Coroutine, Iterable, Iterator, Mapping

    from amctl.machine.args import ArgsLike
    from amctl.machine.event import Event, Source
    from amctl.machine.machine import Machine
    from amctl.machine.reads import Reads
    from amctl.machine.signals import Signal

__all__ = ["Cond", "LogForwarder", "LoopGuard", "Pool", "catching"]

_LOOP_TICKS = 500
_LOOP_WINDOW = 1.0


@dataclass(frozen=True)
class Cond:
    """What must hold of a machine; what is left out always does (HLP-14)."""

    is_: tuple[str, ...] = ()
    """All of these are active."""
    any_: tuple[tuple[str, ...], ...] = ()
    """One of these groups is active as a whole."""
    any1: tuple[str, ...] = ()
    """One of these is active."""
    not_: tuple[str, ...] = ()
    """None of these is active."""
    clock: Mapping[str, int] = field(default_factory=dict)
    """These ticks are reached or past."""

    def check(self, machine: Reads) -> bool:
        """Whether it holds now; never of a machine that is disposed of."""
        return (
            not machine.is_disposed
            and machine.is_(self.is_)
            and (not self.any_ or any(machine.is_(group) for group in self.any_))
            and (not self.any1 or machine.any_(*self.any1))
            and machine.not_(self.not_)
            and machine.was_clock(self.clock)
        )


class LoopGuard:
    """Ends a loop of handlers: with a context, or when states tick too often (HLP-14).

    Args:
        machine: Whose states.
        states: Those that the loop moves.
        context: Ends it, too; a state's context, say.
        ticks: So many ticks of them all within `window` are too many.
        window: Seconds, of the machine's stop-watch.
    """

    def __init__(
        self,
        machine: Machine,
        states: Iterable[str],
        context: Signal | None = None,
        *,
        ticks: int = _LOOP_TICKS,
        window: float = _LOOP_WINDOW,
    ) -> None:
        self._machine, self._states, self._context = machine, tuple(states), context
        self._ticks, self._window = ticks, window
        self._seen: deque[tuple[float, int]] = deque()

    def ok(self) -> bool:
        """Whether the loop may go on; to be asked once a turn."""
        machine = self._machine
        if machine.is_disposed or (self._context is not None and self._context.done()):
            return False
        now, total = machine._now(), sum(machine.time(self._states))
        while self._seen and now - self._seen[0][0] > self._window:
            self._seen.popleft()
        self._seen.append((now, total))
        return total - self._seen[0][1] <= self._ticks


@contextmanager
def catching(
    machine: Machine,
    state: str = "",
    args: ArgsLike = None,
    *,
    source: Event | Source | None = None,
) -> Iterator[None]:
    """What is raised within the block becomes Exception, and an error state if one is named.

    With `Limits.catch` off it is raised (ERR-8).
    """
    try:
        yield
    except Exception as error:
        if not machine.limits.catch:
            raise
        if state:
            machine.add_err_state(state, error, args, source=source)
        else:
            machine.add_err(error, args, source=source)


class Pool:
    """Tasks of handlers, but not too many of them at once (FRK-2).

    Args:
        machine: Whose tasks; what they raise becomes its Exception.
        limit: Of all together; 0 is none.
    """

    def __init__(self, machine: Machine, limit: int = 0) -> None:
        self._machine, self.limit = machine, limit
        self._limits: dict[str, int] = {}
        self._running: dict[str, int] = {}

    def set_limit(self, handler: str, limit: int) -> None:
        """At most so many tasks of this handler at once. Without a limit there is none.

        # differs from Go, which lets one less run, and fails without a limit.
        """
        self._limits[handler] = limit

    def __len__(self) -> int:
        return sum(self._running.values())

    def fork(self, event: Event, coro: Coroutine[Any, Any, Any]) -> Task[Any] | None:
        """Start a task, named after the event's handler.

        None, with the coroutine closed, if the event is no longer valid or a limit is reached.
        """
        name, running = event.name, self._running
        limit = self._limits.get(name)
        full = (self.limit and len(self) >= self.limit) or (
            limit is not None and running.get(name, 0) >= limit
        )
        if full or not event.is_valid():
            coro.close()
            return None
        task = self._machine.spawn(coro, name=name)
        running[name] = running.get(name, 0) + 1

        def ended(_: Task[Any]) -> None:
            running[name] -= 1

        task.add_done_callback(ended)
        return task


class LogForwarder(logging.Handler):
    """Writes the records of a Python logger to a machine's log (HLP-15).

    Not for the logger `amctl.machine`, to which the machine writes itself.
    """

    def __init__(self, machine: Machine, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._machine = machine

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        if record.name.startswith("amctl.machine"):
            return  # it would come back here
        try:
            self._machine.log("%s", self.format(record))
        except Exception:
            self.handleError(record)
