"""The bench of ports: what its figures mean, and once that they are measured at all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from amctl.bench import port
from amctl.bench.port import SMALL, PortFigures, bench_port, try_port
from amctl.bundle.errors import RuntimeMissingError
from tests.support.browser_threads import in_chromium
from tests.support.house import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_ratios_are_of_turns_made_one_after_the_other() -> None:
    figures = PortFigures({SMALL: [(60, 90), (100, 110), (50, 100)], 1000: [(10, 30)]})
    assert (figures.ratio(), figures.ratio(1000)) == (1.5, 3.0)
    assert figures.to_json()["64"] == {"ratio": 1.5, "us_js": 60, "us_python": 100, "turns": 3}


def test_without_a_browser_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(port, "find_browser", lambda: None)
    assert try_port(ROOT, said.append) is None
    assert said == ["port_ratio_js is not measured: there is no Chromium; amctl setup installs it"]


def test_without_the_runtime_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(project: Path) -> PortFigures:
        raise RuntimeMissingError("1.2", "")

    said: list[str] = []
    monkeypatch.setattr(port, "find_browser", lambda: SimpleNamespace(family="chromium"))
    monkeypatch.setattr(port, "bench_port", missing)
    assert try_port(ROOT, said.append) is None
    assert "pyodide 1.2 is needed" in said[0]
    assert "amctl setup" in said[0]


@pytest.mark.realtime
def test_messages_between_threads_are_measured() -> None:
    figures = bench_port(ROOT, turns=1)
    assert all(min(turn) > 0 for turns in figures.turns.values() for turn in turns)
    assert figures.ratio() > 0


for mark in [*in_chromium, pytest.mark.timeout(300)]:
    mark(test_messages_between_threads_are_measured)
