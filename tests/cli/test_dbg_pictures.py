"""Pictures of the debugger's folder (debugger_ui.md 2.11)."""

from __future__ import annotations

import pytest

from amctl.cli._dbg_pictures import Pictures, neighbours
from amctl.machine import StateDef
from tests.debugger.panes import lamp


def test_s211_neighbours_but_not_through_start_and_ready() -> None:
    states = {
        "A": StateDef(require=("B", "Start")),
        "B": StateDef(),
        "C": StateDef(add=("B",)),
        "D": StateDef(after=("C",)),
        "E": StateDef(require=("Start",)),
        "Start": StateDef(),
    }
    assert neighbours(states, "A") == {"A", "B", "C", "Start"}
    assert neighbours(states, "Start") >= {"Start", "A", "E", "B"}
    assert neighbours(states, "X") == {"X"}


@pytest.mark.parametrize("level", [1, 2, 3])
def test_s211_a_machine(level: int) -> None:
    text = Pictures().machine(lamp(), "lamp", level, None).decode()
    assert "<svg" in text
    assert "Plugged" in text


def test_s211_a_group_of_a_machine() -> None:
    text = Pictures().machine(lamp(), "lamp", 1, frozenset({"On"})).decode()
    assert "ErrBulb" not in text


def test_s211_state_and_graph() -> None:
    text = Pictures().state(lamp(), "lamp", "On").decode()
    assert "Plugged" in text
    assert "ErrBulb" not in text
    assert "lamp" in Pictures().graph(lamp()).decode()


def test_s211_steps() -> None:
    tx = f"{3:016x}"
    whole = Pictures().steps(lamp(), "lamp", tx, None, relations=True).decode()
    part = Pictures().steps(lamp(), "lamp", tx, None, relations=False).decode()
    few = Pictures().steps(lamp(), "lamp", tx, frozenset({"On"}), relations=False).decode()
    assert len(whole) > len(part) > len(few)
    assert ">require<" in whole
    assert ">require<" not in part
