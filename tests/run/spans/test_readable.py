"""OTLP JSON as the SDK's spans: nothing that its exporters send is lost."""

from __future__ import annotations

from opentelemetry.trace import SpanKind

from amctl.run.spans.readable import readable_spans
from tests.run.spans.made import PARENT, request


def test_everything_of_a_span_is_there() -> None:
    (span,) = readable_spans(request("a"))
    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == PARENT.trace_id
    assert f"{span.parent.span_id:016x}" == PARENT.span_id
    assert dict(span.attributes or {}) == {"am.tx_id": "1", "n": 3, "b": True}
    assert [event.name for event in span.events] == ["moment", "exception"]
    assert dict(span.links[0].attributes or {}) == {"am.link": "source"}
    assert (span.status.status_code.name, span.status.description) == ("ERROR", "broken")
    assert (span.start_time, span.end_time, span.kind) == (1_000, 2_000, SpanKind.INTERNAL)
    assert span.resource.attributes["service.name"] == "svc"
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "svc"


def test_odd_values_become_something() -> None:
    made = request("a")
    made["resourceSpans"][0]["scopeSpans"][0]["spans"][0].update(
        kind="SPAN_KIND_SERVER",
        status={"code": 9},
        attributes=[
            {"key": "list", "value": {"arrayValue": {"values": [{"intValue": "1"}]}}},
            {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {}}]}}},
            {"key": "none", "value": {}},
            {"key": "bytes", "value": {"bytesValue": "AAE="}},
        ],
    )
    (span,) = readable_spans(made)
    assert dict(span.attributes or {}) == {
        "list": [1],
        "map": "{'k': ''}",
        "none": "",
        "bytes": "AAE=",
    }
    assert span.status.status_code.name == "UNSET"


def test_no_spans_are_none() -> None:
    assert readable_spans({}) == []
