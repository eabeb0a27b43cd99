"""REPLs of a machine behind the real relay: several clients at once, by TCP, through one tunnel."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine
from amctl.rpc.client import Client
from amctl.rpc.repl import repl_server
from amctl.rpc.transports.tcp import dial_tcp
from amctl.rpc.transports.websocket import WebSocketConnection, dial_websocket
from amctl.rpc.wire.tunnel import SUBPROTOCOL
from tests.relay.conftest import BEARER, until
from tests.rpc.world import Plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from amctl.rpc.mux import Mux
    from tests.relay.conftest import Peers, StartRelay

pytestmark = pytest.mark.realtime
few_and_many = pytest.mark.parametrize("count", [2, pytest.param(10, marks=pytest.mark.slow)])

TOKEN = "what a REPL knows"


class Door:
    """A machine with a door for REPLs, the relay, and the clients that came."""

    def __init__(self, peers: Peers, tmp_path: Path) -> None:
        self.peers, self.file = peers, tmp_path / "repl" / "repl-node.addr"
        self.machine = Machine("node", Plain)
        self.websockets: list[WebSocketConnection] = []
        self.mux: Mux = repl_server(self.machine, self._dial, TOKEN)
        self.clients: list[Client] = []

    async def _dial(self) -> WebSocketConnection:
        url = f"ws://127.0.0.1:{self.peers.relay.port}/listen/repl-node/localhost:0"
        self.websockets.append(await dial_websocket(url, SUBPROTOCOL, headers=BEARER))
        return self.websockets[-1]

    async def client(self, name: str, **options: Any) -> Client:
        """A REPL that found the address file once, as an open one has."""
        await until(self.file.exists)
        host, _, port = self.file.read_text().rpartition(":")
        client = Client(name, token=TOKEN, dial=lambda: dial_tcp(host, int(port)), **options)
        self.clients.append(client)
        client.start()
        await client.machine.when("Ready", timeout=10)
        return client

    def cut(self) -> None:
        """Break the tunnel without a word."""
        transport = self.websockets[-1]._transport
        assert transport is not None
        transport.abort()


@contextlib.asynccontextmanager
async def door(peers: Peers, tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(peers, tmp_path)
    await made.mux.start()
    await made.mux.machine.when("RpcReady", timeout=10)
    try:
        yield made
    finally:
        for client in made.clients:
            await client.stop()
        await made.mux.stop()
        await until(lambda: len(peers.relay) == 0)


@few_and_many
async def test_wir_32_clients_share_the_tunnel_and_one_that_leaves_harms_nobody(
    start_relay: StartRelay, tmp_path: Path, count: int
) -> None:
    async with door(await start_relay(), tmp_path) as it:
        clients = [await it.client(f"repl-{n}") for n in range(count)]
        assert (it.mux.sessions, len(it.websockets)) == (count, 1)
        results = await asyncio.gather(*(client.net.add("B") for client in clients))
        assert all(result.executed for result in results)
        assert it.machine.tick("B") == 2 * count - 1
        await clients[0].stop()
        await until(lambda: it.mux.sessions == count - 1)
        await clients[-1].net.add("D")
        for client in clients[1:]:
            await client.net.when("D", timeout=5)
            assert client.net.tick("B") == 2 * count - 1
        assert len(it.websockets) == 1


@few_and_many
async def test_wir_33_a_cut_tunnel_is_dialled_again_and_clients_resume(
    start_relay: StartRelay, tmp_path: Path, count: int
) -> None:
    async with door(await start_relay(), tmp_path) as it:
        clients = [await it.client(f"repl-{n}") for n in range(count)]
        sessions = [client._core.session for client in clients]
        text = it.file.read_text()
        calls = asyncio.gather(*(client.net.add("B") for client in clients for _ in range(20)))
        await asyncio.sleep(0)
        it.cut()
        assert all(result.executed for result in await calls)
        assert it.machine.tick("B") == 2 * 20 * count - 1, "each of them ran once"
        for client in clients:
            await client.machine.when("Ready", timeout=10)
        assert [client._core.session for client in clients] == sessions
        assert it.file.read_text() == text
        assert len(it.websockets) == 2


async def test_a_message_of_a_mebibyte_and_small_calls_share_the_tunnel(
    start_relay: StartRelay, tmp_path: Path
) -> None:
    async with door(await start_relay(), tmp_path) as it:
        big, small = await it.client("repl-big"), await it.client("repl-small")
        sending = asyncio.ensure_future(big.net.add("D", {"blob": b"x" * (1 << 20)}))
        for _ in range(50):
            assert (await small.net.add("B")).executed
        assert (await sending).executed


async def test_the_relays_end_asks_clients_back_and_the_thread_dials_on(
    start_relay: StartRelay, tmp_path: Path
) -> None:
    peers = await start_relay()
    it = Door(peers, tmp_path)
    await it.mux.start()
    client = await it.client("repl-1")
    await peers.relay.stop()
    await client.machine.when_not("Ready", timeout=5)
    await it.mux.machine.when("RpcStarting", timeout=5)
    await it.mux.machine.when("ErrNetwork", timeout=5)
    assert not it.file.exists()
    await client.stop()
    await it.mux.stop()
