"""`amctl bench`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import typer

from amctl.bench import collect
from amctl.bench.collect import CollectFigures
from amctl.cli.bench import app

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
