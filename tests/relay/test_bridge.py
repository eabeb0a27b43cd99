"""The bridge over ends that the test plays: every way to end it closes both sides."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from amctl.relay.bridge import Ending, bridge


class FakeEnd:
    """An end whose peer is the test. `halves` as asked; a write can be made to fail or to hang."""

    def __init__(self, *, halves: bool = False) -> None:
        self.halves = halves
        self.inbox: deque[bytes | OSError] = deque()
        self.sent = bytearray()
        self.ended = self.closed = 0
        self.fail_write: OSError | None = None
        self.may_write = asyncio.Event()
        self.may_write.set()
        self._news = asyncio.Event()

    def say(self, *data: bytes | OSError) -> None:
        """Let the peer send; empty bytes are its end of stream."""
        self.inbox.extend(data)
        self._news.set()

    async def read(self) -> bytes:
        while not self.inbox:
            self._news.clear()
            await self._news.wait()
        data = self.inbox.popleft()
        if isinstance(data, OSError):
            raise data
        return data

    async def write(self, data: bytes) -> None:
        if self.fail_write is not None:
            raise self.fail_write
        await self.may_write.wait()
        self.sent += data

    async def end_write(self) -> None:
        self.ended += 1

    async def close(self) -> None:
        self.closed += 1
        await asyncio.sleep(0)


async def test_bytes_flow_both_ways_until_one_side_ends() -> None:
    a, b = FakeEnd(), FakeEnd(halves=True)
    a.say(b"one", b"two")
    b.say(b"three", b"")
    assert await bridge(a, b) == Ending("ba", "b")
    assert bytes(a.sent) == b"three"
    assert (a.closed, b.closed) == (1, 1)
    assert (a.ended, b.ended) == (0, 0)


async def test_end_of_stream_is_passed_on_where_both_sides_have_halves() -> None:
    a, b = FakeEnd(halves=True), FakeEnd(halves=True)
    running = asyncio.ensure_future(bridge(a, b))
    a.say(b"question", b"")
    while not b.ended:  # noqa: ASYNC110 - turns, not time
        await asyncio.sleep(0)
    assert bytes(b.sent) == b"question"
    b.say(b"answer", b"")
    assert await running == Ending("ab", "a")
    assert bytes(a.sent) == b"answer"
    assert (a.ended, b.ended, a.closed, b.closed) == (1, 1, 1, 1)


async def test_broken_side_ends_the_bridge() -> None:
    a, b = FakeEnd(halves=True), FakeEnd(halves=True)
    error = ConnectionResetError("gone")
    a.say(error)
    assert await bridge(a, b) == Ending("ab", "a", error)
    assert (a.closed, b.closed) == (1, 1)


async def test_side_that_takes_no_more_is_the_one_at_fault() -> None:
    a, b = FakeEnd(halves=True), FakeEnd(halves=True)
    b.fail_write = BrokenPipeError("gone")
    a.say(b"data")
    assert await bridge(a, b) == Ending("ab", "b", b.fail_write)
    assert (a.closed, b.closed) == (1, 1)


async def test_slow_side_holds_the_other_one_back() -> None:
    a, b = FakeEnd(), FakeEnd()
    b.may_write.clear()
    a.say(b"1", b"2", b"3", b"")
    running = asyncio.ensure_future(bridge(a, b))
    for _ in range(20):
        await asyncio.sleep(0)
    assert list(a.inbox) == [b"2", b"3", b""]
    b.may_write.set()
    assert await running == Ending("ab", "a")
    assert bytes(b.sent) == b"123"


async def test_cancelled_bridge_closes_both_sides() -> None:
    a, b = FakeEnd(), FakeEnd()
    running = asyncio.ensure_future(bridge(a, b))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (a.closed, b.closed) == (1, 1)


async def test_bug_in_an_end_closes_both_sides_and_is_raised() -> None:
    a, b = FakeEnd(), FakeEnd()

    async def broken() -> bytes:
        raise ZeroDivisionError

    a.read = broken  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup):
        await bridge(a, b)
    assert (a.closed, b.closed) == (1, 1)
