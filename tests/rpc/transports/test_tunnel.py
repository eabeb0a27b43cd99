"""Channels of a tunnel are connections like all others, and don't harm each other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from amctl.rpc.transports.tunnel import ChannelConnection, Tunnel
from amctl.rpc.wire.codes import Code, Kind
from amctl.rpc.wire.framer import frame
from amctl.rpc.wire.link import bye
from amctl.rpc.wire.tunnel import TunnelFullError, TunnelLimits
from tests.rpc.transports.test_base import End

WINDOW = 64 << 10


class Both:
    """A tunnel over a pair of memory streams; the browser's end accepts."""

    def __init__(self, limits: TunnelLimits | None = None) -> None:
        self.near: MemoryConnection
        self.far: MemoryConnection
        self.near, self.far = memory_pair(names=("browser", "relay"))
        self.accepted: list[ChannelConnection] = []
        self.relay = Tunnel(self.near, even=True, limits=limits)
        self.browser = Tunnel(self.far, even=False, accept=self.accepted.append, limits=limits)
        self.over: list[str] = []
        self.relay.on_closed = lambda: self.over.append("relay")
        self.browser.on_closed = lambda: self.over.append("browser")
        self.relay.start()
        self.browser.start()

    async def open(self, peer: str = "1.2.3.4:5") -> tuple[End, End]:
        """A channel, both ends started."""
        near = End(self.relay.open(peer)).start()
        await turn()
        return near, End(self.accepted[-1]).start()


async def turn() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_bytes_arrive_whole_and_in_order_both_ways() -> None:
    both = Both()
    one, two = await both.open()
    three, four = await both.open()
    data = bytes(range(256)) * 2000
    for end, start in ((one, 0), (two, 1), (three, 2), (four, 3)):
        end.conn.write(data[start:])
    for end, start in ((two, 0), (one, 1), (four, 2), (three, 3)):
        await end.until(lambda end=end, start=start: end.data == data[start:])
    assert two.conn.peer == "1.2.3.4:5"
    assert one.conn.peer == "browser"
    assert len(both.relay) == len(both.browser) == 2


async def test_bytes_before_start_are_kept_and_not_credited() -> None:
    both = Both()
    near = End(both.relay.open()).start()
    near.conn.write(b"x" * (WINDOW + 1000))
    await turn()
    (channel,) = both.accepted
    assert channel.peer == "relay, channel 2"
    far = End(channel).start()
    assert len(far.data) == WINDOW
    await far.until(lambda: len(far.data) == WINDOW + 1000)


async def test_a_loss_before_start_is_told_at_start() -> None:
    both = Both()
    near = both.relay.open()
    await turn()
    near.close()
    await turn()
    assert both.accepted[0].is_closed
    assert End(both.accepted[0]).start().lost == [None]


async def test_close_flushes_and_both_ends_hear_it_once() -> None:
    both = Both()
    one, two = await both.open()
    one.conn.write(b"x" * 300_000)
    one.conn.close(1000, "enough")
    assert (one.conn.is_closed, one.conn.writable) == (True, False)
    one.conn.write(b"dropped")
    one.conn.close()
    await one.until(lambda: one.lost)
    await two.until(lambda: two.lost)
    assert len(two.data) == 300_000
    assert one.lost == two.lost == [None]
    assert two.conn.is_closed
    two.conn.write(b"dropped")
    two.conn.close()
    assert len(both.relay) == len(both.browser) == 0
    assert both.over == []


async def test_another_close_code_is_an_error_for_the_other_end() -> None:
    both = Both()
    one, two = await both.open()
    one.conn.close(1013, "not started")
    await two.until(lambda: two.lost)
    assert str(two.lost[0]) == "channel was closed: internal"


async def test_wir_32_above_its_window_a_channel_is_not_writable_until_it_drains() -> None:
    both = Both()
    one, two = await both.open()
    reading = both.accepted[0]
    reading.pause_reading()
    channel = one.conn
    assert isinstance(channel, ChannelConnection)
    assert channel.room == WINDOW
    one.conn.write(b"y" * (WINDOW + 100))
    await two.until(lambda: len(two.data) == WINDOW)
    assert channel.room == WINDOW - 100, "a window is on its way, the rest waits"
    one.conn.write(b"y" * WINDOW)
    assert not one.conn.writable
    await turn()
    assert one.writable == 1, "for the first write, which left in part"
    reading.resume_reading()
    await one.until(lambda: one.writable == 2)
    assert one.conn.writable
    await two.until(lambda: len(two.data) == 2 * WINDOW + 100)


