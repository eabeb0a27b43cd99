"""A run in a real Chromium that is disturbed: threads die, the tab reloads, somebody looks in."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from amctl.rpc.client import Client
from amctl.rpc.transports.tcp import dial_tcp
from tests.support.browser_threads import chromium, in_chromium
from tests.support.started import started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page, Worker

    from tests.support.started import Started

pytestmark = [*in_chromium, pytest.mark.timeout(150)]

WORDS = ("--browser", "none", "--timeout", "100s", "-v")
NO_FAULTS = ("--set", "SUCCESS_RATE=1000000")
LONG_ROUND = ("--set", "HASH_ITERATIONS=1500000", "--set", "JOB_TIMEOUT=60s")


@contextlib.asynccontextmanager
async def opened(repl_dir: Path, *words: str) -> AsyncIterator[tuple[Started, Page]]:
    """A run without faults whose page stands in a browser of the test's own."""
    async with started(repl_dir, *WORDS, *NO_FAULTS, *words) as run, chromium() as browser:
        url = (await run.line("open this page")).rsplit(" ", 1)[1]
        page = await (await browser.new_context()).new_page()
        await page.goto(url)
        yield run, page


async def thread(page: Page, name: str) -> Worker:
    """The living thread of that name."""
    for found in page.workers:
        if await found.evaluate("self.name") == name:
            return found
    raise LookupError(name)


@pytest.mark.parametrize("node", ["browser3", "browser2"])
async def test_t5_a_thread_killed_in_mid_round_comes_back(tmp_path: Path, node: str) -> None:
    async with opened(tmp_path / "run", *LONG_ROUND) as (run, page):
        await run.line("round 1 begins")
        await (await thread(page, node)).evaluate("self.close()")
        await run.line("round 2 begins")
        done = await run.end()
    assert (done["exit"], done["ok"]) == (0, True)


async def test_t5_a_reloaded_tab_takes_its_nodes_over(tmp_path: Path) -> None:
    async with opened(tmp_path / "run", *LONG_ROUND) as (run, page):
        await run.line("round 1 begins")
        await page.reload()
        await run.line("round 2 begins")
        done = await run.end()
    assert (done["exit"], done["ok"]) == (0, True)


@contextlib.asynccontextmanager
async def looked_into(run: Started, name: str) -> AsyncIterator[Any]:
    """The mirror of a machine of the run, found by its address file."""
    host, port = (run.repl_dir / f"{name}.addr").read_text().rsplit(":", 1)
    token = (run.repl_dir / "token").read_text()
    client = Client(f"look-{name}", token=token, dial=lambda: dial_tcp(host, int(port)))
    client.start()
    try:
        await client.machine.when("Ready", timeout=20)
        yield client.net
    finally:
        await client.stop()


async def test_a_state_added_in_a_worker_thread_moves_the_orchestrators_mirror(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "run", "--stay") as (run, page):
        await run.line("2 results equal their known hashes")
        async with (
            looked_into(run, "orchestrator-repl") as orchestrator,
            looked_into(run, "repl-browser3") as worker,
        ):
            assert worker.is_("Completed")
            moved = orchestrator.when_ticks("Browser3Failed", 1)
            result = await worker.add("Failed")
            assert result.executed
            assert worker.is_("Failed"), "the mirror is there already when the call returns"
            async with asyncio.timeout(20):
                await moved
        assert await (await thread(page, "browser3")).evaluate("self.name") == "browser3"
        run.interrupt()
        assert (await run.end())["exit"] == 130


async def test_t12_start_work_by_rpc_starts_another_round(tmp_path: Path) -> None:
    async with opened(tmp_path / "run", "--stay") as (run, _):
        await run.line("2 results equal their known hashes")
        async with looked_into(run, "orchestrator-repl") as orchestrator:
            await orchestrator.add("StartWork")
        await run.line("round 2 begins")
        await run.line("2 results equal their known hashes")
        run.interrupt()
        done = await run.end()
    assert (done["exit"], done["ok"], done["rounds"]) == (130, True, 2)
