"""Spans through OpenTelemetry's own API: for programs that have a provider and exporters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from amctl.telemetry.spans import SpanRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span as ApiSpan
    from opentelemetry.trace import Tracer as ApiTracer

    from amctl.telemetry.spans import AttributeValue

__all__ = ["SdkSink", "SdkSpan", "context_of"]

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class SdkSpan:
    """One span; see `amctl.telemetry.spans.Span`."""

    __slots__ = ("_span", "ref")

    def __init__(self, span: ApiSpan) -> None:
        self._span = span
        context = span.get_span_context()
        self.ref = SpanRef(f"{context.trace_id:032x}", f"{context.span_id:016x}")

    def set(self, name: str, value: AttributeValue) -> None:
        """Give it an attribute."""
        if self._span.is_recording():
            self._span.set_attribute(name, value)

    def event(
        self, name: str, time_ns: int, attributes: Mapping[str, AttributeValue] | None = None
    ) -> None:
        """Note a moment."""
        if self._span.is_recording():
            self._span.add_event(name, attributes, time_ns)

    def link(self, ref: SpanRef, kind: str) -> None:
        """Point to another span."""
        if self._span.is_recording():
            self._span.add_link(_context(ref), {"am.link": kind})

    def fail(self, kind: str, text: str, time_ns: int) -> None:
        """Its status is an error."""
        if self._span.is_recording():
            self._span.set_status(Status(StatusCode.ERROR, text or kind))
            what = {"exception.type": kind, "exception.message": text}
            self._span.add_event("exception", what, time_ns)

    def end(self, time_ns: int) -> None:
        """It is over."""
        if self._span.is_recording():
            self._span.end(time_ns)


class SdkSink:
    """Begins spans with a tracer of OpenTelemetry.

    Args:
        tracer: Of whatever provider; it decides on sampling and ids.
    """

    def __init__(self, tracer: ApiTracer) -> None:
        self._tracer = tracer

    def start(
        self,
        name: str,
        parent: SpanRef | None,
        time_ns: int,
        attributes: Iterable[tuple[str, AttributeValue]] = (),
        ref: SpanRef | None = None,
    ) -> SdkSpan:
        """Begin a span. Its ids are the provider's matter; `ref` is of no effect."""
        span = self._tracer.start_span(
            name, context_of(parent), attributes=dict(attributes), start_time=time_ns
        )
        return SdkSpan(span)


def context_of(ref: SpanRef | None) -> Context:
    """A context in which that span is the current one, so that a program's own spans nest in it.

    None is one without any: the next span begins a trace.
    """
    from opentelemetry.context import Context

    if ref is None:
        return Context()
    return set_span_in_context(NonRecordingSpan(_context(ref)), Context())


def _context(ref: SpanRef) -> SpanContext:
    return SpanContext(int(ref.trace_id, 16), int(ref.span_id, 16), True, _SAMPLED)
