"""`amctl jaeger`: what people and programs are told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from amctl.cli.main import run
from amctl.run.jaeger import service as room
from tests.run.jaeger.conftest import free_place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program, no container engine, free ports."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, port in free_place().environ().items():
        monkeypatch.setenv(name, port)


def test_up_without_any_way_says_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jaeger", "up"]) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: nothing here can run Jaeger")
    assert hint.startswith("hint: put Jaeger 2's binary on PATH, or install docker or podman")


def test_status_of_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jaeger", "status", "--json"]) == 4
    told = json.loads(capsys.readouterr().out)
    assert (told["running"], told["ours"], told["backend"]) == (False, False, "")


def test_down_of_none_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jaeger", "down"]) == 0
    assert capsys.readouterr().err == "there was no Jaeger to end\n"


def test_open_prints_the_address_also_when_it_doesnt_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["jaeger", "open", "ab" * 16]) == 4
    out, err = capsys.readouterr()
    assert out.endswith(f"/trace/{'ab' * 16}\n")
    assert "amctl jaeger up" in err
    assert run(["jaeger", "open", "../x"]) == 2


def test_open_shows_one_that_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(room, "is_healthy", lambda place: True)
    monkeypatch.setattr("webbrowser.open", shown.append)
    assert run(["jaeger", "open"]) == 0
    assert shown == [capsys.readouterr().out.strip()]
