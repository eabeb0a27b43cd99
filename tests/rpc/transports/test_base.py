"""What every transport keeps to; the same cases for each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from amctl.rpc.transports.memory import memory_pair
from amctl.rpc.transports.tcp import dial_tcp, listen_tcp
from amctl.rpc.transports.websocket import dial_websocket, listen_websocket
from tests.rpc.world import TRANSPORTS

if TYPE_CHECKING:
    from amctl.rpc.transports.base import Connection

every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


class End:
    """One end, and what it saw."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.data = bytearray()
        self.lost: list[Exception | None] = []
        self.writable = 0
        self.changed = asyncio.Event()

    def start(self) -> End:
        self.conn.start(self._data, self._lost, self._writable)
        return self

    def _data(self, data: bytes) -> None:
        assert isinstance(data, bytes)
        assert data
        self.data += data
        self.changed.set()

    def _lost(self, error: Exception | None) -> None:
        self.lost.append(error)
        self.changed.set()

    def _writable(self) -> None:
        self.writable += 1
        self.changed.set()

    async def until(self, what: Any) -> None:
        async with asyncio.timeout(5):
            while not what():
                self.changed.clear()
                await self.changed.wait()


async def ends(transport: str) -> tuple[End, End, Any]:
    """Two connected ends, and what must be closed."""
    if transport == "memory":
        one, two = memory_pair()
        return End(one), End(two), None
    accepted: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    if transport == "tcp":
        listener = await listen_tcp("127.0.0.1", 0, accepted.set_result)
        near: Connection = await dial_tcp(listener.host, listener.port)
    else:
        listener = await listen_websocket("127.0.0.1", 0, accepted.set_result)
        near = await dial_websocket(f"ws://{listener.host}:{listener.port}/any/path")
    return End(near), End(await accepted), listener


async def done(listener: Any, *ends: End) -> None:
    """Close everything, and wait until it is."""
    if listener is not None:
        listener.close()
    for end in ends:
        end.conn.close()
    for end in ends:
        await end.until(lambda end=end: end.lost)


@every_transport
async def test_bytes_arrive_whole_and_in_order_both_ways(transport: str) -> None:
    one, two, listener = await ends(transport)
    one.start(), two.start()
    for n in range(200):
        one.conn.write(bytes([n]) * n)
        two.conn.write(bytes([n]))
    await two.until(lambda: len(two.data) == sum(range(200)))
    await one.until(lambda: len(one.data) == 200)
    assert bytes(two.data) == b"".join(bytes([n]) * n for n in range(200))
    assert bytes(one.data) == bytes(range(200))
    await done(listener, one, two)


@every_transport
async def test_bytes_before_start_are_kept(transport: str) -> None:
    one, two, listener = await ends(transport)
    one.start()
    one.conn.write(b"early")
    for _ in range(20):
        await asyncio.sleep(0)
    two.start()
    await two.until(lambda: two.data == b"early")
    await done(listener, one, two)


@every_transport
async def test_close_flushes_and_both_ends_hear_it_once(transport: str) -> None:
    one, two, listener = await ends(transport)
    one.start(), two.start()
    one.conn.write(b"x" * 300_000)
    one.conn.close(1000, "enough")
    assert one.conn.is_closed
    one.conn.write(b"dropped")
    one.conn.close()
    await two.until(lambda: two.lost)
    await one.until(lambda: one.lost)
    assert len(two.data) == 300_000
    assert one.lost == two.lost == [None]
    assert two.conn.is_closed
    two.conn.write(b"dropped")
    two.conn.close()
    await done(listener, one, two)


@every_transport
async def test_a_loss_before_start_is_told_at_start(transport: str) -> None:
    one, two, listener = await ends(transport)
    one.start()
    two.conn.close()
    await one.until(lambda: one.lost)
    two.start()
    await two.until(lambda: two.lost)
    await done(listener, one, two)


@every_transport
async def test_above_the_high_water_mark_it_is_not_writable_until_it_drains(
    transport: str,
) -> None:
    one, two, listener = await ends(transport)
    one.start()
    written = 0
    while one.conn.writable:
        one.conn.write(b"y" * 65536)
        written += 65536
        assert written < 64 << 20
    two.start()
    await one.until(lambda: one.writable)
    assert one.conn.writable
    await two.until(lambda: len(two.data) == written)
    await done(listener, one, two)


@every_transport
async def test_it_is_started_once_only(transport: str) -> None:
    one, two, listener = await ends(transport)
    one.start(), two.start()
    with pytest.raises(RuntimeError, match="started"):
        one.start()
    await done(listener, one, two)


@every_transport
async def test_it_names_its_peer(transport: str) -> None:
    one, two, listener = await ends(transport)
    one.start(), two.start()
    assert one.conn.peer
    assert two.conn.peer
    await done(listener, one, two)
