"""The bench measures what it says; how fast this machine is, no test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.bench import collect
from amctl.bench.collect import GOALS, CollectFigures, bench_collect
from amctl.bench.errors import BenchError
from amctl.dump.sqlite import SqliteDump
from amctl.dump.verify import verify

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.realtime
def test_everything_that_was_sent_is_in_the_dump(tmp_path: Path) -> None:
    figures = bench_collect(3000, folder=tmp_path)
    assert 3000 <= figures.transitions < 3200
    path = tmp_path / "bench.sqlite"
    with SqliteDump(path) as dump:
        assert dump.count() == figures.transitions
        assert len(dump.machines()) == 30
        assert not any(tx.steps for tx in dump.transitions())
    assert figures.file_bytes == path.stat().st_size
    assert verify(path).problems == []
    told = figures.to_json()
    assert told["goals"] == GOALS
    assert told["transitions_per_second"] > 0
    assert told["sender_cpu_us_each"] > 0
    assert told["collector_cpu_us_each"] > 0


@pytest.mark.slow
@pytest.mark.realtime
def test_a_collector_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "_COLLECT", ("sh", "-c", "echo no luck >&2; exit 3", "sh"))
    with pytest.raises(BenchError, match="the collector did not start: no luck"):
        bench_collect(10)


def test_figures_are_per_transition() -> None:
    figures = CollectFigures(1000, 2.0, 0.01, 0.02, 79.0, 62_000, 0.001, 0.5, [50.0, 60.0])
    told = figures.to_json()
    assert (told["transitions_per_second"], told["bytes_each"]) == (500, 62.0)
    assert (told["sender_cpu_us_each"], told["collector_cpu_us_each"]) == (10.0, 20.0)
