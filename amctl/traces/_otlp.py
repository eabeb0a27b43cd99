"""OTLP JSON documents as spans.

Readers of the protocol must take what its JSON mapping allows: integers as texts or numbers,
enumerations as numbers or names, ids in either case (old writers have them in base64).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from amctl.traces.model import Event, Link, Service, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DROPPED, LAST = "am.dropped_spans", "am.last"
"""Attributes of a resource that tell of a batch, not of the service."""

_TRACE, _SPAN = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}")
_NONE = re.compile(r"0*")
_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
_KINDS = {
    f"SPAN_KIND_{name}": number
    for number, name in enumerate(
        ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
    )
}
_SHARED = 48
"""Texts up to this length are kept once, as they are likely to come again."""

Scope = tuple[str, str]


class Converter:
    """Makes spans of documents; what is equal is kept once."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._services: dict[str, Service] = {}

    def resource(self, found: Mapping[str, Any]) -> tuple[Service, int]:
        """A resource's service, and how many spans it says were lost."""
        about = self.attributes(found)
        dropped = about.pop(DROPPED, 0)
        about.pop(LAST, None)
        name = text(about.pop("service.name", "")) or "unknown"
        key = repr((name, sorted(about.items(), key=lambda pair: pair[0])))
        service = self._services.setdefault(key, Service(name, about))
        return service, dropped if isinstance(dropped, int) else 0

    def span(self, raw: Mapping[str, Any], service: Service, scope: Scope) -> Span:
        """One span.

        Raises:
            ValueError, TypeError, AttributeError: It is none.
        """
        status = raw.get("status") or {}
        start = int(raw.get("startTimeUnixNano") or 0)
        parent = raw.get("parentSpanId") or ""
        return Span(
            trace_id_of(raw),
            span_id_of(raw),
            "" if _NONE.fullmatch(parent) else hex_id(parent, _SPAN, 8),
            self.shared(text(raw.get("name"))),
            service,
            start,
            max(int(raw.get("endTimeUnixNano") or 0), start),
            self.attributes(raw),
            tuple(self._event(one) for one in raw.get("events") or ()),
            tuple(self._link(one) for one in raw.get("links") or ()),
            enum(status.get("code"), _CODES),
            text(status.get("message")),
            enum(raw.get("kind"), _KINDS),
            *scope,
            self.shared(text(raw.get("traceState"))),
        )

    def attributes(self, holder: Mapping[str, Any]) -> dict[str, Any]:
        """Attributes of anything that has some."""
        return {
            self.shared(text(item.get("key"))): self._value(item.get("value"))
            for item in holder.get("attributes") or ()
        }

    def shared(self, found: str) -> str:
        """The same text, once."""
        return self._texts.setdefault(found, found) if len(found) <= _SHARED else found

    def _event(self, raw: Mapping[str, Any]) -> Event:
        time = int(raw.get("timeUnixNano") or 0)
        return Event(time, self.shared(text(raw.get("name"))), self.attributes(raw))

    def _link(self, raw: Mapping[str, Any]) -> Link:
        trace, span = hex_id(raw["traceId"], _TRACE, 16), hex_id(raw["spanId"], _SPAN, 8)
        return Link(self.shared(trace), span, self.attributes(raw))

    def _value(self, value: Any) -> Any:
        for kind, found in (value or {}).items():
            if kind == "stringValue":
                return self.shared(text(found))
            if kind == "intValue":
                return int(found)
            if kind == "doubleValue":
                return float(found)
            if kind == "bytesValue":
                return base64.b64decode(found)
            if kind == "arrayValue":
                return [self._value(item) for item in found.get("values") or ()]
            if kind == "kvlistValue":
                return self.attributes({"attributes": found.get("values")})
            return bool(found) if kind == "boolValue" else text(found)
        return None


def raw_spans(
    document: Mapping[str, Any], converter: Converter
) -> Iterator[tuple[Mapping[str, Any], Service, Scope]]:
    """Each span of an OTLP document as it stands there, with its service and scope.

    Raises:
        ValueError, TypeError, AttributeError: It is no such document.
    """
    for resource in document.get("resourceSpans") or ():
        service, _ = converter.resource(resource.get("resource") or {})
        # one word for scopes until 2022
        for held in resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or ():
            about = held.get("scope") or {}
            scope = (
                converter.shared(text(about.get("name"))),
                converter.shared(text(about.get("version"))),
            )
            for span in held.get("spans") or ():
                yield span, service, scope


def dropped(document: Mapping[str, Any], converter: Converter) -> int:
    """Spans that the makers of a document say they lost."""
    return sum(
        converter.resource(resource.get("resource") or {})[1]
        for resource in document.get("resourceSpans") or ()
    )


def trace_id_of(raw: Mapping[str, Any]) -> str:
    """The trace that a span belongs to.

    Raises:
        ValueError, TypeError: It has none.
    """
    return hex_id(raw.get("traceId"), _TRACE, 16)


def span_id_of(raw: Mapping[str, Any]) -> str:
    """A span's own id.

    Raises:
        ValueError, TypeError: It has none.
    """
    return hex_id(raw.get("spanId"), _SPAN, 8)


def hex_id(found: Any, wanted: re.Pattern[str], size: int) -> str:
    """An id in small hexadecimal digits.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(found, str):
        raise ValueError("an id is missing")
    digits = found.lower()
    if not wanted.fullmatch(digits):
        try:
            digits = base64.b64decode(found, validate=True).hex()
        except binascii.Error as error:
            raise ValueError(f"an id is {found[:40]!r}") from error
    if len(digits) != 2 * size or _NONE.fullmatch(digits):
        raise ValueError(f"an id is {found[:40]!r}")
    return digits


def enum(found: Any, names: Mapping[str, int]) -> int:
    """An enumeration's number, of its number or name."""
    if isinstance(found, str) and not found.isdigit():
        return names.get(found, 0)
    return int(found or 0)


def text(found: Any) -> str:
    """A text; empty for nothing."""
    return found if isinstance(found, str) else "" if found is None else str(found)
