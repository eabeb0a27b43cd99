"""`amctl gen`: what it writes, what it finds, and how it ends."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from amctl.cli.exitcodes import ExitCode
from amctl.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

ODD = """
from amctl.machine import Schema, State, States
from amctl.states.basic import BasicStates

class OddStates(States):
    A = State(add=["B"])
    B = State(remove=["A"])

class FineStates(BasicStates):
    C = State(require=["Start"])

class NotedStates(States):
    D = State(remove=["D"])

plain = Schema({"X": {}})
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of states."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "odd_module.py").write_text(ODD)
    (tmp_path / "empty_module.py").write_text("")
    (tmp_path / "broken_module.py").write_text("1 / 0")
    yield tmp_path
    for name in ("odd_module", "empty_module", "broken_module"):
        sys.modules.pop(name, None)


def test_states_go_to_stdout_or_to_a_file_that_is_not_there(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["gen", "states", "Downloader", "-s", "Fetching:require(Done Idle),Done,Idle"]) == 0
    text = capsys.readouterr().out
    assert '    Fetching = State(require=["Done", "Idle"])\n' in text
    words = ["gen", "states", "Downloader", "-s", "Fetching:require(Done Idle)", "-s", "Done,Idle"]
    assert run([*words, "-o", "made.py"]) == 0
    assert capsys.readouterr().out == ""
    assert (place / "made.py").read_text() == text
    assert run([*words, "-o", "made.py"]) == ExitCode.USAGE
    assert capsys.readouterr().err == "error: made.py exists\nhint: --force writes over it\n"
    assert run([*words, "-o", "made.py", "-f", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made == {"name": "Downloader", "file": "made.py", "text": text}


def test_what_can_not_be_made_is_a_matter_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gen", "states", "downloader"]) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("error: name 'downloader' is not in PascalCase\n")


@pytest.mark.parametrize("where", ["odd_module", "odd_module.py"])
@pytest.mark.usefixtures("place")
def test_lint_looks_at_every_set_of_a_module(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["gen", "lint", where]) == ExitCode.FAILED
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line[0] != " "] == [
        f"{where}:OddStates: 3 states, 2 findings",
        f"{where}:FineStates: 8 states, nothing odd",
        f"{where}:NotedStates: 2 states, 1 finding",
        f"{where}:plain: 2 states, nothing odd",
    ]
    assert "  error: A: removes itself: it adds B, which removes A [self-removal]" in lines
    assert "    let B not remove it, or add B on its own" in lines


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("odd_module:FineStates", 0),
        ("odd_module:NotedStates", 0),
        ("odd_module:plain", 0),
        ("odd_module:OddStates", 1),
        ("odd_module:FineState", 3),
        ("odd_module:State", 3),
        ("empty_module:Xyz", 3),
        ("empty_module", 3),
        ("no_such_module", 7),
        ("broken_module", 7),
        ("nowhere.py", 7),
    ],
)
@pytest.mark.usefixtures("place")
def test_lint_has_an_exit_code_for_each_case(
    target: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["gen", "lint", target, "--json"]) == code
    out, err = capsys.readouterr()
    if code <= 1:
        (found,) = json.loads(out)
        assert (found["target"], found["ok"]) == (target, code == 0)
    else:
        assert out == ""
        assert err.startswith("error: module ")
        assert "\nhint: " in err


@pytest.mark.usefixtures("place")
def test_a_class_that_is_not_there_has_a_near_match(capsys: pytest.CaptureFixture[str]) -> None:
    for name, hint in (("FineState", "did you mean odd_module:FineStates?"), ("Q", "it knows")):
        assert run(["gen", "lint", f"odd_module:{name}"]) == ExitCode.NOTHING_MATCHED
        assert f"hint: {hint}" in capsys.readouterr().err


def test_alone_it_shows_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gen"]) == 0
    assert "lint" in capsys.readouterr().out


def test_findings_as_data(place: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(["gen", "lint", "odd_module:OddStates", "--json"])
    first = json.loads(capsys.readouterr().out)[0]["findings"][0]
    assert {*first} == {"kind", "severity", "state", "text", "hint"}
