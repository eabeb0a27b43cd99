"""Many TCP peers through one WebSocket of the real relay; the browser's end is a native one."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
from websockets.typing import Subprotocol

from amctl.machine import registry
from amctl.relay import Limits, Matcher
from amctl.rpc.transports.tunnel import ChannelConnection, Tunnel
from amctl.rpc.transports.websocket import dial_websocket
from amctl.rpc.wire.codes import Kind
from amctl.rpc.wire.tunnel import SUBPROTOCOL
from tests.relay.conftest import BEARER, closed, free_port, tcp, until

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.machine import MachineView
    from tests.relay.conftest import Peers, StartRelay

pytestmark = pytest.mark.realtime

PATH = "/listen/repl-x/localhost:0"
OFFER = {"subprotocols": [Subprotocol("other"), Subprotocol(SUBPROTOCOL)]}


class Thread:
    """The browser's end of a tunnel; its channels send back what they get."""

    def __init__(self, tmp_path: Path) -> None:
        self.file = tmp_path / "repl" / "repl-x.addr"
        self.tunnel: Tunnel
        self.channels: list[ChannelConnection] = []

    async def dial(self, peers: Peers, path: str = PATH) -> int:
        """Come up; the port that the address file names."""
        url = f"ws://127.0.0.1:{peers.relay.port}{path}"
        conn = await dial_websocket(url, SUBPROTOCOL, headers=BEARER)
        self.tunnel = Tunnel(conn, even=False, accept=self._accept)
        self.tunnel.start()
        await until(lambda: self.tunnel.heard)
        return int(self.file.read_text().removeprefix("127.0.0.1:"))

    def _accept(self, channel: ChannelConnection) -> None:
        self.channels.append(channel)
        channel.start(channel.write, lambda _: None, lambda: None)

    def vanish(self) -> None:
        """Be gone without a word."""
        self.tunnel._conn._transport.abort()  # type: ignore[attr-defined]


@pytest.fixture
def thread(tmp_path: Path) -> Thread:
    return Thread(tmp_path)


def tunnel_machine(peers: Peers) -> MachineView:
    (found,) = [m for m in registry.live() if m.parent_id == peers.relay.machine.id]
    return found


async def test_many_peers_share_one_websocket_and_one_port(
    start_relay: StartRelay, thread: Thread
) -> None:
    peers = await start_relay()
    port = await thread.dial(peers)

    async def one(n: int) -> None:
        async with tcp(port) as (reader, writer):
            blob = bytes([n]) * 100_000
            writer.write(blob)
            assert await reader.readexactly(len(blob)) == blob

    await asyncio.gather(*(one(n) for n in range(20)))
    await until(lambda: len(thread.tunnel) == 0)
    await asyncio.gather(*(one(n) for n in range(20)))
    assert len(thread.channels) == 40
    assert len(peers.relay) == 1
    thread.tunnel.close()
    await until(lambda: len(peers.relay) == 0)


async def test_rel_w1_the_tunnels_machine_shows_whether_peers_are_there(
    start_relay: StartRelay, thread: Thread
) -> None:
    peers = await start_relay()
    port = await thread.dial(peers)
    machine = tunnel_machine(peers)
    assert machine.id == "relay-test-wt-0"
    assert machine.is_("TcpListening")
    assert machine.not_("TcpAccepted")
    async with tcp(port):
        await until(lambda: machine.is_(["TcpAccepted", "Ready"]))
        async with tcp(port):
            await until(lambda: len(thread.tunnel) == 2)
        await until(lambda: len(thread.tunnel) == 1)
        assert machine.is_(["TcpAccepted", "Ready"])
    await until(lambda: machine.not_("Ready"))
    assert machine.is_("TcpListening")
    thread.vanish()
    await until(lambda: machine.is_disposed)


async def test_rel_t5_port_and_file_stay_for_a_thread_that_comes_back(
    start_relay: StartRelay, thread: Thread
) -> None:
    peers = await start_relay()
    port = await thread.dial(peers)
    for _ in range(3):
        thread.vanish()
        await until(lambda: len(peers.relay) == 0)
        assert thread.file.read_text() == f"127.0.0.1:{port}"
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        assert await thread.dial(peers) == port
        async with tcp(port) as (reader, writer):
            writer.write(b"again")
            assert await reader.readexactly(5) == b"again"
    await peers.relay.stop()
    assert not thread.file.exists()


async def test_rel_t5_a_thread_that_stays_away_loses_port_and_file(
    start_relay: StartRelay, thread: Thread
) -> None:
    peers = await start_relay(limits=Limits(comeback=0.05))
    await thread.dial(peers)
    thread.vanish()
    await until(lambda: not thread.file.exists())


