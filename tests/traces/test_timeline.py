"""Idle gaps, and places on the line of time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amctl.traces.timeline import Gap, Timeline, duration_text, gaps_of
from tests.traces.made import BEGAN, Maker, recorded, traces


def ms(gap: Gap) -> tuple[float, float]:
    return (gap.start_ns - BEGAN) / 1e6, (gap.end_ns - BEGAN) / 1e6


def test_a_long_stretch_without_a_moment_is_idle_although_a_state_is_active() -> None:
    made = Maker()
    made.add("state", 0, 1000)
    for at in (*range(0, 50, 5), *range(950, 1000, 5)):
        made.add("tx", at, 1)
    assert [ms(gap) for gap in gaps_of(made.spans)] == [(46, 950)]


def test_work_from_beginning_to_end_is_not_idle() -> None:
    made = Maker()
    for at in range(0, 50, 5):
        made.add("tx", at, 1)
    long = made.add("work", 50, 900)
    made.add("tx", 950, 5)
    assert gaps_of(made.spans, [long]) == []
    assert len(gaps_of(made.spans)) == 1


def test_events_are_moments_but_not_outside_of_their_span() -> None:
    made = Maker()
    made.add("a", 0, 10)
    made.add("state", 0, 100, events=tuple(("x", at) for at in range(10, 100, 10)))
    assert gaps_of(made.spans) == []
    made = Maker()
    made.add("a", 0, 1, events=tuple(("x", at) for at in range(10, 90, 10)))
    made.add("b", 95, 5)
    assert [ms(gap) for gap in gaps_of(made.spans)] == [(1, 95)]


def test_one_span_has_no_gap() -> None:
    made = Maker()
    made.add("a", 0, 1000)
    assert gaps_of(made.spans) == []


def test_waits_between_many_rounds_are_gaps_although_each_is_short_beside_all() -> None:
    made = Maker()
    for at in range(0, 20_000, 1000):
        for inside in range(0, 100, 10):
            made.add("tx", at + inside, 5)
    gaps = gaps_of(made.spans)
    assert {round(gap.duration_ns / 1e6) for gap in gaps} == {905}
    assert len(gaps) == 19
    assert 0.25 < 19 * Timeline(made.spans[0].start_ns, made.spans[-1].end_ns, gaps).share <= 0.3


def test_the_wait_for_browsers_is_a_gap_of_the_real_run() -> None:
    gaps = gaps_of(recorded().spans)
    assert gaps[0].duration_ns > 4e9


@pytest.mark.slow
@settings(max_examples=40)
@given(traces(), st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_places_grow_with_time_and_lead_back(trace: object, places: list[float]) -> None:
    spans = trace.spans  # type: ignore[attr-defined]
    start, end = min(s.start_ns for s in spans), max(s.end_ns for s in spans)
    gaps = gaps_of(spans)
    assert all(a.end_ns <= b.start_ns for a, b in pairwise(gaps))
    line = Timeline(start, end, gaps)
    found = [line.place(line.time(place)) for place in sorted(places)]
    assert found == sorted(found)
    assert line.place(start - 5) == line.place(start) == 0
    assert line.place(end + 5) == line.place(end) == (1 if end > start else 0)
    for gap in gaps:
        assert line.place(gap.end_ns) - line.place(gap.start_ns) < 0.04
    for moment in (start, end, (start + end) // 2):
        assert abs(line.time(line.place(moment)) - moment) <= 1 + (end - start) * 1e-12


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0µs"),
        (1_234, "1µs"),
        (999_400, "999µs"),
        (999_600, "1.00ms"),
        (9_994_000, "9.99ms"),
        (9_996_000, "10.0ms"),
        (319_400_000, "319ms"),
        (999_600_000, "1.00s"),
        (59_900_000_000, "59.9s"),
        (59_960_000_000, "1m00s"),
        (7_500_000_000_000, "2h05m"),
        (4 * 10**14, "4d"),
    ],
)
def test_durations_take_at_most_seven_signs(ns: int, text: str) -> None:
    assert duration_text(ns) == text
    assert len(text) <= 7
    assert duration_text(ns, ascii=True).isascii()
