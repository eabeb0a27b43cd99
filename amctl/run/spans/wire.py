"""OTLP requests as plain OTLP JSON objects, checked, whichever encoding they came in."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec

__all__ = ["BadSpansError", "count", "from_json", "from_protobuf", "services"]

_IDS = {"traceId": 32, "spanId": 16, "parentSpanId": 16}
_Integer = str | int


class BadSpansError(ValueError):
    """What came is no OTLP request."""


class _KeyValue(msgspec.Struct):
    key: str
    value: dict[str, Any] = {}


class _Event(msgspec.Struct):
    timeUnixNano: _Integer = 0
    name: str = ""
    attributes: list[_KeyValue] = []


class _Link(msgspec.Struct):
    traceId: str
    spanId: str
    attributes: list[_KeyValue] = []


class _Span(msgspec.Struct):
    traceId: str
    spanId: str
    name: str = ""
    parentSpanId: str = ""
    kind: int | str = 0
    startTimeUnixNano: _Integer = 0
    endTimeUnixNano: _Integer = 0
    attributes: list[_KeyValue] = []
    events: list[_Event] = []
    links: list[_Link] = []
    status: dict[str, Any] = {}


class _ScopeSpans(msgspec.Struct):
    spans: list[_Span] = []
    scope: dict[str, Any] = {}


class _Resource(msgspec.Struct):
    attributes: list[_KeyValue] = []


class _ResourceSpans(msgspec.Struct):
    scopeSpans: list[_ScopeSpans] = []
    resource: _Resource = msgspec.field(default_factory=_Resource)


class _Request(msgspec.Struct):
    resourceSpans: list[_ResourceSpans] = []


def from_json(body: bytes) -> dict[str, Any]:
    """An OTLP JSON request. What it holds beyond what we know is kept.

    Raises:
        BadSpansError: It isn't one.
    """
    try:
        raw = msgspec.json.decode(body)
        checked = msgspec.convert(raw, _Request)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BadSpansError(f"no OTLP JSON: {error}") from error
    except RecursionError as error:
        raise BadSpansError("no OTLP JSON: nested too deeply") from error
    for span in _spans_of(checked):
        _check_ids(span)
    if not isinstance(raw, dict):
        raise BadSpansError("no OTLP JSON: not an object")
    return raw


def _spans_of(request: _Request) -> list[_Span]:
    return [s for r in request.resourceSpans for scope in r.scopeSpans for s in scope.spans]


def _check_ids(span: _Span) -> None:
    _hex(span.traceId, 32, "traceId")
    _hex(span.spanId, 16, "spanId")
    if span.parentSpanId:
        _hex(span.parentSpanId, 16, "parentSpanId")
    for link in span.links:
        _hex(link.traceId, 32, "traceId")
        _hex(link.spanId, 16, "spanId")
    for name in ("startTimeUnixNano", "endTimeUnixNano"):
        try:
            int(getattr(span, name))
        except ValueError as error:
            raise BadSpansError(f"{name} is {getattr(span, name)!r:.40}, not a number") from error


def _hex(text: str, digits: int, name: str) -> None:
    try:
        good = len(text) == digits and bytes.fromhex(text) != bytes(digits // 2)
    except ValueError:
        good = False
    if not good:
        raise BadSpansError(f"{name} is {text!r:.40}, not {digits} hexadecimal digits")


def from_protobuf(body: bytes) -> dict[str, Any]:
    """A binary OTLP request, as the JSON object that says the same.

    Raises:
        BadSpansError: It isn't one.
    """
    # not at the top: a run without such clients needn't load them
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    message = ExportTraceServiceRequest()
    try:
        message.ParseFromString(body)
        raw = MessageToDict(message, use_integers_for_enums=True)
    except (DecodeError, RecursionError, ValueError) as error:
        raise BadSpansError(f"no OTLP protobuf: {error}") from error
    return from_json(json.dumps(_with_hex(raw)).encode())


def _with_hex(node: Any) -> Any:
    """OTLP's JSON has ids in hexadecimal, protobuf's own mapping has all bytes in base64."""
    if isinstance(node, list):
        return [_with_hex(item) for item in node]
    if isinstance(node, dict):
        return {
            key: base64.b64decode(value).hex() if key in _IDS else _with_hex(value)
            for key, value in node.items()
        }
    return node


def count(request: dict[str, Any]) -> int:
    """How many spans a checked request holds."""
    resources = request.get("resourceSpans", ())
    scopes = [scope for resource in resources for scope in resource.get("scopeSpans", ())]
    return sum(len(scope.get("spans", ())) for scope in scopes)


def services(request: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Name of each service in a checked request, with its resource's attributes."""
    found = []
    for resource in request.get("resourceSpans", ()):
        listed = resource.get("resource", {}).get("attributes", ())
        about = {item["key"]: item.get("value", {}) for item in listed}
        found.append((str(about.get("service.name", {}).get("stringValue", "")), about))
    return found
