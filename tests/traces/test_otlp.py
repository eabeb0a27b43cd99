"""One OTLP object, read back without loss: by ours, and by protobuf's own parser."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from amctl.traces.otlp import otlp_document
from amctl.traces.reading import Tally, load
from tests.traces.made import recorded, traces

if TYPE_CHECKING:
    from amctl.traces.model import Trace


@pytest.mark.slow
@settings(max_examples=40)
@given(traces())
def test_any_trace_is_read_back_as_it_was(tmp_path_factory: Any, trace: Trace) -> None:
    path = tmp_path_factory.mktemp("otlp") / "t.json"
    path.write_text(json.dumps(otlp_document(trace)))
    (found,) = load([path], "", Tally())
    assert {span.span_id: span for span in found.spans} == {s.span_id: s for s in trace.spans}


def test_protobuf_takes_it_as_the_protocol_has_it() -> None:
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    document = otlp_document(recorded())
    # its parser knows ids as base64, where OTLP has them in hexadecimal
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for holder in (span, *span.get("links", ())):
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in holder:
                            holder[key] = base64.b64encode(bytes.fromhex(holder[key])).decode()
    data = ParseDict(document, TracesData())
    spans = [s for r in data.resource_spans for scope in r.scope_spans for s in scope.spans]
    ours = {bytes.fromhex(span.span_id): span for span in recorded().spans}
    assert {span.span_id for span in spans} == set(ours)
    for span in spans:
        same = ours[span.span_id]
        assert (span.name, span.start_time_unix_nano) == (same.name, same.start_ns)
        assert len(span.attributes) == len(same.attributes)
        assert len(span.links) == len(same.links)


def test_each_service_is_one_resource() -> None:
    found = otlp_document(recorded())["resourceSpans"]
    assert len(found) == len(recorded().services)
