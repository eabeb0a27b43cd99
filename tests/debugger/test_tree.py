"""The states tree (debugger_ui.md 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.debugger.session import Session
from amctl.debugger.store import Store
from amctl.debugger.tree import Branch, states_tree
from amctl.dump.memory import MemoryDump
from tests.debugger.panes import at, place_in_the_run, text

if TYPE_CHECKING:
    from collections.abc import Callable


def test_states_have_clocks_relations_and_what_happened_to_them() -> None:
    session = at(3)
    session.select_state("Off")
    tree = states_tree(session)
    assert [row.text for row in tree.rows] == ["Plugged|1", "On|1", "Off|2", "ErrBulb M|0"]
    assert [row.change for row in tree.rows] == ["", "+", "-", ""]
    assert [row.is_called for row in tree.rows] == [False, True, False, False]
    assert [row.is_active for row in tree.rows] == [True, True, False, False]
    assert [row.is_selected for row in tree.rows] == [False, False, True, False]
    assert [row.label for row in tree.rows] == ["", "", "auto", "multi"]
    assert tree.rows[3].is_error
    assert tree.rows[1].branches == (
        Branch("Require", ("Plugged",), (True,)),
        Branch("Remove", ("Off",), (False,)),
        Branch("Tags", ("light",)),
    )
    assert tree.time == 4
    assert tree.groups == {"all": 4, "- self": 2, "- Basic": 2}


def test_before_the_first_transition_all_clocks_are_0() -> None:
    tree = states_tree(at(0))
    assert [row.tick for row in tree.rows] == [0, 0, 0, 0]


def test_a_queued_one_changes_nothing() -> None:
    tree = states_tree(at(2))
    assert [row.tick for row in tree.rows] == [1, 0, 1, 0]
    assert {row.change for row in tree.rows} == {""}


def test_while_stepping_touched_states_come_first() -> None:
    tree = states_tree(at(2, step=4))
    assert tree.is_stepping
    assert [row.name for row in tree.rows] == ["Plugged", "On", "Off", "ErrBulb"]
    assert [row.mark.signs for row in tree.rows] == ["", "", "-", ""]
    assert [row.is_called for row in tree.rows] == [False, True, False, False]
    assert states_tree(at(3, step=1)).rows[0].name == "Off"


@pytest.mark.parametrize(("step", "red"), [(1, False), (2, True)])
def test_the_last_step_of_a_canceled_one_is_said(step: int, red: bool) -> None:
    assert states_tree(at(3, step=step)).is_canceled is red


def test_a_group_shows_its_own_states() -> None:
    session = at(3)
    session.select_group("Basic")
    assert [row.name for row in states_tree(session).rows] == ["Off", "ErrBulb"]


def test_without_a_machine_there_is_none() -> None:
    assert states_tree(Session(Store(MemoryDump("x")))).rows == ()


@pytest.mark.slow
def test_the_recorded_orchestrator_is_as_the_golden_file(
    golden: Callable[[str, str], None],
) -> None:
    rows = states_tree(place_in_the_run("orchestrator", 400)).rows
    shown = text(
        f"{row.text} {row.change or '.'} {'called' if row.is_called else ''} {row.label} "
        + " ".join(f"{b.title}({' '.join(b.items)})" for b in row.branches)
        for row in rows
    )
    golden("debugger/tree.txt", shown)
