"""Files of OTLP JSON lines."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from amctl.run.spans.store import SpanStore
from tests.run.spans.made import request

if TYPE_CHECKING:
    from pathlib import Path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_request_is_a_line(tmp_path: Path) -> None:
    store = SpanStore(tmp_path / "new")
    first, second = request("a"), request("b", "c")
    store.put(first)
    store.put(second)
    store.close()
    store.close()
    assert lines(store.path) == [first, second]
    assert (store.spans, store.failed) == (3, 0)


def test_the_official_parser_reads_it_back_without_loss(tmp_path: Path) -> None:
    store = SpanStore(tmp_path)
    store.put(request("a", "b"))
    store.close()

    def with_base64(node: Any) -> Any:
        """Protobuf's own mapping has bytes in base64, OTLP's has ids in hexadecimal."""
        if isinstance(node, list):
            return [with_base64(item) for item in node]
        if not isinstance(node, dict):
            return node
        return {
            key: base64.b64encode(bytes.fromhex(value)).decode()
            if key in ("traceId", "spanId", "parentSpanId")
            else with_base64(value)
            for key, value in node.items()
        }

    (line,) = lines(store.path)
    data = TracesData()
    json_format.ParseDict(with_base64(line), data)
    back = json_format.MessageToDict(data, use_integers_for_enums=True)
    assert back == with_base64(line)


def test_a_request_without_spans_leaves_no_file(tmp_path: Path) -> None:
    store = SpanStore(tmp_path)
    store.put(request(last=True))
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_a_new_run_sets_the_last_ones_aside(tmp_path: Path) -> None:
    for name in "abcd":
        store = SpanStore(tmp_path, keep=2)
        store.put(request(name))
        store.close()
    found = {p.name: lines(p)[0] for p in tmp_path.iterdir()}
    assert found == {
        "traces.jsonl": request("d"),
        "traces.1.jsonl": request("c"),
        "traces.2.jsonl": request("b"),
    }


def test_a_long_run_goes_on_in_a_new_file(tmp_path: Path) -> None:
    store = SpanStore(tmp_path, limit=len(json.dumps(request("a"))) * 2)
    for name in "abc":
        store.put(request(name))
    store.close()
    assert lines(tmp_path / "traces.1.jsonl") == [request("a"), request("b")]
    assert lines(store.path) == [request("c")]


def test_what_cant_be_written_is_counted_and_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SpanStore(tmp_path)
    store.put(request("a"))
    file: Any = store._file

    class Full:
        def write(self, line: bytes) -> None:
            file.write(line[:10])
            raise OSError(28, "No space left on device")

        def __getattr__(self, name: str) -> Any:
            return getattr(file, name)

    monkeypatch.setattr(store, "_file", Full())
    with pytest.raises(OSError, match="No space"):
        store.put(request("b"))
    monkeypatch.setattr(store, "_file", file)
    store.put(request("c"))
    store.close()
    assert lines(store.path) == [request("a"), request("c")]
    assert (store.spans, store.failed) == (2, 1)


def test_what_is_kept_is_sent_on_too(tmp_path: Path) -> None:
    sent: list[dict[str, Any]] = []
    store = SpanStore(tmp_path, sent.append)
    store.put(request("a"))
    store.put(request(last=True))
    store.close()
    assert sent == [request("a")]


async def test_it_waits_for_the_last_words_of_those_that_said_anything(tmp_path: Path) -> None:
    store = SpanStore(tmp_path)
    await store.until_ended(["a", "b"])  # nobody has begun
    store.put(request("x", service="a"))
    waiting = asyncio.ensure_future(store.until_ended(["a", "b"]))
    await asyncio.sleep(1)
    assert not waiting.done()
    store.put(request(service="a", last=True))
    await waiting
    store.put(request("y", service="a"))  # its thread was started again
    waiting = asyncio.ensure_future(store.until_ended(["a"]))
    await asyncio.sleep(1)
    assert not waiting.done()
    waiting.cancel()
    store.close()
