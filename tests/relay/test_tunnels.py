"""Tunnels over real sockets; rule names are those of the relay's specification, section 12."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from amctl.relay import Limits, Matcher, Policy
from tests.relay.conftest import StartRelay, closed, free_port, tcp, until

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.rpc.transports.base import Connection
    from tests.relay.conftest import Peers

pytestmark = pytest.mark.realtime


async def address_file(tmp_path: Path, machine_id: str) -> int:
    """Wait for an address file and return the port in it."""
    path = tmp_path / "repl" / f"{machine_id}.addr"
    await until(path.exists)
    host, _, port = path.read_text().rpartition(":")
    assert host == "127.0.0.1"
    return int(port)


class Echo:
    """A matcher that sends back what it gets, and remembers what it saw."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.over: list[Exception | None] = []

    async def accept(self, machine_id: str, connection: Connection) -> None:
        self.seen.append(machine_id)
        lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        connection.start(connection.write, lost.set_result, lambda: None)
        self.over.append(await lost)


async def test_rel_2_listen_opens_the_port_and_bytes_flow(start_relay: StartRelay) -> None:
    peers, port = await start_relay(), free_port()
    blob = bytes(range(256)) * 4096
    async with (
        peers.socket(f"/listen/a/127.0.0.1:{port}") as socket,
        tcp(port) as (reader, writer),
    ):
        await socket.send(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.write(blob)
        got = b""
        while len(got) < len(blob):
            got += await socket.recv(decode=False)
        assert got == blob
        await socket.send(blob)
        assert await reader.readexactly(len(blob)) == blob


async def test_rel_3_same_id_replaces_its_tunnel(start_relay: StartRelay) -> None:
    peers, port = await start_relay(), free_port()
    path = f"/listen/a/127.0.0.1:{port}?tab=t1"
    async with peers.socket(path) as first:
        await until(lambda: len(peers.relay) == 1)
        async with peers.socket(path) as second:
            assert await closed(first) == (4409, "replaced by a newer connection")
            async with asyncio.timeout(1):
                await second.ping()
            async with tcp(port) as (reader, _):
                await second.send(b"new")
                assert await reader.readexactly(3) == b"new"


async def test_rel_4_address_file_names_the_real_port(
    start_relay: StartRelay, tmp_path: Path
) -> None:
    peers: Peers = await start_relay()
    path = tmp_path / "repl" / "repl-x.addr"
    async with peers.socket("/listen/repl-x/localhost:0") as socket:
        port = await address_file(tmp_path, "repl-x")
        async with tcp(port) as (reader, _):
            await socket.send(b"x")
            assert await reader.readexactly(1) == b"x"
    await until(lambda: not path.exists())
    async with peers.socket("/listen/repl-x/localhost:0") as socket:
        await address_file(tmp_path, "repl-x")
        await peers.relay.stop()
        assert not path.exists()
        assert (await closed(socket))[0] == 1001


async def test_only_repls_get_an_address_file(start_relay: StartRelay, tmp_path: Path) -> None:
    peers = await start_relay()
    async with peers.socket("/listen/x/localhost:0"), peers.socket("/listen/repl-y/localhost:0"):
        await address_file(tmp_path, "repl-y")
        assert [path.name for path in (tmp_path / "repl").iterdir()] == ["repl-y.addr"]


async def test_tunnel_works_without_its_address_file(
    start_relay: StartRelay, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    peers, port = await start_relay(repl_dir=tmp_path / "file"), free_port()
    async with (
        peers.socket(f"/listen/repl-x/127.0.0.1:{port}") as socket,
        tcp(port) as (reader, _),
    ):
        await socket.send(b"x")
        assert await reader.readexactly(1) == b"x"


async def test_rel_5_tcp_peer_closes_and_the_websocket_follows(start_relay: StartRelay) -> None:
    peers, port = await start_relay(), free_port()
    async with peers.socket(f"/listen/a/127.0.0.1:{port}") as socket:
        async with tcp(port) as (_, writer):
            writer.write(b"last words")
        assert await socket.recv(decode=False) == b"last words"
        assert (await closed(socket))[0] == 1000
    await until(lambda: len(peers.relay) == 0)


async def test_rel_6_websocket_closes_and_the_tcp_peer_sees_the_end(
    start_relay: StartRelay,
) -> None:
    peers, port = await start_relay(), free_port()
    async with peers.socket(f"/listen/a/127.0.0.1:{port}") as socket, tcp(port) as (reader, _):
        await socket.send(b"last words")
        await socket.close()
        assert await reader.read(-1) == b"last words"
    await until(lambda: len(peers.relay) == 0)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_rel_6_vanished_websocket_frees_the_port(start_relay: StartRelay) -> None:
    peers, port = await start_relay(), free_port()
    async with peers.socket(f"/listen/a/127.0.0.1:{port}") as socket:
        await socket.ping()
        socket.transport.abort()
        await until(lambda: len(peers.relay) == 0)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_who_waits_for_an_id_is_told_that_the_relay_stops(
    start_relay: StartRelay, caplog: pytest.LogCaptureFixture
) -> None:
    async def cling(_id: str, _connection: Connection) -> None:
        await asyncio.Event().wait()

    async def second() -> tuple[int | None, str | None]:
        async with peers.socket("/listen/a/localhost:0?tab=t1") as socket:
            return await closed(socket)

    peers = await start_relay(
        matchers=[Matcher(re.compile("^a$"), cling)], limits=Limits(flush_timeout=1.0)
    )
    async with peers.socket("/listen/a/localhost:0?tab=t1"):
        await until(lambda: len(peers.relay) == 1)
        waiting = asyncio.ensure_future(second())
        await until(lambda: len(peers.relay) == 2)
        await peers.relay.stop()
        assert await waiting == (1001, "relay stops")
    assert "Exception" not in caplog.text


async def test_rel_7_taken_address_closes_the_websocket(start_relay: StartRelay) -> None:
    peers = await start_relay()
    async with peers.socket(f"/listen/a/127.0.0.1:{peers.relay.port}") as socket:
        code, reason = await closed(socket)
    assert code == 1011
    assert reason is not None
    assert reason.startswith(f"can't listen on 127.0.0.1:{peers.relay.port}: ")


async def test_second_tcp_peer_is_refused_and_the_first_unharmed(start_relay: StartRelay) -> None:
    peers, port = await start_relay(), free_port()
    async with peers.socket(f"/listen/a/127.0.0.1:{port}") as socket, tcp(port) as (reader, _):
        await socket.send(b"1")
        assert await reader.readexactly(1) == b"1"
        async with tcp(port) as (other, _):
            assert await other.read() == b""
        await socket.send(b"2")
        assert await reader.readexactly(1) == b"2"


async def test_rel_8_dial_connects_and_each_side_can_end_it(start_relay: StartRelay) -> None:
    peers: Peers = await start_relay()
    streams: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    server = await asyncio.start_server(
        lambda reader, writer: streams.put_nowait((reader, writer)), "127.0.0.1", 0
    )
    path = f"/dial/foo/localhost:{server.sockets[0].getsockname()[1]}"
    async with peers.socket(path) as first, peers.socket(path) as second:
        await first.send(b"from one")
        reader, writer = await streams.get()
        assert await reader.readexactly(8) == b"from one"
        writer.write(b"bye")
        writer.close()
        assert await first.recv(decode=False) == b"bye"
        assert (await closed(first))[0] == 1000
        reader, writer = await streams.get()
        await second.close()
        assert await reader.read() == b""
        writer.close()
    await until(lambda: len(peers.relay) == 0)
    server.close()


async def test_rel_8_failed_dial_closes_the_websocket(start_relay: StartRelay) -> None:
    peers, port = await start_relay(), free_port()
    async with peers.socket(f"/dial/foo/127.0.0.1:{port}") as socket:
        code, reason = await closed(socket)
    assert code == 1011
    assert reason is not None
    assert reason.startswith(f"dial failed: 127.0.0.1:{port}: ")


@pytest.mark.parametrize("door", ["listen", "dial"])
async def test_rel_9_matcher_gets_id_and_connection(
    start_relay: StartRelay, tmp_path: Path, door: str
) -> None:
    echo, port = Echo(), free_port()
    matchers = {"listen": "matchers", "dial": "dial_matchers"}[door]
    pattern = re.compile(r"^(browser\d|repl-b)$")
    peers = await start_relay(**{matchers: [Matcher(pattern, echo.accept)]})
    async with peers.socket(f"/{door}/browser1/127.0.0.1:{port}") as socket:
        await socket.send(b"ping")
        assert await socket.recv(decode=False) == b"ping"
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    await until(lambda: len(peers.relay) == 0)
    assert echo.seen == ["browser1"]
    assert echo.over == [None]
    assert not (tmp_path / "repl").exists()


async def test_matcher_sees_that_its_peer_vanished(start_relay: StartRelay) -> None:
    echo = Echo()
    peers = await start_relay(matchers=[Matcher(re.compile("^b$"), echo.accept)])
    async with peers.socket("/listen/b/localhost:0") as socket:
        await socket.send(b"x")
        await socket.recv()
        socket.transport.abort()
        await until(lambda: len(echo.over) == 1)
    assert isinstance(echo.over[0], ConnectionResetError)


async def test_rel_10_failing_matcher_closes_the_websocket(start_relay: StartRelay) -> None:
    async def fail(machine_id: str, connection: Connection) -> None:
        raise LookupError(f"no {machine_id} here")

    port = free_port()
    peers = await start_relay(matchers=[Matcher(re.compile("^b"), fail)])
    async with peers.socket(f"/listen/browser9/127.0.0.1:{port}") as socket:
        assert await closed(socket) == (1011, "no browser9 here")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_matcher_that_outlives_its_connection_is_cancelled(start_relay: StartRelay) -> None:
    cancelled = asyncio.Event()

    async def linger(_id: str, connection: Connection) -> None:
        connection.start(lambda _: None, lambda _: None, lambda: None)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    matcher = Matcher(re.compile("^b$"), linger)
    peers = await start_relay(matchers=[matcher], limits=Limits(flush_timeout=0.05))
    async with peers.socket("/listen/b/localhost:0"):
        await until(lambda: len(peers.relay) == 1)
    async with asyncio.timeout(5):
        await cancelled.wait()


async def test_failing_reader_ends_only_its_connection(start_relay: StartRelay) -> None:
    async def accept(_id: str, connection: Connection) -> None:
        over = asyncio.Event()
        connection.start(lambda data: data.index(b"x") and None, lambda _: over.set(), over.set)
        await over.wait()

    peers = await start_relay(matchers=[Matcher(re.compile("^b"), accept)])
    async with (
        peers.socket("/listen/b1/localhost:0") as bad,
        peers.socket("/listen/b2/localhost:0") as good,
    ):
        await bad.send(b"nothing")
        assert await closed(bad) == (1011, "internal error")
        await good.send(b"x")
        await (await good.ping())


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        ("/listen/a/b/localhost:0", 4400, "machine id is malformed"),
        ("/listen/%2e%2e%2frepl-x/localhost:0", 4400, "machine id is malformed"),
        ("/listen/repl-%00/localhost:0", 4400, "machine id is malformed"),
        ("/listen//localhost:0", 4400, "machine id is malformed"),
        ("/listen/" + "a" * 65 + "/localhost:0", 4400, "machine id is malformed"),
        ("/listen/a/localhost", 4400, "address 'localhost' isn't host:port"),
        ("/listen/a/", 4400, "address '' isn't host:port"),
        ("/listen/a/localhost:99999", 4400, "address 'localhost:99999' has no port"),
        ("/listen/a/0.0.0.0:0", 4403, "listening on 0.0.0.0:0 isn't allowed"),
        ("/listen/a/10.0.0.1:80", 4403, "listening on 10.0.0.1:80 isn't allowed"),
        ("/listen/a/localhost:0?tab=../x", 4400, "the tab id is malformed"),
        ("/dial/a/169.254.169.254:80", 4403, "dialling 169.254.169.254:80 isn't allowed"),
        ("/dial/a/example.org:80", 4403, "dialling example.org:80 isn't allowed"),
        ("/dial/a/localhost:0", 4403, "dialling localhost:0 isn't allowed"),
    ],
)
async def test_rel_11_bad_request_gets_code_and_reason(
    start_relay: StartRelay, tmp_path: Path, path: str, code: int, reason: str
) -> None:
    peers = await start_relay()
    async with peers.socket(path) as socket:
        got, text = await closed(socket)
    assert got == code
    assert text is not None
    assert text.startswith(reason)
    assert len(peers.relay) == 0
    assert not (tmp_path / "repl").exists()