async def test_wir_32_a_reader_that_waits_holds_nobody_back() -> None:
    both = Both()
    slow_near, slow = await both.open()
    near, far = await both.open()
    both.accepted[0].pause_reading()
    slow_near.conn.write(b"s" * 10 * WINDOW)
    near.conn.write(b"f" * 10 * WINDOW)
    await far.until(lambda: len(far.data) == 10 * WINDOW)
    assert len(slow.data) == WINDOW
    assert both.browser._core.memory() == 0


async def test_wir_32_the_65th_channel_is_refused() -> None:
    both = Both()
    for _ in range(64):
        both.relay.open()
    with pytest.raises(TunnelFullError):
        both.relay.open()
    await turn()
    assert len(both.browser) == 64


async def test_channels_that_the_other_end_does_not_expect_are_refused() -> None:
    both = Both()
    end = End(both.browser.open()).start()
    await end.until(lambda: end.lost)
    assert str(end.lost[0]) == "channel was closed: unsupported"
    assert len(both.relay) == 0


async def test_a_reader_that_fails_ends_its_channel_only() -> None:
    both = Both()
    one, two = await both.open()
    three = End(both.relay.open()).start()
    await turn()
    lost: list[Exception | None] = []

    def fail(data: bytes) -> None:
        raise LookupError("no")

    both.accepted[1].start(fail, lost.append, lambda: None)
    three.conn.write(b"x")
    await three.until(lambda: three.lost)
    assert str(three.lost[0]) == "channel was closed: internal"
    assert isinstance(lost[0], LookupError)
    one.conn.write(b"fine")
    await two.until(lambda: two.data == b"fine")


async def test_wir_33_with_the_tunnel_all_channels_are_lost() -> None:
    both = Both()
    ends = [*await both.open(), *await both.open()]
    both.near.cut()
    for end in ends:
        await end.until(lambda end=end: end.lost)
        assert isinstance(end.lost[0], ConnectionResetError)
        assert end.conn.is_closed
    assert sorted(both.over) == ["browser", "relay"]
    assert both.relay.is_closed
    assert isinstance(both.relay.error, ConnectionResetError)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", frame(Kind.DATA), b"\x00"])
async def test_wir_2_garbage_ends_the_tunnel_with_a_goodbye(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    near, far = memory_pair()
    tunnel = Tunnel(far, even=False, accept=lambda _: None)
    tunnel.start()
    peer = End(near).start()
    await turn()
    peer.data.clear()
    near.write(data)
    await peer.until(lambda: peer.lost)
    assert peer.data[1] == Kind.BYE
    assert tunnel.is_closed
    assert "ended: " in caplog.text


async def test_wir_28_a_peer_that_is_silent_is_given_up() -> None:
    near, far = memory_pair()
    tunnel = Tunnel(far, even=False)
    tunnel.start()
    peer = End(near).start()
    await peer.until(lambda: peer.data == b"\x01\x04")
    assert not tunnel.heard
    async with asyncio.timeout(20):
        while not peer.lost:
            peer.changed.clear()
            await peer.changed.wait()
    assert asyncio.get_running_loop().time() == pytest.approx(5.0)
    assert "no answer to ping" in str(tunnel.error)


async def test_wir_28_two_ends_that_have_nothing_to_say_stay_together() -> None:
    both = Both()
    one, two = await both.open()
    await asyncio.sleep(3600)
    one.conn.write(b"still there")
    await two.until(lambda: two.data == b"still there")
    assert both.browser.heard


async def test_closing_a_tunnel_waits_for_what_its_channels_have_to_say() -> None:
    both = Both()
    one, two = await both.open()
    two.conn.write(b"l" * 3 * WINDOW)
    both.browser.close()
    two.conn.close()
    await one.until(lambda: one.lost)
    assert len(one.data) == 3 * WINDOW
    await turn()
    assert sorted(both.over) == ["browser", "relay"]
    assert both.relay.error is both.browser.error is None


async def test_closing_a_tunnel_cuts_off_what_does_not_end() -> None:
    both = Both()
    one, two = await both.open()
    both.browser.close()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(4.9):
            await one.until(lambda: one.lost)
    await asyncio.sleep(1)
    assert isinstance(one.lost[0], ConnectionResetError)
    assert isinstance(two.lost[0], ConnectionResetError)


async def test_a_goodbye_with_a_code_is_the_channels_error() -> None:
    near, far = memory_pair(names=("here", "there"))
    tunnel = Tunnel(near, even=True)
    tunnel.start()
    channel = End(tunnel.open()).start()
    peer: Any = End(far).start()
    peer.conn.write(bye(Code.AWAY) + bye(99))
    await channel.until(lambda: channel.lost)
    assert str(channel.lost[0]) == "tunnel of here ended: away"
