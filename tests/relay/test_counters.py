"""Whatever ends a connection, and whoever served it, it is counted out as it was counted in, and
nothing of it stays (relay.md, T2, T6, D2 and D4)."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from amctl.relay.matcher import Matcher
from tests.relay.conftest import free_port, until

if TYPE_CHECKING:
    from amctl.relay.relay import Relay
    from amctl.rpc.transports.base import Connection
    from tests.relay.conftest import StartRelay

COUNTERS = ("WsTunListenConn", "WsTunListenDisconn", "WsDialConn", "WsDialDisconn")

pytestmark = pytest.mark.realtime


def counted(relay: Relay) -> list[int]:
    return [relay.machine.tick(state) // 2 + relay.machine.tick(state) % 2 for state in COUNTERS]


@pytest.mark.parametrize("ending", ["clean", "abort", "failing matcher"])
@pytest.mark.parametrize("door", ["listen", "dial"])
async def test_rel_t2_d2_connections_of_matchers_are_counted(
    start_relay: StartRelay, door: str, ending: str
) -> None:
    over = asyncio.Event()

    async def serve(_id: str, connection: Connection) -> None:
        if ending == "failing matcher":
            raise LookupError("not here")
        connection.start(lambda _: None, lambda _: over.set(), lambda: None)
        await over.wait()

    name = {"listen": "matchers", "dial": "dial_matchers"}[door]
    peers = await start_relay(**{name: [Matcher(re.compile("^b"), serve)]})
    async with peers.socket(f"/{door}/b1/localhost:0") as socket:
        if ending == "abort":
            await until(lambda: len(peers.relay) == 1)
            socket.transport.abort()
        elif ending == "failing matcher":
            await socket.wait_closed()
    await until(lambda: len(peers.relay) == 0)
    assert counted(peers.relay) == ([1, 1, 0, 0] if door == "listen" else [0, 0, 1, 1])


@pytest.mark.parametrize("side", ["websocket", "tcp"])
async def test_rel_d4_a_clean_end_of_either_side_ends_a_dial_with_all_it_has(
    start_relay: StartRelay, side: str
) -> None:
    there: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await there.put((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    peers = await start_relay()
    before = len(asyncio.all_tasks())
    async with peers.socket(f"/dial/b1/127.0.0.1:{port}") as socket:
        reader, writer = await there.get()
        if side == "tcp":
            writer.close()
            await socket.wait_closed()
        else:
            await socket.close()
            assert await reader.read() == b""
            writer.close()
    await until(lambda: len(peers.relay) == 0)
    await until(lambda: len(asyncio.all_tasks()) <= before)
    assert counted(peers.relay) == [0, 0, 1, 1]
    server.close()


async def test_rel_t6_the_next_tunnel_finds_no_trace_of_the_one_before(
    start_relay: StartRelay,
) -> None:
    """Another id could not have the address if the registry still knew who had it."""
    peers, port = await start_relay(), free_port()
    for i in range(10):
        async with peers.socket(f"/listen/{'ab'[i % 2]}/127.0.0.1:{port}"):
            await until(lambda: len(peers.relay) == 1)
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
        await until(lambda: len(peers.relay) == 0)
    assert counted(peers.relay) == [10, 10, 0, 0]
