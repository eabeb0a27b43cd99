"""OTLP in both encodings becomes one kind of object; nothing else gets through."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from amctl.run.spans.readable import readable_spans
from amctl.run.spans.wire import BadSpansError, count, from_json, from_protobuf, services
from tests.run.spans.made import request


def body(**changes: Any) -> bytes:
    """A request whose one span has these fields changed."""
    made = request("a")
    made["resourceSpans"][0]["scopeSpans"][0]["spans"][0].update(changes)
    return json.dumps(made).encode()


def test_json_comes_through_as_it_is() -> None:
    made = request("a", "b")
    assert from_json(json.dumps(made).encode()) == made
    assert count(made) == 2
    assert [name for name, _ in services(made)] == ["svc"]


def test_what_we_dont_know_is_kept() -> None:
    made = json.loads(body(flags=257, traceState="x=1"))
    assert from_json(json.dumps(made).encode()) == made


def test_protobuf_says_the_same() -> None:
    made = request("a", "b")
    encoded = encode_spans(readable_spans(made)).SerializeToString()
    found = from_protobuf(encoded)
    assert readable(found) == readable(made)


def readable(made: dict[str, Any]) -> list[str]:
    return [span.to_json() for span in readable_spans(made)]


@pytest.mark.parametrize(
    "changes",
    [
        {"traceId": "xyz"},
        {"traceId": "0" * 32},
        {"spanId": "ab"},
        {"spanId": None},
        {"parentSpanId": "g" * 16},
        {"startTimeUnixNano": "soon"},
        {"name": 7},
        {"attributes": [{"value": {}}]},
        {"attributes": {"a": 1}},
        {"events": [{"timeUnixNano": []}]},
        {"links": [{"traceId": "12" * 16, "spanId": "zz" * 8}]},
        {"links": [{"traceId": "12" * 16}]},
    ],
    ids=str,
)
def test_a_field_of_the_wrong_kind_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(BadSpansError):
        from_json(body(**changes))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"nonsense", b'{"resourceSpans": 1}', b"\xff", b"[" * 9999]
)
def test_what_is_no_request_is_refused(text: bytes) -> None:
    with pytest.raises(BadSpansError):
        from_json(text)


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_never_breaks_anything(text: bytes) -> None:
    for parse in (from_json, from_protobuf):
        with contextlib.suppress(BadSpansError):
            count(parse(text))


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["resourceSpans", "scopeSpans", "spans", "resource"]), inner),
))  # fmt: skip
def test_any_json_is_taken_or_refused(value: Any) -> None:
    with contextlib.suppress(BadSpansError):
        services(from_json(json.dumps(value).encode()))
