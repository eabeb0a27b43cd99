"""Traces as plain values."""

from __future__ import annotations

from tests.traces.made import Maker, recorded


def test_a_trace_tells_when_and_of_whom() -> None:
    made = Maker()
    made.add("b", 5, 10, service="two", error="bad")
    made.add("a", 1, 2, service="one")
    trace = made.trace()
    assert trace.services == ("one", "two")
    assert trace.ended_ns - trace.started_ns == 14_000_000
    assert (trace.errors, trace.spans[1].is_error) == (1, True)


def test_attributes_of_machines_are_found_under_both_names() -> None:
    made = Maker()
    ours = made.add("x", tx_id="1")
    assert (ours.about("tx_id"), ours.about("nothing")) == ("1", None)
    older = type(ours)(*[*_fields(ours)[:7], {"tx_id": "2"}])
    assert older.about("tx_id") == "2"


def _fields(span: object) -> list[object]:
    return [getattr(span, name) for name in type(span).__slots__]  # type: ignore[attr-defined]


def test_links_tell_their_kind() -> None:
    kinds = {link.kind for span in recorded().spans for link in span.links}
    assert kinds == {"source", "added", "removed"}
