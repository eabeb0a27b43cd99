"""Peers that mean no good: slow ones, greedy ones, those that guess, those that listen in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.responses import Response
from starlette.routing import Route

from amctl.relay import Limits, Policy, Relay
from amctl.rpc.errors import ExposedError
from amctl.rpc.exposure import client_tls, server_tls
from amctl.rpc.transports.websocket import dial_websocket
from tests.relay.conftest import BEARER, TOKEN, until
from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from tests.relay.conftest import Peers, StartRelay

pytestmark = pytest.mark.realtime

QUICK = Limits(head_timeout=0.15, read_timeout=0.15)
CERT = ROOT / "tests" / "cases" / "tls" / "cert.pem"
KEY = ROOT / "tests" / "cases" / "tls" / "key.pem"


def head(peers: Peers, method: str = "GET", path: str = "/x", more: str = "") -> bytes:
    first = f"{method} {path} HTTP/1.1\r\nHost: localhost:{peers.relay.port}\r\n"
    return f"{first}Authorization: Bearer {TOKEN}\r\n{more}\r\n".encode()


@contextlib.asynccontextmanager
async def raw(peers: Peers) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", peers.relay.port)
    try:
        async with asyncio.timeout(10):
            yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> int:
    """Send byte after byte until the other side hangs up; how many it took."""
    gone = asyncio.ensure_future(reader.read(-1))
    for sent in range(len(data)):
        writer.write(data[sent : sent + 1])
        await asyncio.wait({gone}, timeout=0.005)
        if gone.done():
            with contextlib.suppress(OSError):
                gone.result()
            return sent
    gone.cancel()
    raise AssertionError("it took everything")


async def test_a_head_that_drips_is_given_up(start_relay: StartRelay) -> None:
    peers = await start_relay(limits=QUICK)
    async with raw(peers) as (reader, writer):
        await drip(reader, writer, b"GET / HTTP/1.1\r\nX: " + b"x" * 10_000)


async def test_the_head_of_a_second_request_has_no_more_time_than_the_first(
    start_relay: StartRelay,
) -> None:
    peers = await start_relay(limits=QUICK)
    async with raw(peers) as (reader, writer):
        writer.write(head(peers))
        assert (await reader.readuntil(b"not found\n")).startswith(b"HTTP/1.1 404")
        await drip(reader, writer, b"GET / HTTP/1.1\r\nX: " + b"x" * 10_000)


async def test_a_body_that_drips_is_given_up(start_relay: StartRelay) -> None:
    async def post(request: Request) -> Response:
        return Response(await request.body())

    peers = await start_relay(limits=QUICK, routes=[Route("/x", post, methods=["POST"])])
    async with raw(peers) as (reader, writer):
        writer.write(head(peers, "POST", more="Content-Length: 10000\r\n"))
        await drip(reader, writer, b"x" * 10_000)


async def test_who_reads_nothing_is_given_up(start_relay: StartRelay) -> None:
    async def much(_: Request) -> Response:
        return Response(b"x" * (32 << 20))

    peers = await start_relay(limits=QUICK, routes=[Route("/x", much)])
    async with raw(peers) as (_, writer):
        sock: Any = writer.get_extra_info("socket")
        writer.write(head(peers))
        while peers.relay._server._server.server_state.connections:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.02)
        assert sock.fileno() > 0


async def test_a_refused_upgrade_is_no_error_of_ours(
    start_relay: StartRelay, caplog: pytest.LogCaptureFixture
) -> None:
    peers = await start_relay()
    more = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://evil.example\r\n"
    )
    with caplog.at_level(logging.ERROR):
        for late in (b"", b"\x83\x80\0\0\0\0"):
            await peers.raw(head(peers, path="/listen/a/localhost:0", more=more) + late, end=False)
    assert caplog.records == []


@pytest.mark.parametrize("second", [b"\0\0\r\n\r\n", b"GET / HTTP/9\r\n\r\n"])
async def test_rubbish_behind_a_good_request_is_refused_and_no_error_of_ours(
    start_relay: StartRelay, caplog: pytest.LogCaptureFixture, second: bytes
) -> None:
    peers = await start_relay()
    with caplog.at_level(logging.ERROR):
        for method in ("GET", "HEAD"):
            answer = await peers.raw(head(peers, method) + second, end=False)
            assert b"HTTP/1.1 400" in answer
        chunked = head(peers, "POST", more="Transfer-Encoding: chunked\r\n")
        assert (await peers.raw(chunked + b"zz\r\n", end=False)).startswith(b"HTTP/1.1 40")
    assert caplog.records == []


async def test_one_address_from_outside_cant_fill_the_house(
    start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amctl.relay.protocols.is_elsewhere", lambda host: True)
    peers = await start_relay(limits=Limits(per_address=2))
    async with raw(peers), raw(peers):
        await asyncio.sleep(0.02)
        assert (await peers.raw(b"")).startswith(b"HTTP/1.1 503")


async def test_who_guesses_tokens_has_to_wait(
    start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amctl.rpc.exposure.is_elsewhere", lambda host: True)
    peers = await start_relay()
    async with peers.http() as http:
        wrong = {"Authorization": "Bearer wrong"}
        found = [(await http.get("/x", headers=wrong)).status_code for _ in range(11)]
        assert found == [401] * 10 + [429]
        refused = await http.get("/?token=wrong")
        assert refused.status_code == 429
        assert "wait a minute" in refused.text


async def test_beyond_loopback_it_needs_tls_or_force() -> None:
    with pytest.raises(ExposedError, match="reachable"):
        await Relay("x", token=TOKEN, host="0.0.0.0").start()
    relay = Relay("y", token=TOKEN, host="0.0.0.0", policy=Policy(forced=True))
    await relay.start()
    await relay.stop()


async def test_pages_and_tunnels_travel_under_tls(start_relay: StartRelay) -> None:
    peers = await start_relay(host="localhost", tls=server_tls(CERT, KEY))
    relay, trust = peers.relay, client_tls(CERT)
    assert relay.url.startswith("https://")
    async with httpx.AsyncClient(base_url=relay.url, verify=trust) as http:
        swapped = await http.get(f"/?token={TOKEN}")
        assert "Secure" in swapped.headers["set-cookie"]
        assert (await http.get("/x", headers=BEARER)).status_code == 404
    url = f"wss://localhost:{relay.port}/listen/a/localhost:0"
    conn = await dial_websocket(url, headers=BEARER, tls=trust)
    assert len(relay) == 1
    over = asyncio.Event()
    conn.start(lambda _: None, lambda _: over.set(), lambda: None)
    conn.close()
    await over.wait()
    await until(lambda: not relay._server._server.server_state.connections)
    with pytest.raises((ssl.SSLError, OSError)):
        await dial_websocket(url, headers=BEARER)
    with pytest.raises((ConnectionError, httpx.TransportError)):
        await httpx.AsyncClient().get(relay.url.replace("https", "http"))
