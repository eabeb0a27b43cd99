"""Jaeger's JSON: what its UI needs, and what comes back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from amctl.traces.jaegerjson import jaeger_document
from amctl.traces.reading import Tally, load
from tests.traces.made import Maker, recorded, traces

if TYPE_CHECKING:
    from amctl.traces.model import Trace


def test_spans_point_to_processes_parents_and_links() -> None:
    (trace,) = jaeger_document(recorded())["data"]
    ids = {span["spanID"] for span in trace["spans"]}
    assert {p["serviceName"] for p in trace["processes"].values()} == set(recorded().services)
    for span in trace["spans"]:
        assert span["processID"] in trace["processes"]
        assert all(reference["spanID"] in ids for reference in span["references"])
        parents = [r for r in span["references"] if r["refType"] == "CHILD_OF"]
        assert len(parents) == (span["operationName"] != "root")
        for tag in span["tags"]:
            kinds = {"string": str, "bool": bool, "int64": int, "float64": float}
            assert isinstance(tag["value"], kinds[tag["type"]])


def test_errors_are_tags() -> None:
    made = Maker()
    made.add("a", error="bad")
    (trace,) = jaeger_document(made.trace())["data"]
    tags = {tag["key"]: tag["value"] for tag in trace["spans"][0]["tags"]}
    assert tags == {
        "error": True,
        "otel.status_code": "ERROR",
        "otel.status_description": "bad",
    }


@pytest.mark.slow
@settings(max_examples=40)
@given(traces())
def test_any_trace_comes_back_to_the_microsecond(tmp_path_factory: Any, trace: Trace) -> None:
    path = tmp_path_factory.mktemp("jaeger") / "t.json"
    path.write_text(json.dumps(jaeger_document(trace)))
    (found,) = load([path], "", Tally())
    ours = {span.span_id: span for span in trace.spans}
    assert {span.span_id for span in found.spans} == set(ours)
    for span in found.spans:
        same = ours[span.span_id]
        assert (span.name, span.parent_id) == (same.name, same.parent_id)
        assert span.start_ns == same.start_ns // 1000 * 1000
        assert [link.span_id for link in span.links] == [link.span_id for link in same.links]
        assert span.is_error == same.is_error


def test_jaegers_own_download_is_read(tmp_path: Any) -> None:
    """Short ids, a reference to another trace, a log without a name, old error tags."""
    span: dict[str, Any] = {
        "traceID": "abc",
        "spanID": "1f",
        "operationName": "op",
        "references": [
            {"refType": "CHILD_OF", "traceID": "abc", "spanID": "2f"},
            {"refType": "FOLLOWS_FROM", "traceID": "def", "spanID": "3f"},
        ],
        "startTime": 1_700_000_000_000_000,
        "duration": 5,
        "tags": [
            {"key": "error", "type": "bool", "value": True},
            {"key": "n", "type": "float64", "value": 1.5},
            {"key": "b", "type": "binary", "value": "AQ=="},
            {"key": "span.kind", "type": "string", "value": "server"},
            {"key": "old", "value": 3},
        ],
        "logs": [{"timestamp": 1_700_000_000_000_001, "fields": [{"key": "k", "value": "v"}]}],
        "processID": "p1",
    }
    processes = {"p1": {"serviceName": "svc", "tags": [{"key": "host", "value": "h"}]}}
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"data": [{"spans": [span], "processes": processes}]}))
    (trace,) = load([path], "", Tally())
    (made,) = trace.spans
    assert (made.trace_id, made.span_id, made.parent_id) == (
        "abc".zfill(32),
        "1f".zfill(16),
        "2f".zfill(16),
    )
    assert (made.service.name, dict(made.service.attributes)) == ("svc", {"host": "h"})
    assert dict(made.attributes) == {"n": 1.5, "b": b"\x01", "old": 3}
    assert (made.kind, made.status, made.duration_ns) == (2, 2, 5000)
    assert (made.events[0].name, made.links[0].trace_id) == ("log", "def".zfill(32))
