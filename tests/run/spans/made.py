"""Requests as senders of ours make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.telemetry.otellight import LightSink
from amctl.telemetry.otlpjson import traces_data
from amctl.telemetry.spans import SpanRef

if TYPE_CHECKING:
    from amctl.telemetry.spans import AttributeValue

__all__ = ["PARENT", "request"]

PARENT = SpanRef("ab" * 16, "cd" * 8)


def request(*names: str, service: str = "svc", last: bool = False) -> dict[str, Any]:
    """A request with one span for each name; equal names give equal requests."""
    sink = LightSink(service)
    for name in names:
        ref = SpanRef(PARENT.trace_id, f"{sum(name.encode()):016x}")
        about: list[tuple[str, AttributeValue]] = [("am.tx_id", "1"), ("n", 3), ("b", True)]
        span = sink.start(name, PARENT, 1_000, about, ref=ref)
        span.event("moment", 1_001, {"emitter": "x"})
        span.link(SpanRef("12" * 16, "34" * 8), "source")
        span.fail("ValueError", "broken", 1_002)
        span.end(2_000)
    return traces_data(service, sink.take(99), last=last)
