"""Which way Jaeger is run, and what a container engine is told."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from amctl.run.jaeger.backends import PID_FILE, Compose, LocalProgram, find_backend

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.run.jaeger.place import Place


def program(folder: Path, name: str, text: str = "exit 0") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def test_a_local_program_comes_first(bin_: Path, tmp_path: Path, place: Place) -> None:
    for name in ("jaeger", "docker", "podman"):
        program(bin_, name)
    assert isinstance(find_backend(tmp_path, tmp_path, place), LocalProgram)


def test_then_docker_then_podman(bin_: Path, tmp_path: Path, place: Place) -> None:
    program(bin_, "podman")
    program(bin_, "docker", "exit 1")  # docker without compose
    found = find_backend(tmp_path, tmp_path, place)
    assert isinstance(found, Compose)
    assert found.name == f"{bin_ / 'podman'} compose"
    program(bin_, "docker")
    found = find_backend(tmp_path, tmp_path, place)
    assert isinstance(found, Compose)
    assert found.name == f"{bin_ / 'docker'} compose"


def test_without_any_there_is_none(bin_: Path, tmp_path: Path, place: Place) -> None:
    assert find_backend(tmp_path, tmp_path, place) is None


class Engine:
    """Answers for `docker compose`."""

    def __init__(self, **answers: tuple[int, str]) -> None:
        self.answers = answers
        self.asked: list[list[str]] = []
        self.environ: dict[str, str] = {}

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.asked.append(command)
        self.environ = options["env"]
        code, text = self.answers.get(command[4], (0, ""))
        return subprocess.CompletedProcess(command, code, text, "")


def compose(tmp_path: Path, place: Place, engine: Engine) -> Compose:
    file = tmp_path / "compose.yaml"
    return Compose(("docker", "compose"), file, place, "http://localhost:1", run=engine)


def test_compose_is_told_file_ports_and_origin(tmp_path: Path, place: Place) -> None:
    engine = Engine()
    compose(tmp_path, place, engine).up()
    (command,) = engine.asked
    assert command[:4] == ["docker", "compose", "--file", str(tmp_path / "compose.yaml")]
    assert command[4:] == ["up", "--detach", "--remove-orphans"]
    assert engine.environ["JAEGER_UI_PORT"] == str(place.ui)
    assert engine.environ["AMCTL_ORIGIN"] == "http://localhost:1"


def test_what_compose_says_is_told(tmp_path: Path, place: Place) -> None:
    engine = Engine(up=(1, "no such image\n"), ps=(0, "c0ffee\n"), logs=(0, "bad config\n"))
    made = compose(tmp_path, place, engine)
    with pytest.raises(RuntimeError, match="no such image"):
        made.up()
    assert made.died() == "bad config"
    assert made.is_ours()


def test_only_what_runs_is_taken_down(tmp_path: Path, place: Place) -> None:
    engine = Engine()
    assert not compose(tmp_path, place, engine).down()
    assert [command[4] for command in engine.asked] == ["ps"]


@pytest.mark.parametrize("text", ["", "x", '{"pid": 1, "began": "long ago"}', '{"pid": "x"}', "[]"])
def test_a_pid_file_that_isnt_ours_ends_nobody(tmp_path: Path, place: Place, text: str) -> None:
    (tmp_path / PID_FILE).write_text(text)
    local = LocalProgram("jaeger", tmp_path / "c.yaml", tmp_path, place)
    assert not local.is_ours()
    assert not local.down()


def test_a_pid_file_of_a_dead_process_counts_for_nothing(tmp_path: Path, place: Place) -> None:
    (tmp_path / PID_FILE).write_text(json.dumps({"pid": 2**22 + 1, "began": "1"}))
    assert not LocalProgram("jaeger", tmp_path / "c.yaml", tmp_path, place).is_ours()
