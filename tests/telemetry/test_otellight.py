"""The sink of plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.telemetry import otellight
from amctl.telemetry.otellight import LightSink
from amctl.telemetry.spans import SpanRef

if TYPE_CHECKING:
    import pytest


def test_ids_are_unique_and_never_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [b"\0" * 2048, bytes(range(256)) * 8]
    monkeypatch.setattr(
        "amctl.telemetry.otellight.os.urandom", lambda size: drawn.pop(0) if drawn else b"\1" * size
    )
    span = LightSink("s").start("x", None, 1)
    assert set(span.ref.trace_id) != {"0"}
    assert set(span.ref.span_id) != {"0"}
    sink = LightSink("s")
    monkeypatch.undo()
    ids = {sink.start("x", None, 1).ref.span_id for _ in range(2000)}
    assert len(ids) == 2000


def test_no_randomness_is_drawn_before_the_first_span(monkeypatch: pytest.MonkeyPatch) -> None:
    """A heap that is restored many times would hold the same."""
    asked: list[int] = []

    def draw(size: int) -> bytes:
        asked.append(size)
        return b"\1" * size

    monkeypatch.setattr("amctl.telemetry.otellight.os.urandom", draw)
    sink = LightSink("s")
    assert asked == []
    sink.start("x", None, 1)
    assert len(asked) == 1


def test_a_child_is_of_its_parents_trace() -> None:
    parent = SpanRef("a" * 32, "b" * 16)
    span = LightSink("s").start("x", parent, 1)
    assert (span.ref.trace_id, span.parent_id) == (parent.trace_id, parent.span_id)


def test_ids_may_be_given() -> None:
    ref = SpanRef("a" * 32, "b" * 16)
    assert LightSink("s").start("root", None, 1, ref=ref).ref == ref


def test_what_has_ended_is_taken_once_oldest_first() -> None:
    woken: list[bool] = []
    sink = LightSink("s", lambda: woken.append(True))
    spans = [sink.start(name, None, 5) for name in "abc"]
    for span in spans:
        span.end(4)  # a clock that went back
    assert woken == [True]
    assert [span.name for span in sink.take(2)] == ["a", "b"]
    (last,) = sink.take(9)
    assert (last.name, last.end_ns) == ("c", 5)
    assert (len(sink), sink.open) == (0, 0)


def test_an_ended_span_stays_as_it_is() -> None:
    sink = LightSink("s")
    span = sink.start("a", None, 1)
    span.end(2)
    span.end(9)
    span.set("k", 1)
    span.event("e", 3)
    span.fail("E", "late", 3)
    span.link(SpanRef("a" * 32, "b" * 16), "source")
    (found,) = sink.take(9)
    assert (found.end_ns, found.attributes, found.events, found.links) == (2, {}, None, None)
    assert found.status == otellight.ENDED


def test_without_room_spans_are_lost_and_counted() -> None:
    sink = LightSink("s", limit=2)
    for _ in range(5):
        sink.start("a", None, 1).end(2)
    assert (len(sink), sink.dropped) == (2, 3)