async def test_rel_t5_the_relays_end_removes_the_file_at_once(
    start_relay: StartRelay, thread: Thread
) -> None:
    peers = await start_relay()
    await thread.dial(peers)
    thread.vanish()
    await until(lambda: len(peers.relay) == 0)
    assert thread.file.exists()
    await peers.relay.stop()
    assert not thread.file.exists()


async def test_rel_3_a_second_tunnel_of_the_same_id_takes_over_with_the_port(
    start_relay: StartRelay, thread: Thread, tmp_path: Path
) -> None:
    peers = await start_relay()
    path = f"{PATH}?tab=t1"
    port = await thread.dial(peers, path)
    async with tcp(port) as (reader, _):
        again = Thread(tmp_path)
        assert await again.dial(peers, path) == port
        assert await reader.read() == b""
    await until(lambda: thread.tunnel.is_closed)
    assert "replaced" in str(thread.tunnel._conn.close_reason)  # type: ignore[attr-defined]


async def test_a_tunnel_of_the_original_still_serves_one_peer(
    start_relay: StartRelay, thread: Thread
) -> None:
    peers = await start_relay()
    port = await thread.dial(peers)
    thread.vanish()
    await until(lambda: len(peers.relay) == 0)
    async with peers.socket(f"/listen/repl-x/localhost:{port}") as socket:
        assert socket.subprotocol is None
        async with tcp(port) as (reader, writer):
            writer.write(b"raw bytes")
            assert await socket.recv() == b"raw bytes"
            async with tcp(port) as (other, _):
                assert await other.read() == b""
            await socket.send(b"one at a time")
            assert await reader.readexactly(13) == b"one at a time"


async def test_rel_7_an_address_in_use_closes_the_websocket(start_relay: StartRelay) -> None:
    peers = await start_relay()
    path = f"/listen/a/127.0.0.1:{peers.relay.port}"
    async with peers.socket(path, **OFFER) as socket:
        code, reason = await closed(socket)
    assert code == 1011
    assert str(reason).startswith(f"can't listen on 127.0.0.1:{peers.relay.port}: ")


async def test_wir_2_garbage_ends_the_tunnel_with_a_goodbye_and_frees_its_port(
    start_relay: StartRelay, thread: Thread
) -> None:
    peers = await start_relay()
    async with peers.socket(PATH, **OFFER) as socket:
        assert socket.subprotocol == SUBPROTOCOL
        assert await socket.recv() == b"\x01\x04"
        port = int(thread.file.read_text().rpartition(":")[2])
        async with tcp(port) as (reader, _):
            assert (await socket.recv())[1] == Kind.OPEN
            await socket.send(b"GET / HTTP/1.1")
            assert (await socket.recv())[1] == Kind.BYE
            assert (await closed(socket))[0] == 1000
            assert await reader.read() == b""
    await until(lambda: len(peers.relay) == 0)


@pytest.mark.parametrize("path", ["/listen/b/localhost:0", "/dial/b/localhost:1"])
async def test_channels_are_refused_where_one_stream_is_wanted(
    start_relay: StartRelay, path: str
) -> None:
    async def accept(_id: str, _conn: Any) -> None:
        raise AssertionError

    peers = await start_relay(matchers=[Matcher(re.compile("^b$"), accept)])
    async with peers.socket(path, **OFFER) as socket:
        assert socket.subprotocol == SUBPROTOCOL, "or a browser would not see the code"
        assert await closed(socket) == (4400, "nobody takes channels for 'b' here")


async def test_a_slow_peer_holds_no_other_back(start_relay: StartRelay, thread: Thread) -> None:
    peers = await start_relay()
    port = await thread.dial(peers)
    async with tcp(port) as (slow, stuck), tcp(port) as (reader, writer):
        stuck.write(b"s" * (8 << 20))
        for _ in range(20):
            writer.write(b"q" * 50_000)
            assert await reader.readexactly(50_000) == b"q" * 50_000
        assert await slow.readexactly(8 << 20)


async def test_tunnel_works_without_its_address_file(
    start_relay: StartRelay, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    peers, port = await start_relay(repl_dir=tmp_path / "file"), free_port()
    path = f"/listen/repl-x/127.0.0.1:{port}"
    async with peers.socket(path, **OFFER), tcp(port) as (_, writer):
        writer.write(b"x")
        await until(lambda: tunnel_machine(peers).is_("TcpAccepted"))
        assert peers.relay.machine.is_("ErrNetwork")
