"""Steps, their marks and their relation lines (debugger_ui.md 12)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.debugger.steps import Link, handler_steps, links, marks, step_rows
from amctl.debugger.store import Record
from amctl.machine.steps import Step
from tests.debugger.histories import NAMES, machine, tx
from tests.debugger.panes import at


def lamp_record(cursor: int) -> Record:
    record = at(cursor).record
    assert record is not None
    return record


def test_steps_are_told_one_by_one() -> None:
    rows = step_rows(lamp_record(3))
    assert [row.text for row in rows] == [
        "called On",
        "On require Plugged",
        "On remove Off",
        "deactivate Off",
        "activate On",
        "handler OnState",
    ]
    assert rows[1].states == ("On", "Plugged")
    assert [row.number for row in rows] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("step", "signs"),
    [
        (0, {}),
        (1, {"On": ""}),
        (2, {"On": "", "Plugged": ""}),
        (4, {"On": "", "Plugged": "", "Off": "-"}),
        (6, {"On": "+*", "Plugged": "", "Off": "-"}),
    ],
)
def test_marks_grow_with_the_steps(step: int, signs: dict[str, str]) -> None:
    found = marks(lamp_record(3), step)
    assert {name: mark.signs for name, mark in found.items()} == signs
    assert all(mark.is_touched for mark in found.values())
    assert [name for name, mark in found.items() if mark.is_called] == (["On"] if step else [])


def test_a_canceled_one_is_marked() -> None:
    assert marks(lamp_record(4), 2)["Off"].signs == "!"


def test_relation_lines_join_their_ends() -> None:
    record = lamp_record(3)
    assert links(record, 6) == (
        Link("On", "require", "Plugged", 2),
        Link("On", "remove", "Off", 3),
    )
    assert links(record, 2) == links(record, 6)[:1]


def test_handlers_by_steps() -> None:
    assert list(handler_steps(lamp_record(3))) == [("OnState", ("On",))]


@given(
    st.lists(
        st.builds(Step, st.integers(0, 70), st.integers(-2, 9), st.integers(-2, 9),
                  st.integers(-1, 9), st.booleans(), st.booleans(), st.booleans()),
        max_size=6,
    )
)  # fmt: skip
def test_odd_steps_of_damaged_recordings_are_shown_somehow(steps: list[Step]) -> None:
    one = tx("a", 1, (1, 0, 0, 0), steps=tuple(steps))
    record = Record(one, NAMES, (), 0, machine("a"))
    assert len(step_rows(record)) == len(steps)
    marks(record, len(steps))
    links(record, len(steps))
    list(handler_steps(record))
