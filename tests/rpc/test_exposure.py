"""Nobody listens beyond loopback by mistake; TLS; and who guesses tokens has to wait."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine
from amctl.rpc.client import Client
from amctl.rpc.endpoints import TcpEndpoint
from amctl.rpc.errors import ExposedError, TlsError
from amctl.rpc.exposure import (
    Lockout,
    check_exposure,
    client_tls,
    is_elsewhere,
    is_loopback,
    server_tls,
)
from amctl.rpc.server import Server
from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from amctl.rpc.transports.tcp import dial_tcp, listen_tcp
from amctl.rpc.transports.websocket import dial_websocket, listen_websocket
from tests.rpc.world import Rel, turn
from tests.support.house import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.rpc.transports.base import Connection

TLS = ROOT / "tests" / "cases" / "tls"
CERT, KEY = TLS / "cert.pem", TLS / "key.pem"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_needs_neither_tls_nor_force(host: str) -> None:
    assert is_loopback(host)
    check_exposure(host, 1, encrypted=False, forced=False)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.evil"])
async def test_beyond_loopback_nobody_listens_without_tls_or_force(host: str) -> None:
    for listen in (listen_tcp, listen_websocket):
        with pytest.raises(ExposedError, match="reachable from other computers") as caught:
            await listen(host, 0, lambda conn: None)
    assert "certificate" in caught.value.hint
    with pytest.raises(OSError, match="encrypted"):
        await TcpEndpoint(host).listen(lambda conn: None, 0)
    check_exposure(host, 1, encrypted=True, forced=False)
    check_exposure(host, 1, encrypted=False, forced=True)


@pytest.mark.realtime
async def test_who_is_forced_listens() -> None:
    listener = await listen_tcp("0.0.0.0", 0, lambda conn: None, forced=True)
    assert listener.port > 0
    listener.close()


@pytest.mark.realtime
async def test_calls_travel_under_tls() -> None:
    source = Machine("src", Rel)
    endpoint = TcpEndpoint("127.0.0.1", 0, server_tls(CERT, KEY))
    server = Server(source, "tls", endpoint, token="t")
    server.start()
    await server.machine.when("RpcReady", timeout=5)
    port = int(server.addr.rpartition(":")[2])
    trust = client_tls(CERT)
    client = Client("tls", token="t", dial=lambda: dial_tcp("localhost", port, trust))
    client.start()
    await client.machine.when("Ready", timeout=5)
    await client.net.add("C")
    assert source.is_("C")
    await client.stop()
    with pytest.raises(ssl.SSLCertVerificationError):
        await dial_tcp("localhost", port, client_tls())
    await server.stop()
    await asyncio.sleep(0.05)  # sockets under TLS take their time to close


@pytest.mark.realtime
async def test_websockets_travel_under_tls_and_the_name_must_fit() -> None:
    got: list[Connection] = []
    listener = await listen_websocket("127.0.0.1", 0, got.append, tls=server_tls(CERT, KEY))
    conn = await dial_websocket(f"wss://localhost:{listener.port}/", tls=client_tls(CERT))
    lost = asyncio.Event()
    got[0].start(lambda data: None, lambda error: lost.set(), lambda: None)
    conn.close()
    await lost.wait()
    with pytest.raises(ssl.SSLCertVerificationError):
        await dial_websocket(f"wss://localhost:{listener.port}/")
    listener.close()
    await asyncio.sleep(0.05)  # sockets under TLS take their time to close


@pytest.mark.realtime
async def test_pages_of_a_browser_are_refused_where_nobody_judges_their_origin() -> None:
    listener = await listen_websocket("127.0.0.1", 0, lambda conn: None)
    with pytest.raises(ConnectionError, match="403"):
        await dial_websocket(
            f"ws://localhost:{listener.port}/", headers={"Origin": "http://evil.example"}
        )
    listener.close()


def test_files_that_make_no_tls_are_named(tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    for cert, key in ((junk, KEY), (CERT, junk), (tmp_path / "none", KEY)):
        with pytest.raises(TlsError, match="can't be used") as caught:
            server_tls(cert, key)
        assert "PEM" in caught.value.hint
    with pytest.raises(TlsError):
        client_tls(junk)


def test_who_guesses_tokens_has_to_wait() -> None:
    now = [0.0]
    lockout = Lockout(most=3, window=60, clock=lambda: now[0], hosts=2)
    for _ in range(3):
        assert not lockout.is_out("10.0.0.1")
        lockout.failed("10.0.0.1")
    assert lockout.is_out("10.0.0.1")
    assert not lockout.is_out("10.0.0.2")
    now[0] = 61
    assert not lockout.is_out("10.0.0.1")
    for host in ("10.0.0.3", "10.0.0.4", "10.0.0.5"):
        lockout.failed(host)
    assert len(lockout._failed) == 2


def test_programs_of_this_machine_shut_nobody_out() -> None:
    lockout = Lockout(most=1)
    for host in ("127.0.0.1", "::1", "a peer in this process"):
        lockout.failed(host)
        assert not lockout.is_out(host)
        assert not is_elsewhere(host)
    assert is_elsewhere("10.0.0.1")


async def test_wrong_tokens_from_one_host_close_its_door_alone() -> None:
    server = Server(Machine("src", Rel), "shut", token="right")
    server.start()
    await server.machine.when("RpcReady", timeout=5)

    async def dial(host: str) -> MemoryConnection:
        near, far = memory_pair(names=("server", f"{host}:5"))
        server.accept(far)
        return near

    for _ in range(10):
        client = Client("guess", token="wrong", dial=lambda: dial("10.0.0.9"))
        client.start()
        await client.machine.when_not("Start", timeout=5)
        await client.stop()
    assert server._host.lockout.is_out("10.0.0.9")
    conn = await dial("10.0.0.9")
    await turn()
    assert conn.is_closed
    good = Client("good", token="right", dial=lambda: dial("10.0.0.8"))
    good.start()
    await good.machine.when("Ready", timeout=5)
    await good.stop()
    await server.stop()
