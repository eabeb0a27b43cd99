"""Start and stop of the whole relay."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from amctl.machine import Machine
from amctl.machine.registry import live
from amctl.relay import BindError, Policy, PortInUseError, Relay
from amctl.relay.states import RelayStates
from tests.relay.conftest import TOKEN, closed, tcp, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from tests.relay.conftest import StartRelay

pytestmark = pytest.mark.realtime


async def test_taken_port_is_told_before_anything_else(start_relay: StartRelay) -> None:
    peers = await start_relay()
    port = peers.relay.port
    other = Relay("other", token=TOKEN, port=port)
    with pytest.raises(PortInUseError) as caught:
        await other.start()
    assert (caught.value.host, caught.value.port) == ("127.0.0.1", port)
    assert str(caught.value) == f"port {port} on 127.0.0.1 is in use"
    assert "another port" in caught.value.hint
    await other.stop()
    async with peers.http() as http:
        assert (await http.get("/")).status_code == 404


async def test_foreign_address_is_told() -> None:
    relay = Relay("x", token=TOKEN, host="192.0.2.1", port=1234, policy=Policy(forced=True))
    with pytest.raises(BindError, match=r"address 192\.0\.2\.1:1234 can't be listened on"):
        await relay.start()


async def test_relay_tells_where_it_is(start_relay: StartRelay) -> None:
    peers = await start_relay(host="localhost")
    relay = peers.relay
    assert relay.port > 0
    assert relay.url == f"http://localhost:{relay.port}"
    assert relay.page_url == f"{relay.url}/?token={TOKEN}"


async def test_relay_serves_right_after_start_and_leaves_signals_alone(
    start_relay: StartRelay,
) -> None:
    before = (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
    threads = threading.active_count()
    peers = await start_relay()
    async with peers.http() as http:
        assert (await http.get("/")).status_code == 404
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert threading.active_count() == threads


async def _endless(_request: Request) -> Response:
    async def lines() -> AsyncIterator[bytes]:
        while True:
            yield b"line\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(lines())


async def _stubborn(_request: Request) -> Response:
    await asyncio.Event().wait()
    return Response()


async def test_rel_14_stop_ends_everything_within_a_second(
    start_relay: StartRelay, caplog: pytest.LogCaptureFixture
) -> None:
    routes = [Route("/endless", _endless), Route("/stubborn", _stubborn)]
    peers = await start_relay(routes=routes)
    accepted: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: accepted.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        peers.http() as http,
        peers.socket("/listen/a/localhost:0") as first,
        peers.socket(f"/dial/b/localhost:{port}") as second,
        http.stream("GET", "/endless") as answer,
        tcp(peers.relay.port),
    ):
        stubborn = asyncio.ensure_future(http.get("/stubborn"))
        await anext(answer.aiter_raw())
        await until(lambda: len(peers.relay) == 2)
        began = time.monotonic()
        await peers.relay.stop()
        assert time.monotonic() - began < 1
        assert await closed(first) == (1001, "relay stops")
        assert await closed(second) == (1001, "relay stops")
        with pytest.raises(httpx.TransportError):
            await stubborn
    assert len(peers.relay) == 0
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", peers.relay.port)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    for writer in accepted:
        writer.close()
    server.close()


async def test_stop_twice_and_stop_without_start_do_nothing(start_relay: StartRelay) -> None:
    peers = await start_relay()
    await peers.relay.stop()
    await peers.relay.stop()
    await Relay("x", token=TOKEN).stop()


async def test_failing_route_is_logged_and_harms_nobody(
    start_relay: StartRelay, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_request: Request) -> Response:
        raise ZeroDivisionError("oops")

    peers = await start_relay(routes=[Route("/broken", broken)])
    async with peers.http() as http:
        answer = await http.get("/broken")
        assert answer.status_code == 500
        assert "oops" not in answer.text
        assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
        assert (await http.get("/")).status_code == 404
    assert "oops" in caplog.text


async def test_quiet_relay_logs_nothing(
    start_relay: StartRelay, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    peers = await start_relay()
    async with peers.http() as http, peers.socket("/listen/a/localhost:0"):
        await http.get("/")
    await peers.relay.stop()
    assert caplog.records == []


async def test_rel_r3_machine_is_ready_once_the_relay_serves(start_relay: StartRelay) -> None:
    relay = (await start_relay()).relay
    assert relay.machine.id == "relay-test"
    assert relay.machine.is_([RelayStates.Start, RelayStates.HttpReady])
    assert relay.machine.not_(RelayStates.HttpStarting)
    await relay.stop()
    assert relay.machine.is_disposed


async def test_rel_c3_taken_port_leaves_an_error_and_no_start(start_relay: StartRelay) -> None:
    port = (await start_relay()).relay.port
    other = Relay("other", token=TOKEN, port=port)
    with pytest.raises(PortInUseError):
        await other.start()
    assert other.machine.is_(RelayStates.ErrNetwork)
    assert not other.machine.any_([RelayStates.Start, RelayStates.HttpStarting])
    await other.stop()


async def test_rel_r4_losing_http_ready_stops_the_server(start_relay: StartRelay) -> None:
    peers = await start_relay()
    async with peers.socket("/listen/a/localhost:0") as socket:
        peers.relay.machine.remove(RelayStates.Start)
        assert await closed(socket) == (1001, "relay stops")
    await peers.relay.stop()


async def test_rel_r5_relay_goes_with_its_parent(start_relay: StartRelay) -> None:
    parent = Machine("boss", RelayStates)
    peers = await start_relay(parent=parent)
    assert peers.relay.machine.parent_id == "boss"
    async with peers.socket("/listen/a/localhost:0") as socket:
        parent.dispose()
        assert await closed(socket) == (1001, "relay stops")
    await until(lambda: peers.relay.machine.is_disposed)


async def test_rel_13_counters_balance_and_tunnels_are_numbered(start_relay: StartRelay) -> None:
    peers = await start_relay()
    ids = set()
    machine = peers.relay.machine
    async with peers.socket("/listen/a/localhost:0"), peers.socket("/listen/b/localhost:0"):
        await until(lambda: len(children(machine)) == 2)
        ids = children(machine)
    await until(lambda: len(peers.relay) == 0)
    async with peers.socket("/dial/c/localhost:1") as socket:
        await closed(socket)
    await until(lambda: len(peers.relay) == 0)
    assert ids == {"relay-test-wt-0", "relay-test-wt-1"}
    assert children(machine) == set()
    states = ("WsTunListenConn", "WsTunListenDisconn", "WsDialConn", "WsDialDisconn")
    assert [machine.tick(state) for state in states] == [3, 3, 1, 1]
    assert machine.is_(RelayStates.ErrNetwork)


def children(machine: Machine) -> set[str]:
    """Ids of the living tunnel machines of a relay."""
    return {m.id for m in live() if m.parent_id == machine.id and not m.is_disposed}
