"""T6: a Start that comes too early is sent again until it is acknowledged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from amctl.machine import Machine, Signal
from amctl.rpc.client import Client
from amctl.rpc.endpoints import AttachEndpoint
from amctl.rpc.server import Server
from amctl.rpc.transports.memory import memory_pair
from nodes.readiness import any_of, ask, dispose_remote, keep_started
from nodes.states import worker_schema
from tests.nodes.rig import BOOT

if TYPE_CHECKING:
    import pytest


class Far:
    """A machine with the worker's states and no handlers, and a client of it."""

    def __init__(self) -> None:
        self.machine = Machine("far", worker_schema())
        self.server = Server(self.machine, "far", AttachEndpoint(), token="t")
        self.client = Client("far", worker_schema(), token="t")

    async def connect(self) -> None:
        self.server.start()
        self.client.start()
        await self.server.machine.when("RpcReady")
        near, far = memory_pair()
        self.server.accept(far)
        self.client.attach(near)
        await self.client.machine.when("Ready")

    async def stop(self) -> None:
        await self.client.stop()
        await self.server.stop()


async def test_any_of_takes_the_first_signal() -> None:
    one, two = Signal(), Signal()
    waiting = asyncio.ensure_future(any_of(one, two))
    await asyncio.sleep(0)
    two.close()
    one.close()
    assert await waiting


async def test_any_of_gives_up() -> None:
    assert not await any_of(Signal(), within=3)
    assert await any_of(Signal(True), Signal(), within=3)


async def test_start_is_sent_again_until_the_worker_takes_it() -> None:
    far = Far()
    await far.connect()
    keeping = asyncio.ensure_future(keep_started(far.client, lambda: BOOT))
    await asyncio.sleep(10)
    assert far.machine.not_("Start")
    far.machine.add("RpcReady")
    await far.client.net.when("Start", timeout=0.1)  # told by the change, not by the clock
    keeping.cancel()
    await far.stop()


async def test_start_is_not_sent_while_it_is_there() -> None:
    far = Far()
    far.machine.add("RpcReady")
    await far.connect()
    keeping = asyncio.ensure_future(keep_started(far.client, lambda: BOOT))
    await far.machine.when("Start")
    calls = far.server.call_count
    await asyncio.sleep(3600)
    assert far.server.call_count == calls
    far.machine.remove("Start")
    await far.machine.when("Start", timeout=0.5)
    keeping.cancel()
    await far.stop()


async def test_attempts_become_rare() -> None:
    far = Far()
    await far.connect()
    keeping = asyncio.ensure_future(keep_started(far.client, lambda: BOOT))
    await asyncio.sleep(60)
    assert far.server.call_count < 40
    keeping.cancel()
    await far.stop()


async def test_keeping_ends_with_the_client() -> None:
    far = Far()
    await far.connect()
    keeping = asyncio.ensure_future(keep_started(far.client, lambda: BOOT))
    await far.stop()
    await asyncio.wait_for(keeping, 1)


async def test_asking_without_a_connection_is_no_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "amctl.nodes")
    far = Far()
    far.client.start()
    assert await ask(far.client.net, "Start", BOOT) is None
    assert "rnm-far: " in caplog.text
    await far.stop()


async def test_disposal_is_confirmed_or_known_to_be_lost() -> None:
    far = Far()
    assert not await dispose_remote(far.client)
    await far.connect()
    far.machine.bind({"DisposingState": lambda e: far.machine.add("Disposed")})
    assert await dispose_remote(far.client)
    assert await dispose_remote(far.client)
    await far.stop()


async def test_disposal_of_a_worker_that_vanishes_is_not_confirmed() -> None:
    far = Far()
    await far.connect()

    async def vanish(e: object) -> None:
        await far.server.stop()

    far.machine.bind({"DisposingState": vanish})
    assert not await asyncio.wait_for(dispose_remote(far.client), 1)
    await far.stop()
