"""Rows of a trace: folded, complete, in order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from amctl.traces.model import Trace
from amctl.traces.outline import Outline, is_idle_auto
from tests.traces.made import TRACE, Maker, recorded, traces


def shown(outline: Outline) -> list[str]:
    return [f"{'  ' * row.depth}{row.kind} {row.label}" for row in outline.rows]


def lamp() -> Maker:
    """A run's root, a machine with a child, and a browser's machine below the same root."""
    made = Maker()
    root = made.add("root", service="lamp")
    top, states, transitions = made.machine("lamp", parent=root)
    name = made.add("0:On", parent=states)
    made.add("0:On", 1, 5, parent=name)
    made.add("0:On", 8, 5, parent=name)
    made.add("0: [add] On", 1, 1, parent=transitions)
    group = made.add("0:submachines", parent=top)
    child, _, _ = made.machine("bulb", 1, parent=group)
    made.add("user's own", 2, 3, parent=child)
    made.machine("browser1")
    return made


def test_nesting_spans_become_the_rows_they_stand_for() -> None:
    assert shown(Outline(lamp().trace())) == [
        "machine lamp",
        "  states states",
        "    state On",
        "      instance On #1",
        "      instance On #2",
        "  transitions transitions",
        "    transition [add] On",
        "  machine bulb",
        "    states states",
        "    transitions transitions",
        "    span user's own",
        "machine browser1",
        "  states states",
        "  transitions transitions",
    ]


def test_a_service_with_other_machines_has_a_row_of_its_own() -> None:
    made = Maker()
    root = made.add("root", service="home")
    made.machine("a", 0, parent=root)
    made.machine("b", 1, parent=root)
    assert [row.kind for row in Outline(made.trace()).rows if row.depth < 2] == [
        "service",
        "machine",
        "machine",
    ]
    assert Outline(made.trace()).machines == {"a": "", "b": ""}


def test_machines_know_their_parents_and_rows_their_machine() -> None:
    outline = Outline(lamp().trace())
    assert outline.machines == {"lamp": "", "bulb": "lamp", "browser1": ""}
    assert {row.machine for row in outline.rows} == {"lamp", "bulb", "browser1"}


def test_spans_of_anything_are_rows_below_their_parents() -> None:
    made = Maker()
    get = made.add("GET /", 0, 9, service="web")
    query = made.add("select", 1, 2, parent=get, service="db")
    made.add("render", 4, 2, parent=get)
    made.add("back", 1, 1, parent=query, service="web")
    assert shown(Outline(made.trace())) == [
        "service web",
        "  span GET /",
        "    span render",
        "  span back",
        "service db",
        "  span select",
    ]


def test_a_deep_trace_needs_no_deep_stack() -> None:
    made = Maker()
    span = made.add("0")
    for number in range(5000):
        span = made.add(str(number), parent=span)
    outline = Outline(made.trace())
    assert outline.rows[-1].depth == 5001
    assert len(outline.below(0)) == 5001


def test_refused_auto_transitions_are_known() -> None:
    made = Maker()
    tries = [
        made.add("x", accepted=False, auto=True),
        made.add("x", accepted=False, auto=False),
        made.add("x", accepted=True, auto=True),
        made.add("x", accepted=False, auto=True, error="e"),
        made.add("x"),
    ]
    assert [is_idle_auto(span) for span in tries] == [True, False, False, False, False]


def check(trace: Trace) -> None:
    outline = Outline(trace)
    drawn = [span for row in outline.rows if row.kind != "instance" for span in row.spans]
    assert len(drawn) == len({span.span_id for span in drawn})
    # a group of submachines is the only thing that has no row
    for span in trace.spans:
        there = span.span_id in outline.row_of
        assert there or span.name.endswith(":submachines")
    for index, row in enumerate(outline.rows):
        assert row.parent < index
        above = outline.rows[row.parent].depth if row.parent >= 0 else -1
        assert row.depth == above + 1
        assert row.service in trace.services


def test_the_real_run_is_whole() -> None:
    check(recorded())


@pytest.mark.slow
@settings(max_examples=60)
@given(traces())
def test_any_trace_has_each_span_once(trace: Trace) -> None:
    check(trace)


def test_a_ring_is_cut_at_its_earliest_span() -> None:
    made = Maker()
    first = made.add("a", 1)
    second = made.add("b", 2, parent=first)
    ring = type(first)(
        TRACE, first.span_id, second.span_id, "a", first.service, first.start_ns, first.end_ns
    )
    assert shown(Outline(Trace(TRACE, (ring, second)))) == [
        "service lamp",
        "  span a",
        "    span b",
    ]
