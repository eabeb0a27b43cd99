"""A trace as Jaeger's own JSON: what its UI downloads, and every version of it uploads.

Less than OTLP holds: times are microseconds, links have no attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.traces.text import plain_value, value_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.traces.model import Event, Service, Span, Trace

__all__ = ["jaeger_document"]

_KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
_STATUS = {1: "OK", 2: "ERROR"}


def jaeger_document(trace: Trace) -> dict[str, Any]:
    """The object, with one trace in it."""
    processes: dict[int, tuple[str, Service]] = {}
    spans = []
    for span in trace.spans:
        new = (f"p{len(processes) + 1}", span.service)
        process, _ = processes.setdefault(id(span.service), new)
        spans.append(_span(span, process))
    return {
        "data": [
            {
                "traceID": trace.trace_id,
                "spans": spans,
                "processes": {
                    process: {"serviceName": service.name, "tags": _tags(service.attributes)}
                    for process, service in processes.values()
                },
                "warnings": None,
            }
        ],
        "total": 0,
        "limit": 0,
        "offset": 0,
        "errors": None,
    }


def _span(span: Span, process: str) -> dict[str, Any]:
    start = span.start_ns // 1000
    references = [_reference("FOLLOWS_FROM", link.trace_id, link.span_id) for link in span.links]
    if span.parent_id:
        references.insert(0, _reference("CHILD_OF", span.trace_id, span.parent_id))
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "operationName": span.name,
        "references": references,
        "startTime": start,
        "duration": max(span.end_ns // 1000 - start, 0),
        "tags": [*_tags(span.attributes), *_tags(_fields(span))],
        "logs": [_log(event) for event in span.events],
        "processID": process,
        "warnings": None,
    }


def _reference(kind: str, trace_id: str, span_id: str) -> dict[str, str]:
    return {"refType": kind, "traceID": trace_id, "spanID": span_id}


def _fields(span: Span) -> dict[str, Any]:
    """What is a field in OTLP, and a tag here."""
    made: dict[str, Any] = {
        "span.kind": _KINDS.get(span.kind, ""),
        "otel.scope.name": span.scope,
        "otel.scope.version": span.scope_version,
        "otel.status_code": _STATUS.get(span.status, ""),
        "otel.status_description": span.message,
        "w3c.tracestate": span.trace_state,
        "error": span.is_error,
    }
    return {key: value for key, value in made.items() if value}


def _log(event: Event) -> dict[str, Any]:
    fields = _tags({"event": event.name, **event.attributes})
    return {"timestamp": event.time_ns // 1000, "fields": fields}


def _tags(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_tag(key, value) for key, value in attributes.items()]


def _tag(key: str, value: Any) -> dict[str, Any]:
    found = plain_value(value)
    if isinstance(value, bool):
        return {"key": key, "type": "bool", "value": value}
    if isinstance(value, int):
        return {"key": key, "type": "int64", "value": value}
    if isinstance(found, float):
        return {"key": key, "type": "float64", "value": found}
    if isinstance(value, bytes):
        return {"key": key, "type": "binary", "value": found}
    return {"key": key, "type": "string", "value": value_text(value)}