async def test_unknown_id_gets_no_port(start_relay: StartRelay) -> None:
    matcher = Matcher(re.compile(r"^browser[12]$"), Echo().accept)
    peers = await start_relay(matchers=[matcher])
    async with peers.socket("/listen/browser9/localhost:0") as socket:
        assert await closed(socket) == (4404, "nobody expects a machine 'browser9'")
    policy = Policy(tunnel_ids=re.compile("^x$"))
    peers = await start_relay(matchers=[matcher], policy=policy)
    async with peers.socket("/listen/repl-browser9/localhost:0") as socket:
        assert (await closed(socket))[0] == 4404
    async with peers.socket("/listen/x/localhost:0") as socket:
        await (await socket.ping())


async def test_listed_dial_target_is_tried(start_relay: StartRelay) -> None:
    peers = await start_relay(policy=Policy(dial=("nowhere.invalid:*",)))
    async with peers.socket("/dial/a/nowhere.invalid:1") as socket:
        code, reason = await closed(socket)
    assert code == 1011
    assert reason is not None
    assert reason.startswith("dial failed: nowhere.invalid:1: ")


@pytest.mark.slow
async def test_rel_13_parallel_tunnels_have_their_own_ports(
    start_relay: StartRelay, tmp_path: Path
) -> None:
    peers: Peers = await start_relay()

    async def one(n: int) -> int:
        async with peers.socket(f"/listen/repl-{n}/localhost:0") as socket:
            port = await address_file(tmp_path, f"repl-{n}")
            async with tcp(port) as (reader, _):
                await socket.send(str(n).encode())
                await socket.close()
                assert await reader.read() == str(n).encode()
            return port

    ports = await asyncio.gather(*(one(n) for n in range(100)))
    assert len(set(ports)) == 100


