"""A trace as one JSON document of our own: what `amctl traces show --json` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.traces.reading import iso_time
from amctl.traces.text import plain_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.traces.model import Span
    from amctl.traces.outline import Row
    from amctl.traces.waterfall import Waterfall

__all__ = ["document"]


def document(waterfall: Waterfall) -> dict[str, Any]:
    """The trace, and those of its spans that are shown, with those that their rows stand for."""
    trace = waterfall.outline.trace
    spans = [
        _span(span, one.row, trace.started_ns)
        for one in waterfall.picked
        for span in (*one.row.own, *one.spans)
    ]
    return {
        "trace_id": trace.trace_id,
        "started": iso_time(trace.started_ns),
        "duration_ms": round((trace.ended_ns - trace.started_ns) / 1e6, 6),
        "services": list(trace.services),
        "errors": trace.errors,
        "lost": trace.lost,
        "idle": [
            {
                "start_ms": (gap.start_ns - trace.started_ns) / 1e6,
                "duration_ms": gap.duration_ns / 1e6,
            }
            for gap in waterfall.timeline.gaps
        ],
        "spans": spans,
    }


def _span(span: Span, row: Row, began: int) -> dict[str, Any]:
    return {
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "service": span.service.name,
        "machine": row.machine,
        "kind": row.kind,
        "name": span.name,
        "start_ns": span.start_ns,
        "start_ms": (span.start_ns - began) / 1e6,
        "duration_ms": span.duration_ns / 1e6,
        "status": ("unset", "ok", "error")[span.status] if 0 <= span.status < 3 else "unset",
        "message": span.message,
        "attributes": _plain(span.attributes),
        "events": [
            {"name": event.name, "time_ns": event.time_ns, "attributes": _plain(event.attributes)}
            for event in span.events
        ],
        "links": [
            {
                "kind": link.kind,
                "trace_id": link.trace_id,
                "span_id": link.span_id,
                "attributes": _plain(link.attributes),
            }
            for link in span.links
        ],
    }


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: plain_value(value) for key, value in attributes.items()}
