"""Two worlds for the rules of traces: our own sink, and OpenTelemetry's SDK. Both read alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from amctl.telemetry.otelfilter import OtelOptions
from amctl.telemetry.otellight import LightSink
from amctl.telemetry.otelsdk import SdkSink
from amctl.telemetry.oteltracer import OtelTracer

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.telemetry.spans import SpanRef, SpanSink


@dataclass
class Seen:
    """A span that has ended."""

    name: str
    id: str
    parent: str
    trace: str
    start: int
    end: int
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    links: list[tuple[str, str]] = field(default_factory=list)
    """Span id and kind."""
    status: str = "unset"
    message: str = ""


class World:
    """A tracer on a clock that moves by one with each look."""

    def __init__(self, sink: SpanSink, seen: Callable[[], list[Seen]]) -> None:
        self.sink, self._seen = sink, seen
        self._clock = count(1_000)

    def now(self) -> int:
        return next(self._clock)

    def tracer(self, parent: SpanRef | None = None, **options: Any) -> OtelTracer:
        return OtelTracer(self.sink, OtelOptions(**options), parent=parent, now_ns=self.now)

    def seen(self) -> list[Seen]:
        """Everything that has ended, in the order of its beginning."""
        return sorted(self._seen(), key=lambda span: span.start)

    def names(self) -> list[str]:
        return [span.name for span in self.seen()]

    def named(self, name: str) -> list[Seen]:
        return [span for span in self.seen() if span.name == name]

    def one(self, name: str) -> Seen:
        (found,) = self.named(name)
        return found

    def path(self, span: Seen) -> list[str]:
        """Names from the top down to the span."""
        by_id = {one.id: one for one in self.seen()}
        names = [span.name]
        while span.parent in by_id:
            span = by_id[span.parent]
            names.append(span.name)
        return names[::-1]


def light_world() -> World:
    sink = LightSink("svc")
    kept: list[Seen] = []

    def seen() -> list[Seen]:
        for span in sink.take(len(sink)):
            status = "error" if span.status else "unset"
            kept.append(
                Seen(
                    span.name,
                    span.ref.span_id,
                    span.parent_id,
                    span.ref.trace_id,
                    span.start_ns,
                    span.end_ns,
                    dict(span.attributes),
                    [(e.name, dict(e.attributes or {})) for e in span.events or ()],
                    [(ref.span_id, kind) for ref, kind in span.links or ()],
                    status,
                    span.message,
                )
            )
        return list(kept)

    return World(sink, seen)


def sdk_world() -> World:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def seen() -> list[Seen]:
        return [
            Seen(
                span.name,
                f"{span.context.span_id:016x}",
                f"{span.parent.span_id:016x}" if span.parent else "",
                f"{span.context.trace_id:032x}",
                span.start_time or 0,
                span.end_time or 0,
                dict(span.attributes or {}),
                [(e.name, dict(e.attributes or {})) for e in span.events],
                [
                    (f"{x.context.span_id:016x}", str((x.attributes or {})["am.link"]))
                    for x in span.links
                ],
                "error" if span.status.status_code.name == "ERROR" else "unset",
                span.status.description or "",
            )
            for span in exporter.get_finished_spans()
        ]

    return World(SdkSink(provider.get_tracer("svc")), seen)


WORLDS = {"light": light_world, "sdk": sdk_world}
