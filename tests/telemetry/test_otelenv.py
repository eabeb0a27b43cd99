"""Tracing by the environment (otel.md, sections 1 and 2)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from amctl.machine import Machine
from amctl.telemetry import otelenv
from amctl.telemetry.otelenv import trace_from_environment
from amctl.telemetry.otelfilter import FilterError

if TYPE_CHECKING:
    from collections.abc import Mapping

ON = {"AM_OTEL_TRACE": "1", "AM_SERVICE": "svc", "AM_OTEL_TRACE_TXS": "1"}


class Exported:
    """What was sent, by which services."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.services: list[str] = []

    def make(self, service: str, environ: Mapping[str, str]) -> TracerProvider:
        self.services.append(service)
        made = TracerProvider(shutdown_on_exit=False)
        made.add_span_processor(SimpleSpanProcessor(self.exporter))
        return made

    def names(self) -> list[str]:
        return [span.name for span in self.exporter.get_finished_spans()]


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Exported:
    monkeypatch.setattr(otelenv, "_providers", {})
    return Exported()


@pytest.mark.parametrize("missing", ["AM_OTEL_TRACE", "AM_SERVICE"])
def test_without_both_variables_nothing_happens(exported: Exported, missing: str) -> None:
    machine = Machine("m", {"A": {}})
    environ = {**ON, missing: ""}
    assert trace_from_environment(machine, environ, make_provider=exported.make) is None
    assert not machine.tracers


def test_children_inherit_and_arent_bound_by_themselves(exported: Exported) -> None:
    parent = Machine("p", {"A": {}})
    child = Machine("c", {"A": {}}, parent=parent)
    assert trace_from_environment(child, ON, make_provider=exported.make) is None


def test_a_trace_begins_with_a_root(exported: Exported) -> None:
    before = dict(os.environ)
    machine = Machine("m", {"A": {}})
    tracing = trace_from_environment(machine, ON, make_provider=exported.make)
    assert tracing is not None
    machine.add("A")
    assert tracing.shut()
    assert exported.names()[:2] == ["root", "mach:0:m"]
    assert "0: [add] A" in exported.names()
    root, top, *_ = exported.exporter.get_finished_spans()
    assert top.parent is not None
    assert root.context is not None
    assert top.parent.span_id == root.context.span_id
    assert dict(os.environ) == before, "nothing is written into the environment"


def test_a_second_process_joins_the_trace(exported: Exported) -> None:
    one = trace_from_environment(Machine("m", {"A": {}}), ON, make_provider=exported.make)
    assert one is not None
    environ = {**ON, **one.environ()}
    two = trace_from_environment(Machine("n", {"A": {}}), environ, make_provider=exported.make)
    assert two is not None
    assert two.root == one.root
    assert exported.names().count("root") == 1
    assert exported.services == ["svc"], "machines of a process share a service's provider"


@pytest.mark.parametrize("bad", [{"AM_OTEL_TRACE_ID": "xyz"}, {"AM_OTEL_SPAN_ID": "0" * 16}])
def test_a_remote_parent_that_is_none_begins_a_trace(
    exported: Exported, bad: dict[str, str]
) -> None:
    environ = {**ON, "AM_OTEL_TRACE_ID": "ab" * 16, "AM_OTEL_SPAN_ID": "cd" * 8, **bad}
    trace_from_environment(Machine("m", {"A": {}}), environ, make_provider=exported.make)
    assert "root" in exported.names()


def test_a_bad_expression_is_an_error(exported: Exported) -> None:
    environ = {**ON, "AM_OTEL_TRACE_SKIP_STATES_RE": "("}
    with pytest.raises(FilterError):
        trace_from_environment(Machine("m", {"A": {}}), environ, make_provider=exported.make)


@pytest.mark.realtime
async def test_closing_waits_in_a_thread(exported: Exported) -> None:
    machine = Machine("m", {"A": {}})
    tracing = trace_from_environment(machine, ON, make_provider=exported.make)
    assert tracing is not None
    machine.add("A")
    assert await tracing.close()
    assert not machine.tracers


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_the_providers_of_both_protocols_can_be_made(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {**ON, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    provider = otelenv._provider("svc", environ)
    assert provider.resource.attributes["service.name"] == "svc"
    provider.shutdown()
