"""The port of a tunnel with channels, over memory streams in place of the WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from amctl.relay.peers import PeerListener
from amctl.relay.security import Target
from amctl.rpc.transports.memory import memory_pair
from amctl.rpc.transports.tunnel import ChannelConnection, Tunnel
from amctl.rpc.wire.tunnel import TunnelLimits
from tests.relay.conftest import tcp, until
from tests.rpc.transports.test_base import End

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.realtime

WINDOW = 64 << 10


class Rig:
    """A port, and the browser's end of its tunnel."""

    def __init__(self, channels: int = 64) -> None:
        near, self.far = memory_pair()
        limits = TunnelLimits(channels=channels)
        self.accepted: asyncio.Queue[ChannelConnection] = asyncio.Queue()
        self.relay = Tunnel(near, even=True, limits=limits)
        self.browser = Tunnel(self.far, even=False, accept=self.accepted.put_nowait, limits=limits)
        self.counts: list[tuple[int, bool]] = []
        self.names: list[str] = []
        self.listener = PeerListener(self.relay, 0.2, self._on_peers)
        self.port = 0

    def _on_peers(self, count: int, newest: str) -> None:
        self.counts.append((count, bool(newest)))
        if newest:
            self.names.append(newest)


@contextlib.asynccontextmanager
async def rig(channels: int = 64) -> AsyncIterator[Rig]:
    made = Rig(channels)
    made.relay.start()
    made.browser.start()
    made.port = (await made.listener.bind(Target("localhost", 0))).port
    try:
        yield made
    finally:
        made.listener.close()
        made.far.cut()
        await until(lambda: made.relay.is_closed)


async def test_each_peer_has_a_channel_that_names_it() -> None:
    async with rig() as made, tcp(made.port) as (reader, writer), tcp(made.port) as (other, _):
        first, second = End(await made.accepted.get()).start(), await made.accepted.get()
        name = writer.get_extra_info("sockname")
        assert first.conn.peer == f"127.0.0.1:{name[1]}" == made.names[0]
        writer.write(b"up")
        await first.until(lambda: first.data == b"up")
        first.conn.write(b"down")
        second.write(b"other")
        assert await reader.readexactly(4) == b"down"
        assert await other.readexactly(5) == b"other"
        assert made.counts == [(1, True), (2, True)]


async def test_a_peer_that_leaves_ends_its_channel_after_its_last_words() -> None:
    async with rig() as made, tcp(made.port) as (stays, _):
        staying = End(await made.accepted.get()).start()
        async with tcp(made.port) as (_, writer):
            leaving = End(await made.accepted.get()).start()
            writer.write(b"x" * 200_000)
        await leaving.until(lambda: leaving.lost)
        assert (len(leaving.data), leaving.lost) == (200_000, [None])
        await until(lambda: made.counts[-1] == (1, False))
        staying.conn.write(b"still here")
        assert await stays.readexactly(10) == b"still here"


async def test_a_channel_that_ends_hangs_up_on_its_peer_after_its_last_words() -> None:
    async with rig() as made, tcp(made.port) as (reader, _):
        channel = End(await made.accepted.get()).start()
        channel.conn.write(b"x" * 200_000)
        channel.conn.close()
        assert len(await reader.read(-1)) == 200_000
        await until(lambda: made.counts[-1] == (0, False))


async def test_a_peer_that_takes_nothing_is_cut_off_in_the_end() -> None:
    async with rig() as made, tcp(made.port) as (_, writer):
        channel = End(await made.accepted.get()).start()
        writer.transport.pause_reading()
        channel.conn.write(b"x" * (32 << 20))
        await until(lambda: made.relay._channels[2]._paused)
        made.far.cut()
        await until(lambda: made.relay.is_closed)
        assert made.counts[-1] == (1, True), "it has time to take what is left"
        await until(lambda: made.counts[-1] == (0, False))
        writer.transport.abort()


async def test_wir_33_a_peer_is_read_only_as_far_as_its_channel_is_writable() -> None:
    async with rig() as made, tcp(made.port) as (_, writer), tcp(made.port) as (_, lively):
        channel = await made.accepted.get()
        channel.pause_reading()
        slow, quick = End(channel).start(), End(await made.accepted.get()).start()
        data = b"x" * (40 << 20)
        writer.write(data)
        lively.write(b"y" * 500_000)
        await quick.until(lambda: len(quick.data) == 500_000)
        await slow.until(lambda: len(slow.data) == WINDOW)
        await until(lambda: made.relay._core.memory() == WINDOW)
        assert made.relay._core.room(2) == 0
        assert writer.transport.get_write_buffer_size() > 0
        channel.resume_reading()
        await slow.until(lambda: slow.data == data)


async def test_wir_33_a_peer_that_reads_slowly_gets_no_more_credit() -> None:
    async with rig() as made, tcp(made.port) as (reader, _):
        channel = End(await made.accepted.get()).start()
        sent = 0
        while channel.conn.writable:
            channel.conn.write(b"z" * WINDOW)
            sent += WINDOW
            for _ in range(100):
                await asyncio.sleep(0)
        assert sent < 32 << 20, "what the system holds, and two windows"
        assert made.relay._core.memory() == 0
        assert len(await reader.readexactly(sent)) == sent
        await until(lambda: channel.conn.writable)


async def test_wir_32_one_peer_too_many_is_hung_up_on() -> None:
    async with rig(channels=2) as made, tcp(made.port), tcp(made.port) as (stays, _):
        await made.accepted.get()
        second = End(await made.accepted.get()).start()
        async with tcp(made.port) as (refused, _):
            with contextlib.suppress(ConnectionResetError):
                assert await refused.read() == b""
        second.conn.write(b"fine")
        assert await stays.readexactly(4) == b"fine"
        assert made.counts[-1] == (2, True)


async def test_wir_33_the_end_of_the_tunnel_hangs_up_on_all_peers() -> None:
    async with rig() as made, tcp(made.port) as (one, _), tcp(made.port) as (two, _):
        await made.accepted.get(), await made.accepted.get()
        made.far.cut()
        assert await one.read() == await two.read() == b""
        await until(lambda: made.counts[-1] == (0, False))


async def test_only_loopback_is_listened_on() -> None:
    made = Rig()
    with pytest.raises(OSError, match="loopback"):
        await made.listener.bind(Target("0.0.0.0", 0))
    made.listener.close()
