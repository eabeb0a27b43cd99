"""Caps, deadlines and broken input at the level of sockets; a good client beside stays unharmed."""

from __future__ import annotations

import asyncio
import os
import re
from typing import TYPE_CHECKING

import pytest
from starlette.routing import WebSocketRoute

from amctl.relay import Limits, Matcher
from tests.relay.conftest import TOKEN, closed, until

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from amctl.rpc.transports.base import Connection
    from tests.relay.conftest import Peers, StartRelay

pytestmark = pytest.mark.realtime


async def echo(_id: str, connection: Connection) -> None:
    over = asyncio.Event()
    connection.start(connection.write, lambda _: over.set(), lambda: None)
    await over.wait()


MATCHER = Matcher(re.compile("^b"), echo)


def upgrade(peers: Peers, more: str = "") -> bytes:
    head = (
        f"GET /listen/b-raw/localhost:0 HTTP/1.1\r\nHost: localhost:{peers.relay.port}\r\n"
        f"Authorization: Bearer {TOKEN}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    )
    return head.encode()


def frame(opcode: int, data: bytes, *, fin: bool = True, mask: bool = True) -> bytes:
    """A client's frame by hand, short ones only; the mask is zero."""
    first = opcode | (0x80 if fin else 0)
    return bytes([first, len(data) | (0x80 if mask else 0)]) + (b"\0" * 4 if mask else b"") + data


GARBAGE = {
    "no-http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
    "random": bytes(range(256)) * 8,
    "no-host": b"GET / HTTP/1.1\r\n\r\n",
    "half-a-head": b"GET / HTTP/1.1\r\nHost: loc",
    "long-head": b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "long-path": b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad-length": b"POST /log HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "two-lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_at_the_front_door_harms_nobody(start_relay: StartRelay, data: bytes) -> None:
    peers = await start_relay(matchers=[MATCHER])
    async with peers.socket("/listen/b/localhost:0") as good:
        answer = await peers.raw(data)
        assert answer == b"" or re.match(rb"HTTP/1\.1 4\d\d ", answer)
        await good.send(b"fine")
        assert await good.recv() == b"fine"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ("X: 1\r\n" * 200, 431),
        ("X: " + "x" * 9000 + "\r\n", 431),
        ("X: " + "x" * 70_000 + "\r\n", 431),
        ("Sec-WebSocket-Key: x\r\n", 400),
    ],
)
async def test_oversized_head_of_an_upgrade_is_refused(
    start_relay: StartRelay, more: str, status: int
) -> None:
    peers = await start_relay(matchers=[MATCHER])
    answer = await peers.raw(upgrade(peers, more), end=False)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert len(peers.relay) == 0


BROKEN_FRAMES = {
    "unmasked": (frame(2, b"x", mask=False), 1002),
    "unknown-opcode": (frame(3, b"x"), 1002),
    "reserved-bit": (bytes([0xC2, 0x80]) + b"\0" * 4, 1002),
    "continuation-first": (frame(0, b"x"), 1002),
    "fragmented-ping": (frame(9, b"x", fin=False), 1002),
    "bad-close": (frame(8, b"x"), 1002),
    "bad-utf8": (frame(1, b"\xff"), 1007),
    "oversized": (bytes([0x82, 0xFF]) + (1 << 40).to_bytes(8, "big") + b"\0" * 4, 1009),
}


@pytest.mark.parametrize(("data", "code"), BROKEN_FRAMES.values(), ids=BROKEN_FRAMES)
async def test_broken_frame_ends_only_its_connection(
    start_relay: StartRelay, data: bytes, code: int
) -> None:
    peers = await start_relay(matchers=[MATCHER])
    async with peers.socket("/listen/b/localhost:0") as good:
        answer = await peers.raw(upgrade(peers), data, end=False)
        head, _, frames = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert frames[:1] == b"\x88"
        assert int.from_bytes(frames[2:4], "big") == code
        await until(lambda: len(peers.relay) == 1)
        await good.send(b"fine")
        assert await good.recv() == b"fine"


@pytest.mark.parametrize("cut", [1, 2, 5, 8])
async def test_truncated_frame_is_dropped_with_its_connection(
    start_relay: StartRelay, cut: int
) -> None:
    peers = await start_relay(matchers=[MATCHER])
    whole = frame(2, b"0123456789")
    answer = await peers.raw(upgrade(peers), whole[:cut])
    assert b"01234" not in answer
    await until(lambda: len(peers.relay) == 0)


async def test_message_beyond_the_cap_ends_its_connection(start_relay: StartRelay) -> None:
    peers = await start_relay(matchers=[MATCHER], limits=Limits(message=1000))
    async with (
        peers.socket("/listen/b1/localhost:0") as bad,
        peers.socket("/listen/b2/localhost:0") as good,
    ):
        await bad.send(os.urandom(1001))
        assert (await closed(bad))[0] == 1009
        await good.send(b"x" * 1000)
        assert await good.recv() == b"x" * 1000


