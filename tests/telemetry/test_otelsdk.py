"""What is special of OpenTelemetry's own tracers; the rules of the tree are in test_oteltracer."""

from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from amctl.machine import Machine
from amctl.telemetry.otelfilter import OtelOptions
from amctl.telemetry.otelsdk import SdkSink, context_of
from amctl.telemetry.oteltracer import OtelTracer


def test_a_programs_own_spans_nest_in_ours() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("own")
    ours = SdkSink(tracer).start("ours", None, 1)
    with tracer.start_as_current_span("theirs", context_of(ours.ref)):
        pass
    (theirs,) = exporter.get_finished_spans()
    assert theirs.parent is not None
    assert f"{theirs.parent.span_id:016x}" == ours.ref.span_id


def test_a_provider_that_samples_nothing_gets_nothing_and_breaks_nothing() -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    machine = Machine("m", {"A": {}, "B": {"require": ["A"]}})
    sink = SdkSink(provider.get_tracer("x"))
    OtelTracer(sink, OtelOptions(), parent=None, now_ns=lambda: 1).follow(machine)
    assert machine.add("A").executed
    assert machine.add("B").executed
    machine.add_err(ValueError("x"))
    machine.dispose()
