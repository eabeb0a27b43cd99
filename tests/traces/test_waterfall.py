"""A trace as lines: goldens of a real run, any width, hostile names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amctl.traces.model import Trace
from amctl.traces.outline import Outline
from amctl.traces.picking import Filters
from amctl.traces.text import width
from amctl.traces.waterfall import ASCII, Look, Waterfall
from tests.traces.made import HOSTILE, Maker, recorded, traces

if TYPE_CHECKING:
    from collections.abc import Callable


def text(trace: Trace, look: Look, filters: Filters | None = None) -> str:
    lines = Waterfall(Outline(trace), filters or Filters(), look).lines()
    return "".join(f"{line.text}\n" for line in lines)


@pytest.mark.parametrize("columns", [80, 140])
def test_a_real_run(golden: Callable[[str, str], None], columns: int) -> None:
    golden(f"traces/show-{columns}.txt", text(recorded(), Look(columns)))


def test_a_real_run_in_ascii_with_all_links(golden: Callable[[str, str], None]) -> None:
    filters = Filters(services=frozenset(["browser3"]))
    made = text(recorded(), Look(100, ascii=True, links=True), filters)
    assert made.isascii()
    golden("traces/show-ascii.txt", made)


def lamp() -> Trace:
    made = Maker()
    go = made.add("0: [add] Go", 0, 1, service="remote")
    _, states, transitions = made.machine("lamp")
    name = made.add("0:On [M]", parent=states)
    made.add("0:On [M]", 0, 40, parent=name, events=(("x", 20),))
    made.add("0:On [M]", 41, 59, parent=name)
    made.add("0: [add] On", 0, 1, parent=transitions, links=((go, "source"),), states_diff="+On")
    made.add("0: [add] Off", 50, 50, parent=transitions, accepted=False)
    made.add("0: !Bad", 60, 1, parent=transitions, error="it broke")
    return made.trace()


def test_bars_marks_and_links(golden: Callable[[str, str], None]) -> None:
    golden("traces/lamp.txt", text(lamp(), Look(70)))


def test_a_cause_that_the_file_has_not_is_told() -> None:
    trace = lamp()
    without = Trace(trace.trace_id, tuple(s for s in trace.spans if s.service.name != "remote"))
    assert "<- span 0000000000000001, not in this file" in text(without, Look(140))


def test_glyphs_take_one_column_each() -> None:
    assert all(len(glyph) == 1 and glyph.isascii() for glyph in ASCII)


@pytest.mark.parametrize("columns", range(20, 200, 7))
def test_a_real_run_fits_any_width(columns: int) -> None:
    for look in (Look(columns), Look(columns, ascii=True, links=True)):
        lines = text(recorded(), look, Filters(everything=True)).splitlines()
        assert max(map(width, lines)) <= columns


@pytest.mark.slow
@settings(max_examples=30)
@given(traces(), st.integers(20, 160), st.booleans())
def test_any_trace_fits_any_width(trace: Trace, columns: int, everything: bool) -> None:
    for line in text(trace, Look(columns), Filters(everything=everything)).split("\n"):
        assert width(line) <= columns
        assert line.isprintable()


def test_hostile_names_stay_in_their_line() -> None:
    made = Maker()
    for name in HOSTILE:
        first = made.add(name, 1, 2, service=name)
        made.add(name, 1, 2, service="x", links=((first, "source"),), error=name)
    lines = text(made.trace(), Look(60)).splitlines()
    assert len(lines) == 1 + 3 * len(HOSTILE) + 1 + len(HOSTILE)
    assert all(width(line) <= 60 and line.isprintable() for line in lines)
