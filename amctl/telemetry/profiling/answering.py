"""The question `profile`, by which `amctl profile` reaches into a process or a browser thread.

    {"do": "info"}                         pid, Python, platform, how it can be sampled
    {"do": "start", "hz": 100, "seconds": 60, "how": "signal" | "thread" | "calls"}
    {"do": "stop"}                         the samples, see `Stacks.to_data`, and `spans`

One profile at a time. One that nobody stops ends after `seconds`; its samples are kept until they
are asked for.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import time
from typing import TYPE_CHECKING, Any

from amctl.rpc.asking import MAX_ANSWER, register
from amctl.rpc.errors import QuestionError
from amctl.rpc.wire.codes import Code
from amctl.telemetry.profiling.marks import HandlerMarks, spans_data
from amctl.telemetry.profiling.samplers import (
    CallSampler,
    Sampler,
    SignalSampler,
    ThreadSampler,
)
from amctl.telemetry.profiling.ticks import TickSampler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.machine import MachineView
    from amctl.telemetry.profiling.marks import Timeline
    from amctl.telemetry.profiling.stacks import Stacks

__all__ = ["ProfileDesk", "offer"]

_FASTEST, _LONGEST = 1000, 600.0
_MOST = 1_500
"""Stacks, and spans, that one answer tells."""
_IN_BROWSER = sys.platform == "emscripten"


class _OwnClock:
    """A timeline that nobody looks at."""

    thread = ""

    def now(self) -> float:
        return time.perf_counter() * 1e3

    def measure(self, name: str, begin: float, end: float) -> None:
        """Shown nowhere."""

    def clear_measures(self) -> None:
        """There are none."""

    can_tick = False

    def begin_ticks(self, seconds: float, number: int) -> None:
        """Never."""

    def tick_time(self) -> float:
        return 0.0

    def end_ticks(self) -> None:
        """There are none."""


class ProfileDesk:
    """The one profile of a process.

    Args:
        timeline: Of a browser: where handlers show as spans while a profile is taken.
    """

    def __init__(self, timeline: Timeline | None = None) -> None:
        self._timeline: Timeline = timeline or _OwnClock()
        self._sampler: Sampler | None = None
        self._marks = HandlerMarks(self._timeline)
        self._how = ""
        self._began = self._ended = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def answer(self, source: MachineView, params: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is asked. Raises QuestionError."""
        do = params.get("do", "info")
        if do == "info":
            return self._info(source)
        if do == "start":
            return self._start(source, params)
        if do == "stop":
            return self._stop(source)
        raise QuestionError(Code.ARGS, f"do is {do!r:.40}: info, start or stop")

    def _info(self, source: MachineView) -> dict[str, Any]:
        return {
            "machine": source.id,
            "thread": self._timeline.thread,
            "pid": 0 if _IN_BROWSER else os.getpid(),
            "python": platform.python_version(),
            "platform": sys.platform,
            "how": self._ways(),
            "running": self._timer is not None,
        }

    def _ways(self) -> list[str]:
        """How this thread can be sampled, the best way first."""
        if _IN_BROWSER:
            return ["signal"] * self._timeline.can_tick + ["calls"]
        return ["signal"] * SignalSampler.is_possible() + ["thread", "calls"]

    def _sampler_for(self, how: str, interval: float) -> Sampler:
        if how == "calls":
            return CallSampler(interval)
        if how == "thread":
            return ThreadSampler(interval)
        if _IN_BROWSER:
            return TickSampler(interval, self._timeline)
        return SignalSampler(interval)

    def _start(self, source: MachineView, params: Mapping[str, Any]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            left = max(0.0, self._timer.when() - loop.time())
            problem = f"a profile is being taken already; it ends within {left:.0f} s"
            raise QuestionError(Code.BUSY, problem)
        hz = _number(params, "hz", 100, _FASTEST)
        seconds = _number(params, "seconds", 60, _LONGEST)
        can = self._ways()
        how = params.get("how") or can[0]
        if how not in can:
            raise QuestionError(Code.ARGS, f"how is {how!r:.40}, can be {' or '.join(can)} here")
        made = self._sampler_for(how, 1 / hz)
        self._sampler, self._how, self._began = made, how, loop.time()
        self._marks = HandlerMarks(self._timeline)
        self._marks.start()
        self._timer = loop.call_later(seconds, self._end)
        made.start()
        return self._info(source)

    def _end(self) -> None:
        if self._timer is None or self._sampler is None:
            return
        self._sampler.stop()
        self._timer.cancel()
        self._timer, self._ended = None, asyncio.get_running_loop().time()
        self._marks.stop()

    def _stop(self, source: MachineView) -> dict[str, Any]:
        self._end()
        if self._sampler is None:
            raise QuestionError(Code.ARGS, "no profile was started")
        sampler, self._sampler = self._sampler, None
        head = {
            **self._info(source),
            "taken": self._how,
            "seconds": round(self._ended - self._began, 6),
        }
        return head | _that_fits(sampler.stacks, self._marks)


def _that_fits(stacks: Stacks, marks: HandlerMarks) -> dict[str, Any]:
    """As much as one answer may hold, the heaviest first."""
    most, room = _MOST, MAX_ANSWER - 4096
    while True:
        spans = spans_data(marks.spans, most)
        spans["left_out"] += marks.dropped
        data = {**stacks.to_data(most), "spans": spans}
        if most <= 1 or len(json.dumps(data, separators=(",", ":"))) <= room:
            return data
        most //= 2


def _number(params: Mapping[str, Any], name: str, default: float, most: float) -> float:
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise QuestionError(Code.ARGS, f"{name} is {value!r:.40}: a number up to {most:g}")
    return float(value)


def offer(timeline: Timeline | None = None) -> ProfileDesk:
    """Answer the question in this process from now on. See ProfileDesk."""
    desk = ProfileDesk(timeline)
    register("profile", desk.answer, params=("do", "hz", "seconds", "how"))
    return desk
