"""REPLs reach the machine in a browser's thread, several at once, through its one WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from amctl.rpc.client import Client
from amctl.rpc.transports.tcp import dial_tcp
from tests.e2e.test_recovery import opened, thread
from tests.support.browser_threads import in_chromium

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.started import Started

pytestmark = [*in_chromium, pytest.mark.timeout(150)]


@contextlib.asynccontextmanager
async def repls(run: Started, machine: str, count: int) -> AsyncIterator[list[Client]]:
    """Clients of one machine, by the address that its file names now."""
    host, port = (run.repl_dir / f"repl-{machine}.addr").read_text().rsplit(":", 1)
    token = (run.repl_dir / "token").read_text()
    found = [
        Client(f"repl-{n}", token=token, dial=lambda: dial_tcp(host, int(port)))
        for n in range(count)
    ]
    for client in found:
        client.start()
    try:
        await ready(found)
        yield found
    finally:
        for client in found:
            await client.stop()


async def ready(clients: list[Client]) -> None:
    await asyncio.gather(*(client.machine.when("Ready", timeout=30) for client in clients))


async def inspected(client: Client) -> dict[str, Any]:
    """What the machine's own thread says of its clocks."""
    found: dict[str, Any] = await client.net.ask("inspect")
    return found


async def test_wir_32_two_repls_inspect_a_thread_at_once_and_find_it_again(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "run", "--stay") as (run, page):
        await run.line("2 results equal their known hashes")
        file = run.repl_dir / "repl-browser3.addr"
        async with repls(run, "browser3", 3) as (one, two, three):
            first, second = await asyncio.gather(inspected(one), inspected(two))
            assert first["names"] == second["names"] == list(one.net.names)
            assert one.net.is_("Completed")
            await three.stop()
            assert (await one.net.add("Failed")).executed
            await two.net.when("Failed", timeout=20)
            text = file.read_text()
            await (await thread(page, "browser3")).evaluate("self.close()")
            await asyncio.gather(*(c.machine.when_not("Ready", timeout=30) for c in (one, two)))
            await ready([one, two])
            assert file.read_text() == text, "the thread that came back has the same port"
            assert (await inspected(one))["names"] == first["names"]
        run.interrupt()
        assert (await run.end())["exit"] == 130
