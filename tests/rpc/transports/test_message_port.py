from __future__ import annotations

import asyncio
from typing import Any

import pytest

from amctl.rpc.transports._js_ports import ROOM
from amctl.rpc.transports.message_port import WINDOW, MessagePortConnection
from tests.rpc.transports.fake_js import FakeJs, FakePort, channel


class End:
    """A connection and all it was told."""

    def __init__(self, js: FakeJs, port: FakePort, *, start: bool = True) -> None:
        self.port, self.data, self.room = port, b"", 0
        self.lost: list[Exception | None] = []
        self.conn = MessagePortConnection(port, "port:peer", js=js)
        self.fails: Exception | None = None
        if start:
            self.start()

    def start(self) -> None:
        self.conn.start(self.on_data, self.lost.append, self.on_room)

    def on_data(self, data: bytes) -> None:
        if self.fails:
            raise self.fails
        self.data += data

    def on_room(self) -> None:
        self.room += 1


@pytest.fixture
def js() -> FakeJs:
    return FakeJs()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def pair(js: FakeJs, **options: Any) -> tuple[End, End]:
    a, b = channel()
    return End(js, a), End(js, b, **options)


async def test_bytes_arrive_in_order_both_ways(js: FakeJs) -> None:
    a, b = pair(js)
    for piece in (b"one ", b"", b"two ", b"three"):
        a.conn.write(piece)
    b.conn.write(b"back")
    await settle()
    assert (b.data, a.data) == (b"one two three", b"back")


async def test_bytes_wait_for_a_reader(js: FakeJs) -> None:
    a, b = pair(js, start=False)
    a.conn.write(b"early")
    a.conn.close()
    await settle()
    assert b.data == b""
    b.start()
    await settle()
    assert (b.data, b.lost) == (b"early", [None])


async def test_closing_tells_both_ends_after_the_last_byte(js: FakeJs) -> None:
    a, b = pair(js)
    a.conn.write(b"last words")
    a.conn.close()
    a.conn.close()
    a.conn.write(b"too late")
    await settle()
    assert (b.data, b.lost, a.lost) == (b"last words", [None], [None])
    assert a.conn.is_closed
    assert b.conn.is_closed
    assert a.port.is_closed
    assert b.port.is_closed


async def test_each_port_has_its_proxies_and_leaks_none(js: FakeJs) -> None:
    a, b = pair(js)
    for _ in range(100):
        a.conn.write(b"x" * 1000)
    await settle()
    assert len(js.proxies) == 4  # two each
    b.conn.close()
    await settle()
    assert js.leaks == 0
    assert (a.port.onmessage, a.port.onclose) == (None, None)


async def test_a_slow_reader_closes_the_writers_window(js: FakeJs) -> None:
    a, b = pair(js, start=False)
    a.conn.write(b"x" * (WINDOW - 1))
    assert a.conn.writable
    a.conn.write(b"x")
    assert not a.conn.writable
    await settle()
    assert a.room == 0
    b.start()
    await settle()
    assert a.conn.writable
    assert a.room == 1


async def test_a_stream_of_pieces_never_outruns_the_window_by_more_than_one(js: FakeJs) -> None:
    a, b = pair(js)
    sent, most = 0, 0
    while sent < 3 << 20:
        if a.conn.writable:
            a.conn.write(b"y" * 10_000)
            sent += 10_000
            most = max(most, sent - len(b.data))
        else:
            await asyncio.sleep(0)
    await settle()
    assert len(b.data) == sent
    assert most < WINDOW + 10_000 + (64 << 10)


async def test_what_a_reader_answers_goes_out_as_one_message(js: FakeJs) -> None:
    a, b = channel()
    near, far = End(js, a), MessagePortConnection(b, js=js)

    def answer(data: bytes) -> None:
        for piece in (b"you ", b"said ", data):
            far.write(piece)
        assert not b.posted

    far.start(answer, lambda error: None, lambda: None)
    near.conn.write(b"hello")
    await settle()
    assert near.data == b"you said hello"
    assert len(b.posted) == 1


async def test_an_answer_goes_out_before_the_end(js: FakeJs) -> None:
    a, b = channel()
    near, far = End(js, a), MessagePortConnection(b, js=js)

    def last(data: bytes) -> None:
        far.write(data)
        far.close()

    far.start(last, lambda error: None, lambda: None)
    near.conn.write(b"bye")
    await settle()
    assert (near.data, near.lost) == (b"bye", [None])


@pytest.mark.parametrize("size", [ROOM, ROOM + 1, 3 * ROOM + 7])
async def test_more_than_the_shared_memory_holds_goes_in_pieces(js: FakeJs, size: int) -> None:
    a, b = channel()
    near, far = End(js, a), MessagePortConnection(b, js=js)
    far.start(lambda data: far.write(data * 2), lambda error: None, lambda: None)
    sent = bytes(range(256)) * (size // 256) + bytes(size % 256)
    near.conn.write(sent)
    await settle()
    pieces = [sent[at : at + ROOM] for at in range(0, size, ROOM)]
    assert near.data == b"".join(piece * 2 for piece in pieces)
    assert all(len(m.to_bytes()) <= ROOM for m in b.posted if not isinstance(m, int))


async def test_a_dead_thread_is_an_error(js: FakeJs) -> None:
    a, _ = pair(js)
    a.port.die()
    await settle()
    assert [type(e) for e in a.lost] == [ConnectionResetError]
    assert "port:peer is gone" in str(a.lost[0])
    assert a.conn.is_closed


async def test_a_reader_that_fails_ends_the_connection_on_both_sides(js: FakeJs) -> None:
    a, b = pair(js)
    b.fails = ValueError("not our protocol")
    a.conn.write(b"?")
    a.conn.write(b"!")
    await settle()
    assert (a.lost, b.lost) == ([None], [b.fails])
    assert js.leaks == 0


async def test_messages_of_others_are_ignored(js: FakeJs) -> None:
    a, b = pair(js)
    a.port.postMessage("hello")
    a.port.postMessage(None)
    a.conn.write(b"data")
    await settle()
    assert (b.data, b.lost) == (b"data", [])


async def test_nothing_is_delivered_after_the_close(js: FakeJs) -> None:
    a, b = pair(js)
    a.conn.write(b"x")
    b.conn.close()
    await settle()
    assert (b.data, b.lost, a.lost) == (b"", [None], [None])
    assert not b.conn.writable
    assert a.conn.peer == "port:peer"
