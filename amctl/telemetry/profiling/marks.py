"""Handlers as spans on the browser's own timeline, beside what Chromium records there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.machine import Tracer, registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import MachineView, Transition

__all__ = ["HandlerMarks"]


class HandlerMarks(Tracer):
    """Follows all machines of the thread while it is on.

    Args:
        measure: Gets name, begin and end of each plain handler; times are those of `now`.
        now: The timeline's clock.
    """

    id = "profile-marks"

    def __init__(
        self, measure: Callable[[str, float, float], object], now: Callable[[], float]
    ) -> None:
        self._measure, self._now = measure, now
        self._began: list[float] = []
        self._machines: list[MachineView] = []

    def start(self) -> None:
        """Follow every machine that lives now, and the children that they get."""
        for machine in registry.live():
            self._follow(machine)

    def stop(self) -> None:
        """Let them go."""
        for machine in self._machines:
            machine.detach_tracer(self)
        self._machines.clear()

    def _follow(self, machine: MachineView) -> None:
        machine.bind_tracer(self)
        self._machines.append(machine)

    def new_submachine(self, parent: MachineView, child: MachineView) -> None:
        """Follow it as well."""
        self._follow(child)

    def handler_start(self, tx: Transition, binding: str, name: str) -> None:
        """Handlers nest: one may mutate another machine."""
        self._began.append(self._now())

    def handler_end(self, tx: Transition, binding: str, name: str) -> None:
        """Tell it, unless it had begun before anybody looked."""
        if self._began:
            self._measure(f"{tx.machine.id} {name}", self._began.pop(), self._now())
