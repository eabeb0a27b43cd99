"""The log around the cursor (debugger_ui.md 2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.debugger.loglines import Gutter, log_rows, spans
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from amctl.dump.memory import MemoryDump
from tests.debugger.histories import SECOND, history, lines, tx
from tests.debugger.panes import at, place_in_the_run, text

if TYPE_CHECKING:
    from collections.abc import Callable

ALL = [
    (1, "[state] +Plugged +Off (by=hand)", "log"),
    (2, "[queue] +On", "made"),
    (3, "[exter] a hand comes", "pre"),
    (3, "[state] +On -Off (by=hand)", "log"),
    (4, "[cance] +Off", "made"),
    (5, "[error] it broke", "log"),
    (5, "    lamp.py:3", "trace"),
    (5, "    main.py:9", "trace"),
    (7, "[empty] +Plugged", "made"),
]


def test_lines_of_all_transitions_around_the_cursor() -> None:
    rows = log_rows(at(3))
    assert [(row.cursor, row.text, row.kind) for row in rows] == ALL
    assert [row.cursor for row in rows if row.is_current] == [3, 3]
    gutters = {row.cursor: row.gutter for row in rows}
    assert gutters == {
        1: Gutter.EXECUTED,
        2: Gutter.QUEUED,
        3: Gutter.EXECUTED,
        4: Gutter.CANCELED,
        5: Gutter.EXECUTED,
        7: Gutter.EMPTY,
    }


@pytest.mark.parametrize(
    ("level", "texts"),
    [(0, []), (1, ["a hand comes"]), (3, ["[add] On (by=hand)", "[handler:0] OnState"])],
)
def test_s15_levels(level: int, texts: list[str]) -> None:
    found = [row.text for row in log_rows(at(3), level=level) if row.cursor == 3]
    assert [one for one in found if one in texts] == texts
    assert len(found) == {0: 0, 1: 1, 3: 4}[level]


def test_only_so_many_lines_each_way() -> None:
    rows = log_rows(at(3), 2)
    assert [row.cursor for row in rows] == [1, 2, 3, 3, 4, 5]


def test_while_stepping_the_next_one_is_current() -> None:
    assert {row.cursor for row in log_rows(at(2, step=1)) if row.is_current} == {3}


def test_stack_traces_can_be_left_out() -> None:
    assert all(row.kind != "trace" for row in log_rows(at(3), traces=False))


def test_s18_times_where_a_second_begins() -> None:
    dump = history(
        *[
            tx("a", n, (n + 1, 0, 0, 0), time_ns=at, logs=lines("[state] x"))
            for n, at in enumerate((SECOND, SECOND + 5, 2 * SECOND, 9 * SECOND, 9 * SECOND + 1))
        ]
    )
    session = Session(Store(dump))
    session.work_all()
    rows = log_rows(session, times=True)
    assert [row.cursor for row in rows if row.kind == "time"] == [1, 3, 4]
    assert rows[1].text == "1970-01-01 00:00:01.000000000 t1"


def test_s14_a_line_of_changes_names_its_first_state() -> None:
    states = [row.state for row in log_rows(at(3)) if row.text.startswith("[state]")]
    assert states == ["Plugged", "On"]


def test_parts_to_colour() -> None:
    line = "[state] +On -Off (by=hand n=3)"
    found = [(line[s.start : s.stop], s.style) for s in spans(line, ("On", "Off"), ("On",))]
    assert found == [
        ("[state]", "tag"),
        ("+On", "called"),
        ("-Off", "removed"),
        ("by", "key"),
        ("hand", "value"),
        ("n", "key"),
        ("3", "value"),
    ]
    assert [one.style for one in spans("[exter] On is on", ("On",))] == ["tag", "external"]


def test_nothing_in_a_line_moves_the_cursor_of_a_terminal() -> None:
    dump = history(tx("a", 1, (1, 0, 0, 0), logs=lines("[state] \x1b[31mred\x07", level=1)))
    session = Session(Store(dump))
    session.work_all()
    assert log_rows(session)[0].text == "[state] \\x1b[31mred\\x07"


def test_nothing_yet_is_no_line() -> None:
    assert log_rows(Session(Store(MemoryDump("x")))) == ()


@pytest.mark.slow
def test_the_recorded_orchestrator_is_as_the_golden_file(
    golden: Callable[[str, str], None],
) -> None:
    session = place_in_the_run("orchestrator", 399)
    rows = log_rows(session, 30, level=3, times=True)
    marks = ((">" if row.is_current else " ", row) for row in rows)
    golden(
        "debugger/log.txt",
        text(f"{mark} {row.cursor} {row.gutter} {row.kind}: {row.text}" for mark, row in marks),
    )
