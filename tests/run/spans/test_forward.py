"""Sending on: in a thread, with a queue that has an end; nothing breaks the run."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult
from starlette.applications import Starlette

from amctl.run.spans.forward import Forwarder, make_exporter
from amctl.run.spans.intake import SpanIntake
from tests.run.spans.made import request
from tests.support.web_server import serve

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.realtime


class Exporter:
    """Counts what it is given."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.result: Any = SpanExportResult.SUCCESS
        self.go = threading.Event()
        self.go.set()
        self.closed = False

    def export(self, spans: Sequence[Any]) -> Any:
        self.go.wait(10)
        if isinstance(self.result, Exception):
            raise self.result
        self.names += [span.name for span in spans]
        return self.result

    def shutdown(self) -> None:
        self.closed = True


async def test_what_is_put_is_sent_in_order() -> None:
    exporter, told = Exporter(), list[str]()
    forwarder = Forwarder(lambda: exporter, told.append)
    for name in "abc":
        forwarder.put(request(name))
    await forwarder.close(5.0)
    assert exporter.names == ["a", "b", "c"]
    assert (forwarder.sent, forwarder.lost, told, exporter.closed) == (3, 0, [], True)


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (SpanExportResult.FAILURE, "the receiver didn't take them"),
        (RuntimeError("odd"), "RuntimeError: odd"),
    ],
)
async def test_what_fails_is_counted_and_told_once(result: Any, why: str) -> None:
    exporter, told = Exporter(), list[str]()
    exporter.result = result
    forwarder = Forwarder(lambda: exporter, told.append)
    forwarder.put(request("a", "b"))
    forwarder.put(request("c"))
    await forwarder.close(5.0)
    assert (forwarder.sent, forwarder.lost) == (0, 3)
    assert told == [f"spans aren't sent on: {why}"]


async def test_the_queue_has_an_end() -> None:
    exporter, told = Exporter(), list[str]()
    exporter.go.clear()
    forwarder = Forwarder(lambda: exporter, told.append, most=2)
    for name in "abcde":
        forwarder.put(request(name))
        await asyncio.sleep(0)
    exporter.go.set()
    await forwarder.close(5.0)
    assert exporter.names == ["a", "b", "c"]
    assert (forwarder.sent, forwarder.lost) == (3, 2)
    assert told == ["spans aren't sent on: too many wait"]


async def test_a_receiver_that_hangs_costs_only_the_grace() -> None:
    exporter, told = Exporter(), list[str]()
    exporter.go.clear()
    forwarder = Forwarder(lambda: exporter, told.append)
    forwarder.put(request("a"))
    forwarder.put(request("b"))
    await asyncio.sleep(0.05)
    await forwarder.close(0.05)
    assert forwarder.lost >= 1
    exporter.go.set()


async def test_an_exporter_that_cant_be_made_is_a_failure_like_others() -> None:
    told: list[str] = []

    def broken() -> Any:
        raise OSError("no such host")

    forwarder = Forwarder(broken, told.append)
    forwarder.put(request("a"))
    await forwarder.close(5.0)
    assert (forwarder.lost, told) == (1, ["spans aren't sent on: OSError: no such host"])


@pytest.mark.slow
async def test_the_official_exporter_feeds_an_intake_of_ours() -> None:
    """The same door twice: what one run sends on, another one takes."""
    taken: list[dict[str, Any]] = []
    app = Starlette(routes=[SpanIntake(taken.append).route])
    async with serve(app) as url:
        forwarder = Forwarder(lambda: make_exporter(url, "", "http/protobuf"), print)
        forwarder.put(request("a", "b"))
        await forwarder.close(10.0)
    spans = [s for t in taken for s in t["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    assert [span["name"] for span in spans] == ["a", "b"]
    assert forwarder.sent == 2