async def test_fragments_beyond_the_cap_end_their_connection(start_relay: StartRelay) -> None:
    peers = await start_relay(matchers=[MATCHER], limits=Limits(message=1000))
    async with peers.socket("/listen/b1/localhost:0") as bad:
        await bad.send([b"x" * 600, b"x" * 600])
        assert (await closed(bad))[0] == 1009


async def test_connections_beyond_the_cap_get_503(start_relay: StartRelay) -> None:
    peers = await start_relay(matchers=[MATCHER], limits=Limits(connections=2))
    async with (
        peers.socket("/listen/b1/localhost:0") as first,
        peers.socket("/listen/b2/localhost:0"),
    ):
        answer = await peers.raw(b"", end=False)
        assert answer.startswith(b"HTTP/1.1 503 ")
        await first.send(b"fine")
        assert await first.recv() == b"fine"
    async with peers.http() as http:
        assert (await http.get("/")).status_code == 404


async def test_connection_that_never_asks_is_dropped(start_relay: StartRelay) -> None:
    peers = await start_relay(limits=Limits(head_timeout=0.05))
    assert await peers.raw(b"GET / HTTP/1.1\r\nX: ", end=False) == b""


@pytest.mark.slow
async def test_missed_ping_ends_the_connection_and_frees_the_id(start_relay: StartRelay) -> None:
    """The peer's socket stays open and silent, as that of a sleeping laptop does."""
    limits = Limits(ping_interval=0.05, ping_timeout=0.3)
    peers = await start_relay(matchers=[MATCHER], limits=limits)
    async with peers.socket("/listen/b/localhost:0?tab=t1", ping_interval=None) as dead:
        await until(lambda: len(peers.relay) == 1)
        dead.transport.pause_reading()
        await until(lambda: len(peers.relay) == 0)
        async with peers.socket("/listen/b/localhost:0?tab=t2") as alive:
            await alive.send(b"mine")
            assert await alive.recv() == b"mine"
        dead.transport.abort()


async def test_answered_pings_keep_an_idle_connection(start_relay: StartRelay) -> None:
    limits = Limits(ping_interval=0.02, ping_timeout=5.0)
    peers = await start_relay(matchers=[MATCHER], limits=limits)
    async with peers.socket("/listen/b/localhost:0", ping_interval=None) as socket:
        claims = peers.relay.auth.claims
        await until(lambda: claims.holder("b") is not None)
        heard = claims.holder("b").heard()
        await until(lambda: claims.holder("b").heard() > heard)
        await socket.send(b"fine")
        assert await socket.recv() == b"fine"


async def test_pong_that_we_did_not_read_is_forgiven(start_relay: StartRelay) -> None:
    """While our side takes no data the peer's pongs wait behind it: that's no missed ping."""
    taken = asyncio.Event()
    got: list[bytes] = []

    async def busy(_id: str, connection: Connection) -> None:
        over = asyncio.Event()
        await taken.wait()
        connection.start(got.append, lambda _: over.set(), lambda: None)
        await over.wait()

    limits = Limits(ping_interval=0.02, ping_timeout=0.02)
    peers = await start_relay(matchers=[Matcher(re.compile("^b"), busy)], limits=limits)
    async with peers.socket("/listen/b/localhost:0", ping_interval=None) as socket:
        await socket.send(b"first")
        await asyncio.sleep(0.2)  # several pings' worth; a missed one would end the connection
        claims = peers.relay.auth.claims
        assert claims.is_alive(claims.holder("b"))
        taken.set()
        await until(lambda: got == [b"first"])


async def test_a_relay_that_stops_answers_for_whoever_has_not_yet(
    start_relay: StartRelay, caplog: pytest.LogCaptureFixture
) -> None:
    asked, gate = asyncio.Event(), asyncio.Event()

    async def slow(socket: WebSocket) -> None:
        asked.set()
        await gate.wait()
        await socket.close()

    peers = await start_relay(routes=[WebSocketRoute("/listen/b-raw/{rest}", slow)])
    answer = asyncio.ensure_future(peers.raw(upgrade(peers), end=False))
    await asked.wait()
    (connection,) = peers.relay._server._server.server_state.connections
    connection.shutdown()
    gate.set()
    assert (await answer).startswith(b"HTTP/1.1 500 ")
    assert "Exception" not in caplog.text


async def test_a_relay_that_stops_has_nothing_to_tell_who_is_closing(
    start_relay: StartRelay,
) -> None:
    peers = await start_relay(matchers=[MATCHER])
    reader, writer = await asyncio.open_connection("127.0.0.1", peers.relay.port)
    try:
        writer.write(upgrade(peers))
        assert (await reader.readline()).startswith(b"HTTP/1.1 101 ")
        (connection,) = peers.relay._server._server.server_state.connections
        connection.data_received(frame(8, (1000).to_bytes(2, "big")))
        connection.shutdown()
    finally:
        writer.close()
