from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from amctl.rpc.exposure import client_tls
from amctl.rpc.transports.tcp import dial_tcp
from amctl.rpc.transports.websocket import RefusedError, dial_websocket, listen_websocket
from tests.rpc.transports.test_base import End, done

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.rpc.transports.base import Connection

pytestmark = pytest.mark.realtime


async def raw_server(answer: Callable[[bytes], bytes]) -> tuple[asyncio.Server, int]:
    """Answers the first bytes of every connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.read(65536)
        writer.write(answer(asked))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def test_a_refused_upgrade_says_status_and_text() -> None:
    seen: list[bytes] = []

    def answer(asked: bytes) -> bytes:
        seen.append(asked)
        return b"HTTP/1.1 409 Conflict\r\nContent-Length: 9\r\nConnection: close\r\n\r\nother tab"

    server, port = await raw_server(answer)
    with pytest.raises(RefusedError, match="409") as refused:
        await dial_websocket(
            f"ws://127.0.0.1:{port}/listen/x", headers={"Authorization": "Bearer t"}
        )
    assert refused.value.status == 409
    assert "other tab" in str(refused.value)
    assert b"Authorization: Bearer t" in seen[0]
    server.close()


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_what_is_no_websocket_server_is_an_os_error(answer: bytes) -> None:
    server, port = await raw_server(lambda _: answer)
    with pytest.raises(OSError):  # noqa: PT011  # whichever it is, diallers catch OSError
        await dial_websocket(f"ws://127.0.0.1:{port}/")
    server.close()


async def test_a_server_that_says_nothing_is_given_up() -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(TimeoutError):
        await dial_websocket(f"ws://127.0.0.1:{port}/", deadline=0.05)
    await ended.wait()
    server.close()


async def test_tls_needs_a_url_that_says_so() -> None:
    with pytest.raises(ValueError, match="wss"):
        await dial_websocket("ws://127.0.0.1:1/", tls=client_tls())


async def test_nobody_there_is_an_os_error() -> None:
    with pytest.raises(OSError, match="onnect"):
        await dial_websocket("ws://127.0.0.1:1/")


async def pair() -> tuple[Any, Any, Any]:
    accepted: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    listener = await listen_websocket("127.0.0.1", 0, accepted.set_result)
    near = await dial_websocket(f"ws://127.0.0.1:{listener.port}/")
    return End(near), End(await accepted), listener


async def test_the_close_code_and_reason_arrive() -> None:
    one, two, listener = await pair()
    one.start(), two.start()
    one.conn.close(4409, "another tab")
    await two.until(lambda: two.lost)
    assert (two.conn.close_code, two.conn.close_reason) == (4409, "another tab")
    assert isinstance(two.lost[0], ConnectionResetError)
    await done(listener, one, two)


async def test_text_messages_end_the_connection() -> None:
    one, two, listener = await pair()
    one.start(), two.start()
    one.conn._core.send_text(b"words")
    one.conn._flush()
    await one.until(lambda: one.lost)
    assert one.conn.close_code == 1003
    assert two.data == b""
    await done(listener, one, two)


async def test_a_loss_without_a_close_frame_is_an_error() -> None:
    one, two, listener = await pair()
    one.start(), two.start()
    one.conn._transport.abort()
    await two.until(lambda: two.lost)
    assert isinstance(two.lost[0], ConnectionError)
    await done(listener, one, two)


async def test_a_peer_that_never_answers_the_close_is_dropped() -> None:
    one, two, listener = await pair()
    one.start()
    two.conn._transport.pause_reading()
    two.conn.data_received = lambda _: None
    one.conn.close()
    one.conn._abort()
    await one.until(lambda: one.lost)
    two.conn._transport.abort()
    listener.close()


async def test_what_is_no_upgrade_is_refused_by_our_listener() -> None:
    listener = await listen_websocket("127.0.0.1", 0, lambda _: None)
    one = End(await dial_tcp("127.0.0.1", listener.port)).start()
    one.conn.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await one.until(lambda: one.lost)
    assert b"HTTP/1.1 4" in bytes(one.data)
    await done(listener, one)


async def test_a_server_that_does_not_agree_to_the_subprotocol_is_refused() -> None:
    accepted: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    listener = await listen_websocket("127.0.0.1", 0, accepted.set_result)
    with pytest.raises(ConnectionError, match=r"doesn't speak words\.1"):
        await dial_websocket(f"ws://127.0.0.1:{listener.port}/", "words.1")
    end = End(await accepted).start()
    await end.until(lambda: end.lost)
    await done(listener, end)
