from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from amctl.rpc.transports import _js
from amctl.rpc.transports.browser_websocket import (
    HIGH_WATER,
    BrowserWebSocketConnection,
    RefusedError,
    dial_browser_websocket,
)
from tests.rpc.transports.fake_js import FakeBuffer, FakeJs, FakeSocket

URL = "ws://host/listen/browser1/localhost:1?tab=t"


@pytest.fixture
def js(monkeypatch: pytest.MonkeyPatch) -> FakeJs:
    fake = FakeJs()
    monkeypatch.setattr(_js, "load", lambda: fake)
    return fake


class Told:
    def __init__(self) -> None:
        self.data, self.room = b"", 0
        self.lost: list[Exception | None] = []
        self.refused: list[RefusedError] = []

    def start(self, conn: BrowserWebSocketConnection) -> None:
        def on_data(data: bytes) -> None:
            self.data += data

        def on_room() -> None:
            self.room += 1

        conn.start(on_data, self.lost.append, on_room)


async def dialled(js: FakeJs, told: Told) -> tuple[BrowserWebSocketConnection, FakeSocket]:
    """An open connection and the socket under it."""
    asyncio.get_running_loop().call_soon(lambda: js.sockets[-1].happens("open"))
    conn = await dial_browser_websocket(URL, told.refused.append)
    told.start(conn)
    return conn, js.sockets[-1]


def message(data: bytes) -> dict[str, Any]:
    return {"data": FakeBuffer(data)}


async def test_an_open_socket_carries_bytes_both_ways(js: FakeJs) -> None:
    told = Told()
    conn, socket = await dialled(js, told)
    assert (socket.url, socket.binaryType) == (URL, "arraybuffer")
    conn.write(b"out")
    socket.happens("message", **message(b"in"))
    assert (socket.sent, told.data) == ([b"out"], b"in")
    assert conn.peer == "ws://host/listen/browser1/localhost:1"


async def test_a_subprotocol_is_asked_for_if_there_is_one(js: FakeJs) -> None:
    await dialled(js, Told())
    dial = asyncio.ensure_future(dial_browser_websocket(URL, subprotocol="words.1"))
    await asyncio.sleep(0)
    js.sockets[-1].happens("open")
    await dial
    assert [socket.subprotocol for socket in js.sockets] == ["", "words.1"]


async def test_a_big_write_goes_out_in_pieces(js: FakeJs) -> None:
    conn, socket = await dialled(js, Told())
    data = bytes(range(256)) * 4096
    conn.write(data)
    assert b"".join(socket.sent) == data
    assert max(map(len, socket.sent)) == 256 << 10


async def test_a_full_browser_buffer_stops_the_writer_until_it_drains(js: FakeJs) -> None:
    told = Told()
    conn, socket = await dialled(js, told)
    conn.write(b"x" * HIGH_WATER)
    assert not conn.writable
    await asyncio.sleep(1)
    assert told.room == 0
    socket.bufferedAmount = 10
    await asyncio.sleep(1)
    assert told.room == 1
    assert conn.writable


async def test_nobody_there_is_refused_at_the_dial(js: FakeJs) -> None:
    end = SimpleNamespace(code=1006, reason="")
    asyncio.get_running_loop().call_soon(lambda: js.sockets[-1].happens("close", **vars(end)))
    with pytest.raises(RefusedError, match="1006"):
        await dial_browser_websocket(URL)
    assert js.leaks == 0


async def test_the_servers_refusal_is_told_with_code_and_reason(js: FakeJs) -> None:
    told = Told()
    conn, socket = await dialled(js, told)
    socket.happens("close", code=4409, reason="another tab")
    await asyncio.sleep(0)
    (error,) = told.lost
    assert isinstance(error, RefusedError)
    assert (error.code, error.reason) == (4409, "another tab")
    assert told.refused == [error]
    assert conn.is_closed
    assert not conn.writable


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_clean_end_of_the_peer_is_no_error(js: FakeJs, code: int) -> None:
    told = Told()
    _, socket = await dialled(js, told)
    socket.happens("close", code=code, reason="")
    await asyncio.sleep(0)
    assert (told.lost, told.refused) == ([None], [])


async def test_a_broken_connection_is_an_error_but_no_refusal(js: FakeJs) -> None:
    told = Told()
    _, socket = await dialled(js, told)
    socket.happens("close", code=1006, reason="")
    await asyncio.sleep(0)
    assert (len(told.lost), told.refused) == (1, [])
    assert "1006" in str(told.lost[0])


@pytest.mark.parametrize(("code", "sent"), [(1000, 1000), (4001, 4001), (1011, 1000)])
async def test_closing_sends_a_code_that_browsers_allow(js: FakeJs, code: int, sent: int) -> None:
    told = Told()
    conn, socket = await dialled(js, told)
    conn.close(code, "é" * 200)
    conn.close()
    conn.write(b"too late")
    await asyncio.sleep(0)
    assert socket.closed == (sent, "é" * 60)
    assert (socket.sent, told.lost, js.leaks) == ([], [None], 0)


async def test_text_ends_the_connection(js: FakeJs) -> None:
    told = Told()
    _, socket = await dialled(js, told)
    socket.happens("message", data="hello")
    await asyncio.sleep(0)
    assert socket.closed == (3003, "binary messages only")
    assert told.lost == [None]


async def test_a_reader_that_fails_ends_the_connection(js: FakeJs) -> None:
    told = Told()
    asyncio.get_running_loop().call_soon(lambda: js.sockets[-1].happens("open"))
    conn = await dial_browser_websocket(URL)
    conn.start(lambda data: data.missing, told.lost.append, lambda: None)  # type: ignore[attr-defined]
    js.sockets[-1].happens("message", **message(b"x"))
    await asyncio.sleep(0)
    assert js.sockets[-1].closed == (3011, "reader failed")
    assert told.lost == [None]


async def test_a_cancelled_dial_closes_its_socket(js: FakeJs) -> None:
    dial = asyncio.ensure_future(dial_browser_websocket(URL))
    await asyncio.sleep(0)
    dial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dial
    await asyncio.sleep(0)
    assert js.sockets[-1].closed is not None
    assert js.leaks == 0
