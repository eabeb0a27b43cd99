"""The relay's WebSocket as an aRPC connection, as a matcher sees it."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from amctl.relay import Limits, Matcher
from tests.relay.conftest import closed, until

if TYPE_CHECKING:
    from amctl.relay.connection import WebSocketConnection
    from tests.relay.conftest import StartRelay

pytestmark = pytest.mark.realtime


class Catcher:
    """A matcher that hands its connection to the test and holds it until it is over."""

    def __init__(self) -> None:
        self.caught: asyncio.Queue[WebSocketConnection] = asyncio.Queue()
        self.release = asyncio.Event()

    async def accept(self, _id: str, connection: WebSocketConnection) -> None:
        self.caught.put_nowait(connection)
        await self.release.wait()

    @property
    def matcher(self) -> Matcher:
        return Matcher(re.compile("^b"), self.accept)  # type: ignore[arg-type]  # ours, not any


class Reader:
    """Notes what a connection tells."""

    def __init__(self, connection: WebSocketConnection) -> None:
        self.data = b""
        self.lost: list[Exception | None] = []
        self.writable = 0
        connection.start(self._on_data, self.lost.append, self._on_writable)

    def _on_data(self, data: bytes) -> None:
        self.data += data

    def _on_writable(self) -> None:
        self.writable += 1


async def test_early_bytes_wait_for_start(start_relay: StartRelay) -> None:
    catcher = Catcher()
    peers = await start_relay(matchers=[catcher.matcher])
    async with peers.socket("/listen/b/localhost:0") as socket:
        connection = await catcher.caught.get()
        await socket.send(b"early")
        reader = Reader(connection)
        await until(lambda: reader.data == b"early")
        assert connection.peer.startswith("127.0.0.1:")
        with pytest.raises(RuntimeError, match="started already"):
            Reader(connection)
        catcher.release.set()


async def test_close_sends_what_was_written_and_tells_once(start_relay: StartRelay) -> None:
    catcher = Catcher()
    peers = await start_relay(matchers=[catcher.matcher])
    async with peers.socket("/listen/b/localhost:0") as socket:
        connection = await catcher.caught.get()
        reader = Reader(connection)
        connection.write(b"one")
        connection.write(b"two")
        connection.close(4000, "é" * 100)
        connection.close(4001, "again")
        connection.write(b"late")
        assert connection.is_closed
        assert not connection.writable
        assert [await socket.recv(), await socket.recv()] == [b"one", b"two"]
        assert await closed(socket) == (4000, "é" * 60)
        await until(lambda: reader.lost == [None])
        catcher.release.set()


async def test_connection_started_after_its_end_is_told_at_once(start_relay: StartRelay) -> None:
    catcher = Catcher()
    peers = await start_relay(matchers=[catcher.matcher])
    async with peers.socket("/listen/b/localhost:0"):
        connection = await catcher.caught.get()
        connection.close()
        async with asyncio.timeout(5):
            await connection.ended.wait()
        assert Reader(connection).lost == [None]
        catcher.release.set()


async def test_writer_is_told_to_wait_and_to_go_on(start_relay: StartRelay) -> None:
    catcher = Catcher()
    peers = await start_relay(matchers=[catcher.matcher], limits=Limits(buffer=1 << 16))
    async with peers.socket("/listen/b/localhost:0") as socket:
        connection = await catcher.caught.get()
        reader = Reader(connection)
        piece = b"x" * (1 << 16)
        for _ in range(100):
            connection.write(piece)
        assert not connection.writable
        total = 0
        while total < 100 * len(piece):
            total += len(await socket.recv())
        await until(lambda: reader.writable > 0)
        assert connection.writable
        catcher.release.set()


async def test_peer_that_reads_nothing_is_cut_off(start_relay: StartRelay) -> None:
    catcher = Catcher()
    limits = Limits(flush_timeout=0.05)
    peers = await start_relay(matchers=[catcher.matcher], limits=limits)
    async with peers.socket("/listen/b/localhost:0", max_queue=1) as socket:
        connection = await catcher.caught.get()
        reader = Reader(connection)
        socket.transport.pause_reading()
        for _ in range(400):
            connection.write(b"x" * (1 << 16))
        connection.close()
        async with asyncio.timeout(5):
            await connection.ended.wait()
        assert len(reader.lost) == 1
        socket.transport.abort()
        catcher.release.set()
