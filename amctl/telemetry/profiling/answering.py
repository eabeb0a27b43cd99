"""The question `profile`, by which `amctl profile` reaches into a process or a browser thread.

    {"do": "info"}                         pid, Python, platform, how it can be sampled
    {"do": "start", "hz": 100, "seconds": 60, "how": "thread" | "calls"}
    {"do": "stop"}                         the samples, see `Stacks.to_data`

One profile at a time. One that nobody stops ends after `seconds`; its samples are kept until they
are asked for.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from typing import TYPE_CHECKING, Any

from amctl.rpc.asking import register
from amctl.rpc.errors import QuestionError
from amctl.rpc.wire.codes import Code
from amctl.telemetry.profiling.marks import HandlerMarks
from amctl.telemetry.profiling.samplers import CallSampler, Sampler, ThreadSampler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amctl.machine import MachineView

__all__ = ["ProfileDesk", "offer"]

_FASTEST, _LONGEST = 1000, 600.0
_IN_BROWSER = sys.platform == "emscripten"


class ProfileDesk:
    """The one profile of a process.

    Args:
        measure: Of a browser: puts a span on the page's timeline.
        now: That timeline's clock.
    """

    def __init__(
        self,
        measure: Callable[[str, float, float], object] | None = None,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._measure, self._now = measure, now
        self._sampler: Sampler | None = None
        self._marks: HandlerMarks | None = None
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
            "pid": 0 if _IN_BROWSER else os.getpid(),
            "python": platform.python_version(),
            "platform": sys.platform,
            "how": ["calls"] if _IN_BROWSER else ["thread", "calls"],
            "running": self._timer is not None,
        }

    def _start(self, source: MachineView, params: Mapping[str, Any]) -> dict[str, Any]:
        if self._timer is not None:
            raise QuestionError(Code.BUSY, "a profile is being taken already; stop it first")
        hz = _number(params, "hz", 100, _FASTEST)
        seconds = _number(params, "seconds", 60, _LONGEST)
        how = params.get("how") or self._info(source)["how"][0]
        if how not in self._info(source)["how"]:
            raise QuestionError(
                Code.ARGS, f"how is {how!r:.40}, can be {self._info(source)['how']}"
            )
        loop = asyncio.get_running_loop()
        made: Sampler = ThreadSampler(1 / hz) if how == "thread" else CallSampler(1 / hz)
        self._sampler, self._how, self._began = made, how, loop.time()
        if self._measure is not None:
            self._marks = HandlerMarks(self._measure, self._now)
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
        if self._marks is not None:
            self._marks.stop()
            self._marks = None

    def _stop(self, source: MachineView) -> dict[str, Any]:
        self._end()
        if self._sampler is None:
            raise QuestionError(Code.ARGS, "no profile was started")
        sampler, self._sampler = self._sampler, None
        return {
            **self._info(source),
            "taken": self._how,
            "seconds": round(self._ended - self._began, 6),
            **sampler.stacks.to_data(),
        }


def _number(params: Mapping[str, Any], name: str, default: float, most: float) -> float:
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise QuestionError(Code.ARGS, f"{name} is {value!r:.40}: a number up to {most:g}")
    return float(value)


def offer(
    measure: Callable[[str, float, float], object] | None = None,
    now: Callable[[], float] = lambda: 0.0,
) -> ProfileDesk:
    """Answer the question in this process from now on. See ProfileDesk."""
    desk = ProfileDesk(measure, now)
    register("profile", desk.answer, params=("do", "hz", "seconds", "how"))
    return desk
