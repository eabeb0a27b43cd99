"""What a start takes: from opening the page to a verified round, in a real Chromium.

Each sample is a run and a browser of its own. The ways to start take turns, so that a busy minute
is a busy minute for all of them; ratios hold where milliseconds don't.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.bench.errors import BenchError
from amctl.bench.start_browser import visit
from amctl.bench.start_home import MODES, lay_home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

__all__ = ["GOALS", "MEASURED", "Sample", "StartFigures", "bench_start"]

GOALS = {"cold_of_stock": 0.19, "reload_of_stock": 0.172, "round_ms": 70.0}
"""Not to be exceeded. The first two are 1.2 times what the best known arrangement took, relative to
a stock start whose threads are forked at once: 1029 of 6503 ms, and 596 of 4169 ms."""
_CHILD = (sys.executable, "-m", "amctl.bench._start_run")
_PATIENCE = 180.0
"""Seconds for whatever a run has to say next."""
MEASURED = ("cold_ms", "reload_ms", "network_ready_ms", "round_ms", "pss_mb")


@dataclass(frozen=True, slots=True)
class Sample:
    """One run in one browser. Times are from opening the page, but for the round's."""

    mode: str
    cold_ms: float
    """Until the nodes' code was imported in all threads; nothing was in the browser's caches."""
    reload_ms: float
    """The same, when the page was loaded again."""
    network_ready_ms: float
    """Until all nodes were ready, on the first load."""
    round_ms: float
    """The first round, without faults."""
    pss_mb: float
    """Memory of the browser's renderers after it; 0 where that can't be found out."""


@dataclass(slots=True)
class StartFigures:
    """What was measured."""

    samples: list[Sample] = field(default_factory=list)
    load: list[float] = field(default_factory=list)
    """The machine's load average over a minute, before each sample."""

    def of(self, mode: str, name: str) -> list[float]:
        """One figure of all samples of a way to start, as they came."""
        return [float(getattr(each, name)) for each in self.samples if each.mode == mode]

    def ratio(self, name: str) -> float:
        """The median start from the memory image, of the median stock start."""
        return statistics.median(self.of("snapshot", name)) / statistics.median(
            self.of("stock", name)
        )

    def to_json(self) -> dict[str, Any]:
        """One document, goals beside the figures."""
        modes = {
            mode: {name: _spread(self.of(mode, name)) for name in MEASURED}
            for mode in dict.fromkeys(each.mode for each in self.samples)
        }
        return {
            **modes,
            "cold_of_stock": round(self.ratio("cold_ms"), 3),
            "reload_of_stock": round(self.ratio("reload_ms"), 3),
            "goals": GOALS,
            "load": self.load,
            "samples": [asdict(each) for each in self.samples],
        }


def _spread(values: list[float]) -> dict[str, float]:
    return {"min": round(min(values), 1), "median": round(statistics.median(values), 1)}


def bench_start(
    project: Path,
    entry: str,
    *,
    runs: int = 5,
    modes: Sequence[str] = MODES,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> StartFigures:
    """Start the project's workflow, each way `runs` times.

    Args:
        project: Its bundle is fresh.
        entry: Module that each thread imports.
        runs: Samples of each way.
        modes: The ways, of MODES; the figures' ratios need stock and snapshot.
        progress: Told how many samples are done.

    Raises:
        BenchError: Something doesn't start at all, or not the way that is measured.
        NoBrowserError: There is no browser.
        RuntimeMissingError: Pyodide's package isn't installed.
    """
    figures = StartFigures()
    # resolved, for a temporary folder may be a link
    with tempfile.TemporaryDirectory(prefix="amctl-bench-") as temporary:
        folder = Path(temporary).resolve()
        home = folder / "home"
        home.mkdir()
        lay_home(project, home, entry)
        total = runs * len(modes)
        for number in range(total):
            progress(number, total)
            figures.load.append(round(os.getloadavg()[0], 2))
            place = folder / f"run-{number}"
            place.mkdir()
            figures.samples.append(asyncio.run(_sample(modes[number % len(modes)], home, place)))
        progress(total, total)
    return figures


async def _sample(mode: str, home: Path, place: Path) -> Sample:
    async with _run(mode, home, place / "run") as run, visit(place) as visitor:
        url = str(await run.hear("url"))
        opened = time.time()
        cold = await visitor.open(url)
        began = float(await run.hear("began"))
        round_ms = float(await run.hear("round_ms"))
        memory = visitor.memory_mb()
        again = await visitor.reload()
        for threads in (cold, again):
            if threads.woken != (mode == "snapshot"):
                raise BenchError(mode, "its threads started in another way; see amctl.log")
        return Sample(
            mode=mode,
            cold_ms=cold.ready_ms,
            reload_ms=again.ready_ms,
            network_ready_ms=(began - opened) * 1e3,
            round_ms=round_ms,
            pss_mb=memory,
        )


class _Run:
    """A run that goes on, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said: dict[str, Any] = {}

    async def hear(self, name: str) -> Any:
        """Wait until it has said something. Raises BenchError."""
        assert self._process.stdout is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while name not in self._said:
                    line = await self._process.stdout.readline()
                    if not line:
                        raise BenchError("the run ended", await self._complaint())
                    self._said.update(json.loads(line))
                return self._said[name]
        raise BenchError("the run", f"it did not say {name!r} within {_PATIENCE:g} s")

    async def _complaint(self) -> str:
        assert self._process.stderr is not None
        said = await self._process.stderr.read()
        return said.decode("utf-8", "replace").strip()[-500:]


@contextlib.asynccontextmanager
async def _run(mode: str, home: Path, repl_dir: Path) -> AsyncIterator[_Run]:
    process = await asyncio.create_subprocess_exec(
        *_CHILD,
        mode,
        str(home),
        str(repl_dir),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield _Run(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            # reads on, so that nothing it says keeps it from ending
            async with asyncio.timeout(20):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
