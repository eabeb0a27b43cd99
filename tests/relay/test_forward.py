"""WebSockets that lead to a TCP peer of the server's own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from amctl.relay.forward import Forward
from amctl.relay.limits import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from amctl.relay.listener import Streams
    from tests.relay.conftest import StartRelay

pytestmark = pytest.mark.realtime


class Backend:
    """A TCP server that echoes, and counts who is there."""

    def __init__(self) -> None:
        self.connections = 0
        self.gone = asyncio.Event()
        self.refuses = False
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while data := await reader.read(65536):
            if data == b"hang up":
                break
            writer.write(data)
        writer.close()
        self.gone.set()

    async def connect(self) -> Streams:
        if self.refuses:
            raise ConnectionRefusedError("not now")
        return await asyncio.open_connection("127.0.0.1", self.port)


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    made = Backend()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


async def test_bytes_flow_both_ways_and_a_goodbye_reaches_the_other_end(
    start_relay: StartRelay, backend: Backend
) -> None:
    peers = await start_relay(routes=[Forward("/far", backend.connect).route])
    blob = bytes(range(256)) * 2048
    async with peers.socket("/far") as socket:
        await socket.send(blob)
        got = b""
        while len(got) < len(blob):
            got += await socket.recv(decode=False)
        assert got == blob
    await asyncio.wait_for(backend.gone.wait(), 5)
    assert len(peers.relay) == 0, "it is no tunnel: no machine shows it"


async def test_the_peers_end_closes_the_websocket(
    start_relay: StartRelay, backend: Backend
) -> None:
    peers = await start_relay(routes=[Forward("/far", backend.connect).route])
    async with peers.socket("/far") as socket:
        await socket.send(b"hang up")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)


async def test_nobody_there_is_told_as_try_again_later(
    start_relay: StartRelay, backend: Backend
) -> None:
    backend.refuses = True
    peers = await start_relay(routes=[Forward("/far", backend.connect).route])
    async with peers.socket("/far") as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013


async def test_more_than_the_most_are_turned_away(
    start_relay: StartRelay, backend: Backend
) -> None:
    route = Forward("/far", backend.connect, limits=Limits(), most=1).route
    peers = await start_relay(routes=[route])
    async with peers.socket("/far") as first:
        await first.send(b"a")
        assert await first.recv() == b"a"
        async with peers.socket("/far") as second:
            with pytest.raises(ConnectionClosed):
                await second.recv()
    await asyncio.wait_for(backend.gone.wait(), 5)
    assert backend.connections == 1


async def test_the_token_is_asked_for(start_relay: StartRelay, backend: Backend) -> None:
    peers = await start_relay(routes=[Forward("/far", backend.connect).route])
    with pytest.raises(Exception, match="401"):
        async with peers.socket("/far", headers={}):
            pass
    assert backend.connections == 0


async def test_a_stop_of_the_relay_ends_it(start_relay: StartRelay, backend: Backend) -> None:
    peers = await start_relay(routes=[Forward("/far", backend.connect).route])
    async with peers.socket("/far") as socket:
        await socket.send(b"a")
        assert await socket.recv() == b"a"
        await peers.relay.stop()
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 5)
    await asyncio.wait_for(backend.gone.wait(), 5)


async def test_a_stop_of_the_relay_does_not_wait_for_a_dial(
    start_relay: StartRelay, caplog: pytest.LogCaptureFixture
) -> None:
    dialled = asyncio.Event()

    async def connect() -> Streams:
        dialled.set()
        await asyncio.Event().wait()
        raise AssertionError

    forward = Forward("/far", connect)
    peers = await start_relay(routes=[forward.route])

    async def visit() -> None:
        async with peers.socket("/far"):
            pass

    visitor = asyncio.ensure_future(visit())
    await asyncio.wait_for(dialled.wait(), 5)
    await peers.relay.stop()
    await asyncio.wait({visitor}, timeout=5)
    assert visitor.exception() is not None
    await asyncio.wait_for(forward.until_idle(), 5)
    assert not [r for r in caplog.records if r.levelname == "ERROR"]


async def test_whoever_leaves_while_the_other_end_is_dialled_frees_the_place(
    start_relay: StartRelay,
) -> None:
    dialled = asyncio.Event()

    async def connect() -> Streams:
        dialled.set()
        await asyncio.Event().wait()
        raise AssertionError

    forward = Forward("/far", connect)
    peers = await start_relay(routes=[forward.route])

    async def visit() -> None:
        async with peers.socket("/far"):
            pass

    visitor = asyncio.ensure_future(visit())
    await asyncio.wait_for(dialled.wait(), 5)
    visitor.cancel()
    await asyncio.wait({visitor})
    await asyncio.wait_for(forward.until_idle(), 2)


async def test_whoever_waits_for_silence_is_told_of_it(
    start_relay: StartRelay, backend: Backend
) -> None:
    forward = Forward("/far", backend.connect)
    peers = await start_relay(routes=[forward.route])
    await asyncio.wait_for(forward.until_idle(), 5)
    async with peers.socket("/far") as socket:
        await socket.send(b"a")
        await socket.recv()
        waiting = asyncio.ensure_future(forward.until_idle())
        await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 5)
