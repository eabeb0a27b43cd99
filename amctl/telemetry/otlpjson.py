"""Spans as OTLP JSON: one TracesData object, as OpenTelemetry's protocol maps it to JSON.

Ids are hexadecimal, 64-bit integers are texts, enumerations are numbers.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amctl.telemetry.otellight import LightSpan
    from amctl.telemetry.spans import AttributeValue

__all__ = ["LAST", "encode", "traces_data"]

LAST = "am.last"
"""Attribute of a resource: this service has nothing more to say."""

_INTERNAL = 1
"""Span kind."""
_LANGUAGE = ("telemetry.sdk.language", "python")


def encode(
    service: str, spans: Iterable[LightSpan], dropped: int = 0, *, last: bool = False
) -> str:
    """One line of JSON without a line's end. See `traces_data`."""
    return json.dumps(traces_data(service, spans, dropped, last=last), separators=(",", ":"))


def traces_data(
    service: str, spans: Iterable[LightSpan], dropped: int = 0, *, last: bool = False
) -> dict[str, Any]:
    """The object itself.

    Args:
        service: `service.name` of the resource.
        spans: Ended ones.
        dropped: How many were lost before, as `am.dropped_spans` of the resource.
        last: Nothing more will come of this service, as `am.last`.
    """
    about: dict[str, AttributeValue] = {"service.name": service, _LANGUAGE[0]: _LANGUAGE[1]}
    if dropped:
        about["am.dropped_spans"] = dropped
    if last:
        about[LAST] = True
    scope = {"name": service}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(about)},
                "scopeSpans": [{"scope": scope, "spans": [_span(span) for span in spans]}],
            }
        ]
    }


def _span(span: LightSpan) -> dict[str, Any]:
    made: dict[str, Any] = {
        "traceId": span.ref.trace_id,
        "spanId": span.ref.span_id,
        "name": span.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _attributes(span.attributes),
    }
    if span.parent_id:
        made["parentSpanId"] = span.parent_id
    if span.events:
        made["events"] = [
            {
                "timeUnixNano": str(event.time_ns),
                "name": event.name,
                "attributes": _attributes(event.attributes or {}),
            }
            for event in span.events
        ]
    if span.links:
        made["links"] = [
            {
                "traceId": ref.trace_id,
                "spanId": ref.span_id,
                "attributes": [{"key": "am.link", "value": {"stringValue": kind}}],
            }
            for ref, kind in span.links
        ]
    if span.status:
        made["status"] = {"code": span.status, "message": span.message}
    return made


def _attributes(values: Mapping[str, AttributeValue]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: AttributeValue) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value}
