"""Tracing of any program by its environment alone (otel.md, sections 1, 2 and 6).

    tracing = trace_from_environment(machine)
    ...
    await tracing.close()      # or tracing.shut(seconds) without a loop

For programs of their own; what `amctl start` runs has a file and a relay besides, see `nodes`.

# differs from Go: nothing is written into the environment. Whoever starts another process below
# this one's trace passes `tracing.environ()` on.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from typing import TYPE_CHECKING

from amctl.telemetry.otelfilter import OtelOptions
from amctl.telemetry.oteltracer import OtelTracer
from amctl.telemetry.spans import SpanRef

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.trace import TracerProvider

    from amctl.machine import MachineView

__all__ = ["EnvTracing", "trace_from_environment"]

_ID = re.compile(r"[0-9a-f]+")
_BATCH, _DELAY_MS = 50, 100
_providers: dict[str, TracerProvider] = {}
"""One of each service: machines of a process share it."""


class EnvTracing:
    """The tracing of one topmost machine."""

    def __init__(self, tracer: OtelTracer, provider: TracerProvider, root: SpanRef) -> None:
        self._tracer, self._provider = tracer, provider
        self.root = root
        """What the machine's span stands below."""

    def environ(self) -> dict[str, str]:
        """Variables that put another process below the same root."""
        return {"AM_OTEL_TRACE_ID": self.root.trace_id, "AM_OTEL_SPAN_ID": self.root.span_id}

    def shut(self, seconds: float = 2.0) -> bool:
        """End what is open and send it. Blocks for `seconds` at most; whether all was sent."""
        self._tracer.close()
        return self._provider.force_flush(int(seconds * 1000))

    async def close(self, seconds: float = 2.0) -> bool:
        """The same, in a thread."""
        self._tracer.close()
        return await asyncio.to_thread(self._provider.force_flush, int(seconds * 1000))


def trace_from_environment(
    machine: MachineView,
    environ: Mapping[str, str] | None = None,
    *,
    make_provider: Callable[[str, Mapping[str, str]], TracerProvider] | None = None,
) -> EnvTracing | None:
    """Trace a topmost machine with all its descendants, if AM_OTEL_TRACE and AM_SERVICE say so.

    Spans go to OTEL_EXPORTER_OTLP_ENDPOINT (by default Jaeger's port on this machine), by gRPC
    unless OTEL_EXPORTER_OTLP_PROTOCOL says `http/protobuf`. AM_OTEL_TRACE_ID and AM_OTEL_SPAN_ID
    name a span to stand below; else a new trace begins with a span `root`.

    Args:
        machine: Without a parent; children are traced with theirs.
        environ: The process's by default.
        make_provider: Makes the provider of a service, once.

    Returns:
        None if the machine isn't to be traced, or has a parent.

    Raises:
        FilterError: An expression is bad.
    """
    environ = os.environ if environ is None else environ
    service = environ.get("AM_SERVICE", "")
    if not environ.get("AM_OTEL_TRACE") or not service or machine.parent_id:
        return None
    options = OtelOptions.of(environ)
    # not at the top: who isn't traced shouldn't load it
    from amctl.telemetry.otelsdk import SdkSink

    if service not in _providers:
        _providers[service] = (make_provider or _provider)(service, environ)
    provider = _providers[service]
    sink = SdkSink(provider.get_tracer(service))
    root = _remote(environ)
    if root is None:
        span = sink.start("root", None, now := time.time_ns())
        span.end(now)
        root = span.ref
    tracer = OtelTracer(sink, options, parent=root, now_ns=time.time_ns, id=f"otel-{machine.id}")
    tracer.follow(machine)
    return EnvTracing(tracer, provider, root)


def _remote(environ: Mapping[str, str]) -> SpanRef | None:
    trace, span = environ.get("AM_OTEL_TRACE_ID", ""), environ.get("AM_OTEL_SPAN_ID", "")
    for text, digits in ((trace, 32), (span, 16)):
        if len(text) != digits or not _ID.fullmatch(text) or not int(text, 16):
            return None
    return SpanRef(trace, span)


def _provider(service: str, environ: Mapping[str, str]) -> TracerProvider:
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    made = TracerProvider(resource=Resource.create({SERVICE_NAME: service}))
    if environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc") == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc

        target = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or environ.get(
            "OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317"
        )
        exporter: Grpc | Http = Grpc(endpoint=target, insecure=not target.startswith("https:"))
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http

        exporter = Http()
    made.add_span_processor(
        BatchSpanProcessor(exporter, schedule_delay_millis=_DELAY_MS, max_export_batch_size=_BATCH)
    )
    return made
