"""OTLP JSON as the SDK's own spans, which its exporters want."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["readable_spans"]

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def readable_spans(request: Mapping[str, Any]) -> list[ReadableSpan]:
    """The spans of a checked request."""
    return [
        _span(span, Resource(_attributes(resource.get("resource", {}))), _scope(scope))
        for resource in request.get("resourceSpans", ())
        for scope in resource.get("scopeSpans", ())
        for span in scope.get("spans", ())
    ]


def _scope(scope: Mapping[str, Any]) -> InstrumentationScope:
    about = scope.get("scope", {})
    return InstrumentationScope(str(about.get("name", "")), str(about.get("version", "")) or None)


def _span(span: Mapping[str, Any], resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    trace, parent = span["traceId"], span.get("parentSpanId", "")
    status = span.get("status", {})
    return ReadableSpan(
        span.get("name", ""),
        _context(trace, span["spanId"]),
        _context(trace, parent) if parent else None,
        resource,
        _attributes(span),
        [_event(event) for event in span.get("events", ())],
        [Link(_context(x["traceId"], x["spanId"]), _attributes(x)) for x in span.get("links", ())],
        _kind(span.get("kind", 0)),
        status=Status(_code(status.get("code", 0)), status.get("message") or None),
        start_time=int(span.get("startTimeUnixNano", 0)),
        end_time=int(span.get("endTimeUnixNano", 0)),
        instrumentation_scope=scope,
    )


def _context(trace: str, span: str) -> SpanContext:
    return SpanContext(int(trace, 16), int(span, 16), is_remote=False, trace_flags=_SAMPLED)


def _event(event: Mapping[str, Any]) -> Event:
    return Event(event.get("name", ""), _attributes(event), int(event.get("timeUnixNano", 0)))


def _kind(number: Any) -> SpanKind:
    """OTLP counts from 1, and 0 is none; the SDK from 0."""
    kinds = list(SpanKind)
    return kinds[number - 1] if isinstance(number, int) and 0 < number <= len(kinds) else kinds[0]


def _code(number: Any) -> StatusCode:
    known = {0: StatusCode.UNSET, 1: StatusCode.OK, 2: StatusCode.ERROR}
    return known.get(number, StatusCode.UNSET)


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {item["key"]: _value(item.get("value", {})) for item in holder.get("attributes", ())}


def _value(value: Mapping[str, Any]) -> Any:
    for kind, found in value.items():
        if kind == "intValue":
            return int(found)
        if kind == "arrayValue":
            return [_value(item) for item in found.get("values", ())]
        if kind in ("stringValue", "boolValue", "doubleValue"):
            return found
        return str(_plain(found))
    return ""


def _plain(found: Any) -> Any:
    """A map of attributes; the SDK's have no such values, so it becomes text."""
    values: Iterable[Any] = found.get("values", ()) if isinstance(found, dict) else ()
    return {item["key"]: _value(item.get("value", {})) for item in values} if values else found
