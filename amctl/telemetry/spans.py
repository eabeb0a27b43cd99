"""Spans as the tracer of machines sees them; what becomes of them is a sink's matter.

There are two sinks. `otellight` keeps plain values and writes OTLP itself: it has no imports to
speak of, so that four browser threads don't load a library four times. `otelsdk` hands everything
to an OpenTelemetry tracer, for programs that have a provider of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["AttributeValue", "Span", "SpanRef", "SpanSink", "from_traceparent", "traceparent"]

AttributeValue = str | int | float | bool

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


class SpanRef(NamedTuple):
    """Which span is meant, in any process."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""


class Span(Protocol):
    """One span under way. Everything may be called after `end` too; then it is of no effect."""

    @property
    def ref(self) -> SpanRef: ...

    def set(self, name: str, value: AttributeValue) -> None:
        """Give it an attribute; an earlier value of that name is replaced."""

    def event(
        self, name: str, time_ns: int, attributes: Mapping[str, AttributeValue] | None = None
    ) -> None:
        """Note a moment."""

    def link(self, ref: SpanRef, kind: str) -> None:
        """Point to another span; `kind` is its attribute `am.link`."""

    def fail(self, kind: str, text: str, time_ns: int) -> None:
        """Its status is an error; `kind` is the exception's type."""

    def end(self, time_ns: int) -> None:
        """It is over."""


class SpanSink(Protocol):
    """Takes spans of one service."""

    def start(
        self,
        name: str,
        parent: SpanRef | None,
        time_ns: int,
        attributes: Iterable[tuple[str, AttributeValue]] = (),
        ref: SpanRef | None = None,
    ) -> Span:
        """Begin a span.

        Args:
            name: As tools show it.
            parent: None begins a trace.
            time_ns: Unix time in nanoseconds.
            attributes: It has from the start.
            ref: Ids to take, if the sink can; it draws new ones otherwise.
        """


def traceparent(ref: SpanRef) -> bytes:
    """The span as W3C's header value, which mutations carry to other processes."""
    return f"00-{ref.trace_id}-{ref.span_id}-01".encode()


def from_traceparent(text: bytes) -> SpanRef | None:
    """The span of such a value; None if it is none, or names nobody."""
    match = _TRACEPARENT.fullmatch(text)
    if match is None or not int(match[1], 16) or not int(match[2], 16):
        return None
    return SpanRef(match[1].decode(), match[2].decode())
