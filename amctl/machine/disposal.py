"""The end of a machine, in order (DSP-1, DSP-2, DSP-4)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from amctl.machine.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine.machine import Machine
    from amctl.machine.view import MachineView

__all__ = ["Disposal"]

_log = logging.getLogger("amctl.machine")


class Disposal:
    """Nothing here waits for a fixed time: it goes on as soon as what it waits for is over.

    # differs from Go, which sleeps 100 ms twice.
    """

    __slots__ = ("_begun", "_callbacks", "_machine", "_task")

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._begun = False
        self._callbacks: list[Callable[[str], object]] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, callback: Callable[[str], object]) -> None:
        """See Machine.on_dispose."""
        if self._machine.is_disposed:
            self._notify(callback)
        else:
            self._callbacks.append(callback)

    def follow(self, context: Signal | MachineView | None) -> None:
        """End when something else ends (DSP-4)."""
        if isinstance(context, Signal):
            context.add_done_callback(lambda _: self._followed())
        elif context is not None:
            context.on_dispose(lambda _: self._followed())

    def _followed(self) -> None:
        machine = self._machine
        if machine.is_disposed or self._begun:
            return
        if machine.has("Disposing"):
            machine._line(3, "[dispose] graceful shutdown via DisposingState")
            if not machine.add("Disposing").canceled:
                return
        machine._line(3, "[dispose] graceful shutdown via Dispose()")
        self.begin()

    def begin(self) -> None:
        """See Machine.dispose."""
        machine = self._machine
        if self._begun or machine.is_disposed:
            return
        self._begun = True
        before = machine._tasks.running()
        if machine.has("Start") and machine.is_("Start"):
            machine.remove("Start")
        machine.when_queue_ends().add_done_callback(lambda _: self._go_on(before))

    def _go_on(self, before: set[asyncio.Task[object]]) -> None:
        """The queue has ended. Without tasks there is nothing to wait for."""
        if not self._machine._tasks.running():
            self.finish()
            return
        coro = self._run(before)
        try:
            # not among the machine's tasks, which it cancels
            self._task = asyncio.get_running_loop().create_task(coro)
        except RuntimeError:  # their loop is gone, and so are they
            coro.close()
            self.finish()

    async def _run(self, before: set[asyncio.Task[object]]) -> None:
        machine = self._machine
        timeout = machine.limits.dispose_timeout
        ending = machine._tasks.running() - before
        try:
            if ending and (await asyncio.wait(ending, timeout=timeout))[1]:
                machine._line(4, "[doDispose] timeout waiting for queue to drain")
            machine._refuse()
            await machine._tasks.close(timeout=2 * timeout)
        finally:  # also when the loop ends meanwhile
            self.finish()

    def finish(self) -> None:
        """See Machine.dispose_force."""
        machine = self._machine
        if machine.is_disposed:
            return
        self._begun = True
        machine._refuse()
        machine._tasks.cancel_all()
        machine._clear_queue()
        machine._gone = True
        machine._config = machine._planner.config(())
        if machine._hooks is not None:
            machine._line(5, "[end] doDispose")
            for hook in machine._hooks.machine_dispose:
                hook(machine.id)
        machine._bindings = []
        machine._rebind(())
        machine._subs.close_all()
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self._notify(callback)
        machine._disposed_signal.close()

    def _notify(self, callback: Callable[[str], object]) -> None:
        try:
            callback(self._machine.id)
        except Exception:
            _log.exception("machine %s: a disposal callback failed", self._machine.id)
