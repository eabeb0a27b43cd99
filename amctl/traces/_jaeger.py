"""Jaeger's JSON (its UI's download, its query API) as OTLP documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.traces._otlp import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_STATUS = {"OK": 1, "ERROR": 2}
_OWN = frozenset(
    (
        "error",
        "otel.scope.name",
        "otel.scope.version",
        "otel.status_code",
        "otel.status_description",
        "span.kind",
        "w3c.tracestate",
    )
)
"""Tags that are fields of a span elsewhere."""


def as_otlp(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same spans as one OTLP document.

    Raises:
        ValueError, TypeError, AttributeError, KeyError: It is no document of Jaeger's.
    """
    resources = []
    for trace in document.get("data") or ():
        processes = trace.get("processes") or {}
        for span in trace.get("spans") or ():
            process = span.get("process") or processes.get(span.get("processID")) or {}
            about = _attributes(process.get("tags") or ())
            about.append(_pair("service.name", {"stringValue": text(process.get("serviceName"))}))
            tags = {text(tag["key"]): tag for tag in span.get("tags") or ()}
            scope = {
                name: text(tags[f"otel.scope.{name}"].get("value"))
                for name in ("name", "version")
                if f"otel.scope.{name}" in tags
            }
            held = {"scope": scope, "spans": [_span(span, tags)]}
            resources.append({"resource": {"attributes": about}, "scopeSpans": [held]})
    return {"resourceSpans": resources}


def _span(span: Mapping[str, Any], tags: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    trace, start = _id(span.get("traceID"), 32), int(span.get("startTime") or 0) * 1000
    parent, links = text(span.get("parentSpanID")), []
    for reference in span.get("references") or ():
        here = _id(reference.get("traceID") or trace, 32)
        if reference.get("refType") == "CHILD_OF" and not parent and here == trace:
            parent = text(reference.get("spanID"))
        else:
            links.append({"traceId": here, "spanId": _id(reference.get("spanID"), 16)})
    return {
        "traceId": trace,
        "spanId": _id(span.get("spanID"), 16),
        "parentSpanId": _id(parent, 16) if parent.strip("0") else "",
        "name": span.get("operationName"),
        "startTimeUnixNano": start,
        "endTimeUnixNano": start + int(span.get("duration") or 0) * 1000,
        "kind": _KINDS.get(_tag(tags, "span.kind"), 0),
        "attributes": _attributes(tag for key, tag in tags.items() if key not in _OWN),
        "events": [_event(log) for log in span.get("logs") or ()],
        "links": links,
        "status": {"code": _status(tags), "message": _tag(tags, "otel.status_description")},
        "traceState": _tag(tags, "w3c.tracestate"),
    }


def _status(tags: Mapping[str, Mapping[str, Any]]) -> int:
    code = _STATUS.get(_tag(tags, "otel.status_code"), 0)
    return code or (2 if tags.get("error", {}).get("value") in (True, "true") else 0)


def _tag(tags: Mapping[str, Mapping[str, Any]], key: str) -> str:
    return text(tags.get(key, {}).get("value"))


def _event(log: Mapping[str, Any]) -> dict[str, Any]:
    fields = {text(field["key"]): field for field in log.get("fields") or ()}
    name = fields.pop("event", None) or fields.pop("message", None) or {}
    return {
        "timeUnixNano": int(log.get("timestamp") or 0) * 1000,
        "name": text(name.get("value")) or "log",
        "attributes": _attributes(fields.values()),
    }


def _attributes(tags: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_pair(text(tag["key"]), _value(tag)) for tag in tags]


def _pair(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "value": value}


def _value(tag: Mapping[str, Any]) -> dict[str, Any]:
    kind, value = tag.get("type"), tag.get("value")
    if kind == "bool" or isinstance(value, bool):
        return {"boolValue": value in (True, "true")}
    if kind == "int64":
        return {"intValue": str(value)}
    if kind == "float64":
        return {"doubleValue": value}
    if kind == "binary":
        return {"bytesValue": value}
    if kind is None and isinstance(value, int | float):
        return {"intValue" if isinstance(value, int) else "doubleValue": value}
    return {"stringValue": text(value)}


def _id(found: Any, digits: int) -> str:
    """Jaeger leaves zeros out at the front; ids of 64 bits are traces too."""
    return text(found).lower().zfill(digits)[:64]
