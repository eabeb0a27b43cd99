"""Whether relay and orchestrator keep their size: `python -m tests.chaos.memory`.

Round after round of the shortest jobs, without faults, in one process over real WebSockets, or with
the nodes in a real Chromium (`--chromium`). At each tenth of the way: what the process holds, in
objects and in resident memory. The exit code is 1 if it grows.

`--trace` says where what has been kept was allocated, which makes everything slower.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from amctl.relay import Relay
from nodes.plan import WorkflowSettings
from nodes.run import Workflow
from tests.chaos.page import WEB, build_page, opened, page_routes
from tests.nodes.relayed import relayed
from tests.nodes.system import FOUR, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.routing import BaseRoute

MOMENTS = 10
SLACK_OBJECTS = 0.01
"""Objects may wander by that much of what there is: rings fill up, caches breathe."""
SLACK_KB = 1024


class Size(NamedTuple):
    """Of this process."""

    rounds: int
    objects: int
    kilobytes: int
    """Resident memory."""


def size(rounds: int) -> Size:
    """Now, with the garbage taken out."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return Size(rounds, len(gc.get_objects()), int(resident.split()[1]))


class _Info(NamedTuple):
    url: str
    token: str
    repl_dir: Path


@contextlib.asynccontextmanager
async def in_process(folder: Path) -> AsyncIterator[Workflow]:
    """Relay, orchestrator and nodes in this loop."""
    async with relayed(folder, iterations=1) as system:
        yield system.workflow


@contextlib.asynccontextmanager
async def in_chromium(folder: Path) -> AsyncIterator[Workflow]:
    """Relay and orchestrator in this loop, the nodes in a browser."""
    build_page()
    settings = WorkflowSettings(iterations=1, success_rate=10**6, fault_seed=1)
    workflow = Workflow(FOUR, settings, token=TOKEN)
    routes: list[BaseRoute] = list(page_routes(workflow))
    relay = Relay(
        workflow.name,
        host="127.0.0.1",
        token=TOKEN,
        parent=workflow.machine,
        static=[WEB],
        repl_dir=folder,
        matchers=workflow.matchers,
        routes=routes,
    )
    await relay.start()
    try:
        await workflow.start(_Info(relay.url, TOKEN, folder))
        async with opened(relay.page_url, folder / "browser.log"):
            yield workflow
    finally:
        await workflow.stop()
        await relay.stop()


async def watch(rounds: int, chromium: bool, trace: bool) -> list[Size]:
    """Run that many rounds; the sizes on the way, the first after a tenth of it."""
    step, sizes, first = max(rounds // MOMENTS, 1), [], None
    with tempfile.TemporaryDirectory(prefix="amctl-memory-") as name:
        place = in_chromium if chromium else in_process
        async with place(Path(name)) as workflow:
            for done in range(1, rounds + 1):
                if done > 1:
                    workflow.start_work()
                outcome = await workflow.finished()
                assert outcome.ok, outcome
                if done % step:
                    continue
                sizes.append(size(done))
                print("{:>7} rounds {:>9} objects {:>8} kB".format(*sizes[-1]), flush=True)
                if trace and done == step * (MOMENTS // 2):
                    first = tracemalloc.take_snapshot()
            if trace and first is not None:
                for one in tracemalloc.take_snapshot().compare_to(first, "lineno")[:25]:
                    print(one, flush=True)
    return sizes


def grows(sizes: list[Size]) -> str:
    """What grew between the middle and the end; empty if nothing did."""
    half = len(sizes) // 2
    before, after = sizes[half - 1 : half + 1], sizes[-2:]
    objects = min(s.objects for s in after) - max(s.objects for s in before)
    kilobytes = min(s.kilobytes for s in after) - max(s.kilobytes for s in before)
    if objects > SLACK_OBJECTS * before[0].objects:
        return f"{objects} more objects at the end than in the middle"
    if kilobytes > SLACK_KB:
        return f"{kilobytes} kB more at the end than in the middle"
    return ""


def main(words: list[str]) -> int:
    """Watch, and judge; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.memory", description=__doc__)
    parser.add_argument("--rounds", type=int, metavar="N", help="10000, or 200 in Chromium")
    parser.add_argument("--chromium", action="store_true", help="nodes in a real browser")
    parser.add_argument("--trace", action="store_true", help="where it was allocated")
    asked = parser.parse_args(words)
    logging.basicConfig(level=logging.CRITICAL)
    if asked.trace:
        tracemalloc.start(1)
    rounds = asked.rounds or (200 if asked.chromium else 10_000)
    began = time.process_time()
    sizes = asyncio.run(watch(rounds, asked.chromium, asked.trace))
    growth = grows(sizes)
    print(f"{growth or 'it keeps its size'}; {time.process_time() - began:.0f} s of CPU")
    return 1 if growth else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
