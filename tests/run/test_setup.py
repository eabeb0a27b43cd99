"""What the machine lacks, and how it gets it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from amctl.bundle import Node, NodeMissingError
from amctl.run import setup as room
from amctl.run.programs import Ran
from amctl.run.setup import Machine, Need, install, survey

DEBIAN_ROOT = Machine(root=True, apt=True, platform="linux")
DEBIAN_USER = Machine(root=False, apt=True, platform="linux")
MAC = Machine(root=False, apt=False, platform="darwin")
OTHER = Machine(root=True, apt=False, platform="linux")


class Runs:
    """Answers each command as told, and remembers it."""

    def __init__(self, **codes: int) -> None:
        self.commands: list[str] = []
        self._codes = codes

    def __call__(self, command: Any, **_: Any) -> Ran:
        line = " ".join(map(str, command))
        self.commands.append(line)
        code = next((c for word, c in self._codes.items() if word in line), 0)
        return Ran(code, "what it said" if code else "")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing on it."""
    monkeypatch.setattr(room, "find_browser", lambda: None)
    monkeypatch.setattr(room, "which", lambda name: None)
    monkeypatch.setattr(room, "find_node", no_node)


def no_node() -> Node:
    raise NodeMissingError


def by_name(machine: Machine, home: Path) -> dict[str, Need]:
    return {need.name: need for need in survey(home, machine)}


@pytest.mark.usefixtures("bare")
def test_root_on_debian_installs_by_apt_get(tmp_path: Path) -> None:
    runs, said = Runs(), list[str]()
    fates = list(install(survey(tmp_path, DEBIAN_ROOT), said.append, run=runs))
    assert [fate.outcome for fate in fates] == ["installed"] * 3
    apt = [command for command in runs.commands if command.startswith("apt-get")]
    assert [line.split()[-1] for line in apt] == ["update", "chromium", "graphviz"]
    assert len(said) == len(runs.commands)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (DEBIAN_USER, "sudo apt-get update && sudo apt-get install -y chromium"),
        (MAC, "brew install --cask chromium"),
        (OTHER, "package manager"),
    ],
)
def test_others_are_told_exactly_what_to_type(tmp_path: Path, machine: Machine, words: str) -> None:
    need = by_name(machine, tmp_path)["chromium"]
    (fate,) = install([need], lambda _: None, run=Runs())
    assert fate.outcome == "missing"
    assert words in fate.detail


@pytest.mark.usefixtures("bare")
def test_without_npm_a_pinned_wheel_brings_it(tmp_path: Path) -> None:
    runs = Runs()
    need = by_name(DEBIAN_USER, tmp_path)["pyodide"]
    list(install([need], lambda _: None, run=runs))
    assert "--require-hashes" in runs.commands[0]
    assert runs.commands[-1].startswith("npm install")


@pytest.mark.usefixtures("bare")
def test_a_lock_file_is_obeyed(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "package-lock.json").write_text("{}")
    need = by_name(DEBIAN_USER, tmp_path)["pyodide"]
    assert need.steps[-1].command[:2] == ("npm", "ci")


@pytest.mark.usefixtures("bare")
def test_a_failure_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    runs = Runs(update=1, chromium=100)
    fates = list(install(survey(tmp_path, DEBIAN_ROOT), lambda _: None, run=runs))
    assert [fate.outcome for fate in fates] == ["failed", "installed", "installed"]
    assert fates[0].detail == "what it said"


@pytest.mark.usefixtures("bare")
def test_without_leave_nothing_system_wide_is_touched(tmp_path: Path) -> None:
    runs = Runs()
    needs = survey(tmp_path, DEBIAN_ROOT)
    fates = list(install(needs, lambda _: None, allow_system=False, run=runs))
    assert [fate.outcome for fate in fates] == ["missing", "missing", "installed"]
    assert not any("apt-get" in command for command in runs.commands)


def test_what_is_there_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "find_browser", lambda: room_browser())
    monkeypatch.setattr(room, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(room, "find_node", lambda: Node("node", ("npm",), "22.0.0"))
    lay_pyodide(tmp_path, "3.14.0")
    runs = Runs()
    fates = list(install(survey(tmp_path, DEBIAN_ROOT), lambda _: None, run=runs))
    assert [fate.outcome for fate in fates] == ["present"] * 3
    assert runs.commands == []


def lay_pyodide(home: Path, version: str) -> None:
    """A project that wants pyodide 3.14.0, and has some version of it."""
    package = home / "web" / "node_modules" / "pyodide"
    package.mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"version": version}))
    wanted = {"dependencies": {"pyodide": "3.14.0"}}
    (home / "web" / "package.json").write_text(json.dumps(wanted))


@pytest.mark.parametrize(
    ("version", "node", "commands"),
    [
        ("3.13.0", Node("node", ("npm",), "22.0.0"), ["npm"]),
        ("3.14.0", None, [sys.executable, "npm"]),
        ("3.13.0", Node("node", (), "22.0.0"), [sys.executable, "npm"]),
    ],
    ids=["another version", "nothing that compiles with it", "no npm"],
)
def test_whatever_the_build_would_miss_is_installed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    node: Node | None,
    commands: list[str],
) -> None:
    monkeypatch.setattr(room, "find_node", no_node if node is None else lambda: node)
    lay_pyodide(tmp_path, version)
    need = by_name(DEBIAN_USER, tmp_path)["pyodide"]
    assert need.can_install
    assert [step.command[0] for step in need.steps] == commands


def room_browser() -> Any:
    from amctl.run.browser import Browser

    return Browser("chromium", Path("/usr/bin/chromium"))


def test_graphviz_alone_is_optional(tmp_path: Path) -> None:
    needs = survey(tmp_path, OTHER)
    assert [need.name for need in needs if not need.required] == ["graphviz"]
