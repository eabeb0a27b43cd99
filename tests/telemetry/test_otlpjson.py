"""OTLP's JSON: what we write is what its protobuf messages hold."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from amctl.telemetry.otellight import LightSink
from amctl.telemetry.otlpjson import encode, traces_data
from amctl.telemetry.spans import SpanRef

VALUES = st.one_of(
    st.text(max_size=20),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)


def parsed(text: str) -> TracesData:
    """As the official parser reads it; it wants ids in base64, where OTLP says hexadecimal."""

    def with_base64(node: Any) -> Any:
        if isinstance(node, list):
            return [with_base64(item) for item in node]
        if isinstance(node, dict):
            return {key: _id(value) if key.endswith(("traceId", "panId")) else with_base64(value)
                    for key, value in node.items()}  # fmt: skip
        return node

    data = TracesData()
    json_format.ParseDict(with_base64(json.loads(text)), data)
    return data


def _id(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()


@given(st.text(max_size=20), st.dictionaries(st.text(min_size=1, max_size=9), VALUES, max_size=4))
def test_every_value_comes_through(name: str, values: dict[str, Any]) -> None:
    sink = LightSink("svc")
    span = sink.start(name, None, 1, values.items())
    span.event("moment", 2, values)
    span.end(3)
    (found,) = parsed(encode("svc", sink.take(1))).resource_spans[0].scope_spans[0].spans
    assert found.name == name
    for got in (found.attributes, found.events[0].attributes):
        assert {a.key: getattr(a.value, str(a.value.WhichOneof("value"))) for a in got} == values


def test_a_span_with_everything() -> None:
    sink = LightSink("svc")
    parent, other = SpanRef("ab" * 16, "cd" * 8), SpanRef("12" * 16, "34" * 8)
    span = sink.start("x", parent, 10)
    span.link(other, "source")
    span.fail("ValueError", "broken", 11)
    span.end(12)
    data = parsed(encode("svc", sink.take(1), dropped=3))
    (resource,) = data.resource_spans
    about = {a.key: a.value for a in resource.resource.attributes}
    assert about["service.name"].string_value == "svc"
    assert about["am.dropped_spans"].int_value == 3
    assert resource.scope_spans[0].scope.name == "svc"
    (found,) = resource.scope_spans[0].spans
    assert (found.trace_id.hex(), found.parent_span_id.hex()) == parent
    assert (found.links[0].trace_id.hex(), found.links[0].span_id.hex()) == other
    assert found.links[0].attributes[0].value.string_value == "source"
    assert (found.status.code, found.status.message) == (2, "broken")
    assert (found.start_time_unix_nano, found.end_time_unix_nano, found.kind) == (10, 12, 1)
    assert found.events[0].name == "exception"


def test_it_is_one_line() -> None:
    sink = LightSink("a\nb")
    sink.start("c\nd", None, 1).end(2)
    assert "\n" not in encode("a\nb", sink.take(1))


def test_no_spans_are_an_object_too() -> None:
    assert traces_data("svc", [])["resourceSpans"][0]["scopeSpans"][0]["spans"] == []
