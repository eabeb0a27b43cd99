"""What nodes and orchestrator tell of themselves as spans, if the run is traced.

Who has no trace in its plan imports nothing for it.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from nodes.recording import LAST_WORD, browser_clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from amctl.machine import Machine
    from amctl.telemetry.otelpost import SpanPoster
    from amctl.telemetry.oteltracer import OtelTracer
    from nodes.plan import TracePlan

__all__ = ["NodeTrace", "trace"]


class NodeTrace:
    """The spans of one machine and its descendants, on their way."""

    def __init__(self, tracer: OtelTracer, poster: SpanPoster) -> None:
        self._tracer, self._poster = tracer, poster

    async def finish(self, within: float = LAST_WORD) -> int:
        """End what is open, send what is left; how many spans were lost."""
        self._tracer.close()
        return await self._poster.close(within)


def trace(
    plan: TracePlan,
    machine: Machine,
    post: Callable[[str], Awaitable[None]] | None,
    *,
    service: str = "",
    is_root: bool = False,
    is_busy: Callable[[], bool] = lambda: False,
) -> NodeTrace | None:
    """Trace a machine and all its descendants; None if it isn't to be.

    Args:
        plan: Below which span, and what.
        machine: Whom to follow.
        post: Delivers one OTLP JSON request, see SpanPoster.
        service: By default the machine's id.
        is_root: Make the run's root span too.
        is_busy: While it says so, spans wait: somebody waits for the work.
    """
    if not plan.trace_id or post is None:
        return None
    from amctl.telemetry.otelfilter import OtelOptions
    from amctl.telemetry.otellight import LightSink
    from amctl.telemetry.otelpost import SpanPoster
    from amctl.telemetry.oteltracer import OtelTracer
    from amctl.telemetry.spans import SpanRef

    clock = browser_clock() if sys.platform == "emscripten" else time.time_ns
    sink = LightSink(service or machine.id, lambda: poster.wake())
    poster = SpanPoster(sink, post, is_busy=is_busy, last_word=True)
    root, options = SpanRef(plan.trace_id, plan.span_id), OtelOptions(**plan.options)
    tracer = OtelTracer(sink, options, parent=root, now_ns=clock)
    if is_root:
        now = clock()
        sink.start("root", None, now, ref=root).end(now)
    tracer.follow(machine)
    return NodeTrace(tracer, poster)
