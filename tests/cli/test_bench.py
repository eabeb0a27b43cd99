"""`amctl bench`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import typer

from amctl.bench import collect
from amctl.bench.collect import CollectFigures
from amctl.bench.start import Sample, StartFigures
from amctl.bench.start_home import MODES
from amctl.cli.bench import app
from amctl.run import bundling

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = CollectFigures(1000, 0.02, 0.004, 0.009, 78.9, 62_000, 0.0031, 0.5, [50.0, 60.0, 57.0])


def run(*words: str) -> int:
    code: Any = typer.main.get_command(app).main([*words], standalone_mode=False)
    return int(code)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Path | None]]:
    asked: list[tuple[int, Path | None]] = []

    def bench_collect(count: int, *, folder: Path | None, progress: Any) -> CollectFigures:
        asked.append((count, folder))
        progress(1, count)
        return FIGURES

    monkeypatch.setattr(collect, "bench_collect", bench_collect)
    return asked


def test_figures_stand_beside_goals(
    asked: list[tuple[int, Path | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("collect") == 0
    assert asked == [(1_000_000, None)]
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "transitions a second 50,000 50,000 or more"
    assert lines[1] == "bytes each, stored 62.0 under 80"
    assert lines[5] == "collector MB, median 57.0 flat"
    assert lines[7] == "seconds to open 1,000 0.0031 under 1"


def test_json_is_one_document(
    asked: list[tuple[int, Path | None]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run("collect", "--size", "7", "--dir", str(tmp_path), "--json") == 0
    assert asked == [(7, tmp_path)]
    assert json.loads(capsys.readouterr().out) == FIGURES.to_json()


def test_starts_are_measured_on_a_fresh_bundle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    happened: list[Any] = []
    samples = [
        Sample(mode, 1000.0 * n, 500.0 * n, 2.0, 3.0, 4.0) for n, mode in enumerate(MODES, 1)
    ]
    figures = StartFigures(samples)

    def bench_start(project: Path, entry: str, *, runs: int, progress: Any) -> StartFigures:
        happened.append((entry, runs))
        progress(1, 3)
        return figures

    monkeypatch.setattr(bundling, "build_bundle", lambda *_: happened.append("built"))
    monkeypatch.setattr("amctl.bench.start.bench_start", bench_start)
    assert run("start", "--runs", "1", "--json") == 0
    assert happened == ["built", ("nodes.browser", 1)]
    assert json.loads(capsys.readouterr().out) == figures.to_json()
    assert run("start", "--runs", "1") == 0
    assert "first load" in capsys.readouterr().out
