"""Handlers as spans: kept for whoever takes the profile, and put on the browser's own timeline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from amctl.machine import Tracer, registry

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from amctl.machine import MachineView, Transition

__all__ = ["HandlerMarks", "Span", "Timeline", "spans_data"]

_NAMELESS = re.compile(r"Task-\d+")
_MOST = 20_000
"""Spans that one profile keeps; what comes later is counted."""


class Timeline(Protocol):
    """A clock; in a browser also what Chromium shows beside its own records."""

    @property
    def thread(self) -> str:
        """The name of the browser's worker; empty if it is the page itself, or no browser."""

    def now(self) -> float:
        """Milliseconds."""

    def measure(self, name: str, begin: float, end: float) -> None:
        """Show a span, in milliseconds of `now`."""

    def clear_measures(self) -> None:
        """Forget the spans of an earlier profile, which nothing else ever does."""

    @property
    def can_tick(self) -> bool:
        """Whether it can signal Python from outside, see `begin_ticks`."""

    def begin_ticks(self, seconds: float, number: int) -> None:
        """Signal Python from time to time, which finds one signal when it runs again."""

    def tick_time(self) -> float:
        """When the last of these was, in milliseconds of `now`."""

    def end_ticks(self) -> None:
        """Signal no more."""


class Span(NamedTuple):
    """One call of a handler."""

    name: str
    """`browser1 WorkingState`."""
    begin: float
    """Milliseconds since the profile began."""
    end: float
    waits: bool
    """Whether it is a coroutine: others may run between its begin and its end."""


class HandlerMarks(Tracer):
    """Follows all machines of the thread while it is on."""

    id = "profile-marks"

    def __init__(self, timeline: Timeline) -> None:
        self.spans: list[Span] = []
        self.dropped = 0
        """Spans that there was no room for."""
        self._timeline = timeline
        self._zero = timeline.now()
        self._open: list[float] = []
        self._tasks: dict[asyncio.Task[Any], tuple[str, float]] = {}
        self._machines: list[MachineView] = []

    def start(self) -> None:
        """Follow every machine that lives now, and the children that they get."""
        self._timeline.clear_measures()
        self._zero = self._timeline.now()
        for machine in registry.live():
            self._follow(machine)
            self._look_for_tasks(machine)

    def stop(self) -> None:
        """Let them go. What still runs ends here."""
        for machine in self._machines:
            machine.detach_tracer(self)
        self._machines.clear()
        for task in list(self._tasks):
            self._ended(task)

    def _follow(self, machine: MachineView) -> None:
        machine.bind_tracer(self)
        self._machines.append(machine)

    def new_submachine(self, parent: MachineView, child: MachineView) -> None:
        """Follow it as well."""
        self._follow(child)

    def handler_start(self, tx: Transition, binding: str, name: str) -> None:
        """Handlers nest: one may mutate another machine."""
        self._open.append(self._timeline.now())

    def handler_end(self, tx: Transition, binding: str, name: str) -> None:
        """Note it, unless it had begun before anybody looked."""
        if self._open:
            self._note(f"{tx.machine.id} {name}", self._open.pop(), waits=False)

    def transition_end(self, tx: Transition) -> None:
        """A coroutine handler is a task by now."""
        self._look_for_tasks(tx.machine)

    def _look_for_tasks(self, machine: MachineView) -> None:
        held = getattr(machine, "_tasks", None)  # mirrors have none
        for task in held.running() if held else ():
            if task not in self._tasks and not _NAMELESS.fullmatch(task.get_name()):
                self._tasks[task] = f"{machine.id} {task.get_name()}", self._timeline.now()
                task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        found = self._tasks.pop(task, None)
        task.remove_done_callback(self._ended)
        if found is not None:
            self._note(*found, waits=True)

    def _note(self, name: str, begin: float, *, waits: bool) -> None:
        if len(self.spans) >= _MOST:
            self.dropped += 1
            return
        end = self._timeline.now()
        self.spans.append(Span(name, begin - self._zero, end - self._zero, waits))
        self._timeline.measure(name, begin, end)


def spans_data(spans: Iterable[Span], most: int) -> dict[str, Any]:
    """Plain data: `names`, `rows` [[name, begin, microseconds, waits]] by begin, and `left_out`.

    Args:
        spans: Any.
        most: To tell, the longest ones.
    """
    longest = sorted(spans, key=lambda span: span.begin - span.end)
    told = sorted(longest[:most], key=lambda span: (span.begin, -span.end))
    names: dict[str, int] = {}
    rows = [
        [names.setdefault(s.name, len(names)), round(s.begin * 1e3),
         round((s.end - s.begin) * 1e3), int(s.waits)]
        for s in told
    ]  # fmt: skip
    return {"names": list(names), "rows": rows, "left_out": len(longest) - len(told)}
