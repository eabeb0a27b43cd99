"""Figures of starts: what they mean, and once that they are measured at all."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest

from amctl.bench import start
from amctl.bench.errors import BenchError
from amctl.bench.start import GOALS, MEASURED, Sample, StartFigures, bench_start
from amctl.bench.start_home import lay_home, manifest_for
from amctl.bundle import build
from tests.support.browser_threads import ENTRY, in_chromium, open_page, thread
from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Test = TypeVar("Test", bound="Callable[..., object]")


def figures() -> StartFigures:
    made = StartFigures(load=[1.0])
    for n, (stock, snapshot) in enumerate([(6000, 900), (5000, 1000), (7000, 1500)]):
        made.samples.append(Sample("stock", stock, stock / 2, 1, 2, 400 + n))
        made.samples.append(Sample("snapshot", snapshot, snapshot / 4, 1, 2, 300 + n))
    return made


def test_figures_are_minimum_and_median_and_ratios_are_of_medians() -> None:
    told = figures().to_json()
    assert told["stock"]["cold_ms"] == {"min": 5000, "median": 6000}
    assert told["snapshot"]["pss_mb"] == {"min": 300, "median": 301}
    assert (told["cold_of_stock"], told["reload_of_stock"]) == (0.167, 0.083)
    assert told["goals"] == GOALS
    assert len(told["samples"]) == 6
    assert json.loads(json.dumps(told)) == told


@pytest.mark.realtime
async def test_a_run_that_ends_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "_CHILD", ("sh", "-c", "echo no luck >&2; exit 3", "sh"))
    async with start._run("stock", tmp_path, tmp_path) as run:
        with pytest.raises(BenchError, match="the run ended: no luck"):
            await run.hear("url")


@pytest.mark.realtime
async def test_what_a_run_says_is_heard_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = """echo '{"round_ms": 7}'; echo '{"url": "x"}'; exec sleep 60"""
    monkeypatch.setattr(start, "_CHILD", ("sh", "-c", say, "sh"))
    async with start._run("stock", tmp_path, tmp_path) as run:
        assert await run.hear("url") == "x"
        assert await run.hear("round_ms") == 7
        process = run._process
    assert process.returncode is not None


def _each(marks: list[pytest.MarkDecorator]) -> Callable[[Test], Test]:
    def decorate(test: Test) -> Test:
        for mark in marks:
            mark(test)
        return test

    return decorate


@_each([*in_chromium, pytest.mark.timeout(300)])
def test_a_start_is_measured() -> None:
    """From the image alone: stock starts take seconds of CPU in each thread."""
    build(ROOT)
    told: list[int] = []
    made = bench_start(
        ROOT,
        "nodes.browser",
        runs=1,
        modes=("snapshot",),
        progress=lambda done, _: told.append(done),
    )
    assert told == [0, 1]
    (sample,) = made.samples
    assert sample.mode == "snapshot"
    assert all(getattr(sample, name) > 0 for name in MEASURED)
    assert sample.network_ready_ms > sample.cold_ms


@_each([*in_chromium, pytest.mark.timeout(300)])
async def test_the_other_ways_start_a_thread(threads_project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    lay_home(threads_project, home, ENTRY)
    for mode in ("stock", "pyc"):
        async with open_page(
            home, thread("browser1"), bundle=partial(manifest_for, home, mode)
        ) as page:
            threads = await page.evaluate("amctl.ready")
            assert threads["browser1"]["woken"] is False
