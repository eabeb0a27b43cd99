"""A trace as one OTLP JSON object, which Jaeger's UI takes as an upload."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.traces.model import Service, Span, Trace

__all__ = ["otlp_document"]


def otlp_document(trace: Trace) -> dict[str, Any]:
    """The object: a resource for each service, with all its spans."""
    held: dict[int, tuple[Service, dict[tuple[str, str], list[dict[str, Any]]]]] = {}
    for span in trace.spans:
        _, scopes = held.setdefault(id(span.service), (span.service, {}))
        scopes.setdefault((span.scope, span.scope_version), []).append(_span(span))
    return {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": _attributes({"service.name": service.name, **service.attributes})
                },
                "scopeSpans": [
                    {"scope": _scope(*scope), "spans": spans} for scope, spans in scopes.items()
                ],
            }
            for service, scopes in held.values()
        ]
    }


def _scope(name: str, version: str) -> dict[str, str]:
    return {"name": name, "version": version} if version else {"name": name}


def _span(span: Span) -> dict[str, Any]:
    made: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _attributes(span.attributes),
    }
    if span.parent_id:
        made["parentSpanId"] = span.parent_id
    if span.trace_state:
        made["traceState"] = span.trace_state
    if span.events:
        made["events"] = [
            {
                "timeUnixNano": str(event.time_ns),
                "name": event.name,
                "attributes": _attributes(event.attributes),
            }
            for event in span.events
        ]
    if span.links:
        made["links"] = [
            {
                "traceId": link.trace_id,
                "spanId": link.span_id,
                "attributes": _attributes(link.attributes),
            }
            for link in span.links
        ]
    if span.status or span.message:
        made["status"] = {"code": span.status, "message": span.message}
    return made


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _NAMED.get(value, "NaN")}
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _attributes(value)}}
    return {"stringValue": str(value)}


_NAMED = {math.inf: "Infinity", -math.inf: "-Infinity"}
"""As the protocol's JSON mapping writes them."""