async def test_tunnels_beyond_the_cap_are_told_to_come_later(start_relay: StartRelay) -> None:
    peers = await start_relay(limits=Limits(tunnels=1))
    async with peers.socket("/listen/a/localhost:0") as first:
        await until(lambda: len(peers.relay) == 1)
        async with peers.socket("/listen/b/localhost:0") as second:
            assert await closed(second) == (1013, "too many tunnels, try again later")
        await (await first.ping())


async def test_text_message_ends_its_tunnel(start_relay: StartRelay) -> None:
    peers = await start_relay(matchers=[Matcher(re.compile("^b$"), Echo().accept)])
    async with peers.socket("/listen/b/localhost:0") as socket:
        await socket.send("text")
        assert await closed(socket) == (1003, "binary messages only")


async def test_slow_tcp_peer_holds_the_sender_back(start_relay: StartRelay) -> None:
    """Far more than the buffers hold passes, and nothing is lost."""
    peers, port = await start_relay(limits=Limits(buffer=64 * 1024)), free_port()
    piece = b"x" * 65536
    async with peers.socket(f"/listen/a/127.0.0.1:{port}") as socket, tcp(port) as (reader, _):
        sending = asyncio.ensure_future(send_many(socket, piece, 200))
        total = 0
        while total < 200 * len(piece):
            total += len(await reader.read(1 << 20))
        await sending
    assert total == 200 * len(piece)


async def send_many(socket: object, piece: bytes, count: int) -> None:
    for _ in range(count):
        await socket.send(piece)  # type: ignore[attr-defined]
