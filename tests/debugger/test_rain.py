"""Rain and matrix (debugger_ui.md 40, 41)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.debugger.filters import Filters
from amctl.debugger.rain import Matrix, Rain, matrix, rain
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from amctl.dump.memory import MemoryDump
from tests.debugger.panes import at, place_in_the_run, text

if TYPE_CHECKING:
    from collections.abc import Callable


def test_s41_each_character() -> None:
    session = at(3)
    session.select_state("Off")
    found = rain(session)
    assert [row.cells for row in found.rows] == [
        "2.1.",  # called, active
        "1*1.",  # queued: touched alone
        "22|.",
        "11c.",
        "11.2",
        "11.2",
        "21.1",
    ]
    assert [row.cursor for row in found.rows] == [1, 2, 3, 4, 5, 6, 7]
    assert [row.is_canceled for row in found.rows] == [n == 4 for n in range(1, 8)]
    assert [row.is_current for row in found.rows] == [n == 3 for n in range(1, 8)]
    assert found.rows[4].errors == {3}
    assert found.rows[2].called == {1}
    assert found.rows[0].wall == "1970-01-01 00:16:41.000000000"
    assert found.selected == 2


def test_rain_stays_around_the_cursor_and_shows_it_though_it_is_hidden() -> None:
    session = at(4)
    assert [row.cursor for row in rain(session, 1, 2).rows] == [3, 4, 5, 6]
    session.set_filters(Filters.none().toggled("canceled"))
    session.go(session.spot.__class__("lamp", 4))
    assert [row.cursor for row in rain(session, 1, 1).rows] == [3, 4, 5]
    session.select_group("Basic")
    assert rain(session, 0, 0).states == ("Off", "ErrBulb")


def test_s40_the_matrix_sums_types_of_steps() -> None:
    found = matrix(at(3))
    assert found.called == (False, True, False, False)
    assert found.diffs == (0, 1, 1, 0)
    assert found.cells[1][0] == 1  # require
    assert found.cells[1][2] == 1  # remove
    assert found.cells[1][1] == 32 + 4 + 2  # called, activate, handler
    assert found.cells[2][2] == 8
    assert (found.time, found.time_diff) == (4, 2)


def test_while_stepping_the_matrix_is_of_the_next_one_so_far() -> None:
    found = matrix(at(2, step=2))
    assert found.cells[1][1] == 32
    assert found.cells[1][2] == 0
    assert found.diffs == (0, 0, 0, 0)
    assert found.time == 2


def test_nothing_is_shown_where_nothing_is() -> None:
    assert matrix(at(0)) == Matrix()
    assert rain(Session(Store(MemoryDump("x")))) == Rain()


@pytest.mark.slow
def test_the_recorded_orchestrator_is_as_the_golden_file(
    golden: Callable[[str, str], None],
) -> None:
    rows = rain(place_in_the_run("orchestrator", 400), 15, 15).rows
    golden("debugger/rain.txt", text(f"{row.cells} {row.cursor} {row.wall}" for row in rows))
