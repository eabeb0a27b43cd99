"""State sets to start from: what is written is a sound program in the project's own form."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine
from amctl.machine.lint import lint
from amctl.states.skeleton import MIXINS, skeleton

if TYPE_CHECKING:
    from pathlib import Path

STATES = ["Idle:auto", "Fetching:require(Start):remove(Idle)", "Got:multi:after(Fetching)"]


def made(*args: Any, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(skeleton(*args, **options), found)
    return found


def test_a_set_has_the_states_it_was_asked_for() -> None:
    states = made("Downloader", STATES, ["basic"])["DownloaderStates"]
    assert states.names()[:4] == ("Exception", "Idle", "Fetching", "Got")
    schema = states.schema()
    assert schema["Idle"].auto
    assert schema["Got"].multi
    assert schema["Fetching"].require == ("Start",)
    assert lint(schema) == []


def test_without_any_state_there_is_one_to_change() -> None:
    assert made("Door")["DoorStates"].names() == ("Exception", "Working")
    assert "DoorStates" in made("DoorStates")


def test_connected_and_disposed_bring_basic_along() -> None:
    for word in MIXINS:
        assert lint(made("Net", ["A"], [word])["NetStates"].schema()) == []


def test_handlers_fit_their_states() -> None:
    found = made("Downloader", STATES, ["basic"], handlers=True)
    m = Machine("m", found["DownloaderStates"], handlers=found["DownloaderHandlers"]())
    assert m.add(["Start", "Fetching"]).executed


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.parametrize("handlers", [False, True])
def test_what_is_written_is_formatted_linted_and_typed(tmp_path: Path, handlers: bool) -> None:
    path = tmp_path / "made.py"
    path.write_text(skeleton("Downloader", STATES, ["connected"], handlers=handlers))
    for tool in (["ruff", "check", "--no-cache"], ["ruff", "format", "--no-cache", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", *tool, str(path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (("door",), "name 'door' is not in PascalCase"),
        (("Door", ["open"]), "state 'open' is no name for a state"),
        (("Door", ["Any"]), "state 'Any' is no name for a state"),
        (("Door", ["FrontEnd"]), "state 'FrontEnd' ends in End, as handlers do"),
        (("Door", ["A", "A"]), "state 'A' stands there twice"),
        (("Door", ["A:often"]), "state 'A' can't be 'often'"),
        (("Door", ["A:require"]), "state 'A' can't be 'require'"),
        (("Door", ["A:auto(B)"]), "state 'A' can't be 'auto"),
        (("Door", ["A:require(B"]), "state 'A' can't be 'require"),
        (("Door", ["A:require(B)"]), "state 'A' has require"),
        (("Door", [], ["base"]), "no set 'base' to inherit"),
    ],
)
def test_what_can_not_be_written_says_why(args: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        skeleton(*args)
