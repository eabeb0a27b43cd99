"""One coroutine that carries bytes between two ends, in both directions, and always closes both.

An end of stream on one side is passed on as a half-close where both sides know such a thing (TCP
does, a WebSocket doesn't). Otherwise it ends the bridge, after what came before it was handed over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from amctl.relay.connection import WebSocketConnection

__all__ = ["ConnectionEnd", "End", "Ending", "StreamEnd", "bridge"]

_CHUNK = 64 * 1024


class End(Protocol):
    """One side of a bridge."""

    @property
    def halves(self) -> bool:
        """Whether one direction can end while the other lives on."""
        ...

    async def read(self) -> bytes:
        """Return the next bytes, empty at the end of the stream.

        Raises:
            OSError: If the connection broke.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Hand bytes over and wait while too many are under way.

        Raises:
            OSError: If the connection broke.
        """
        ...

    async def end_write(self) -> None:
        """Tell the peer that no more comes. Only called where both ends have halves."""
        ...

    async def close(self) -> None:
        """Send what waits and end the connection, within a bounded time. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """How a bridge ended."""

    direction: str
    """Which copy ended first: "ab" or "ba"."""
    side: str
    """Which side ended it: "a" or "b"."""
    error: OSError | None = None
    """What broke, None after a proper end."""


class StreamEnd:
    """A TCP connection by asyncio's streams."""

    halves = True

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flush_timeout: float
    ) -> None:
        self._reader, self._writer, self._flush_timeout = reader, writer, flush_timeout

    async def read(self) -> bytes:
        """See `End.read`."""
        return await self._reader.read(_CHUNK)

    async def write(self, data: bytes) -> None:
        """See `End.write`."""
        self._writer.write(data)
        await self._writer.drain()

    async def end_write(self) -> None:
        """See `End.end_write`."""
        self._writer.write_eof()

    async def close(self) -> None:
        """See `End.close`: a peer that doesn't read is cut off after the flush timeout."""
        self._writer.close()
        try:
            async with asyncio.timeout(self._flush_timeout):
                await self._writer.wait_closed()
        except TimeoutError:
            self._writer.transport.abort()
        except asyncio.CancelledError:
            self._writer.transport.abort()
            raise
        except OSError:
            pass  # it is as closed as can be


class ConnectionEnd:
    """A WebSocket connection of the relay; its `run` is awaited elsewhere."""

    halves = False

    def __init__(self, connection: WebSocketConnection, limit: int) -> None:
        """Start the connection and hold at most about `limit` bytes of what it brings."""
        self._connection, self._limit = connection, limit
        self._inbox: deque[bytes] = deque()
        self._held = 0
        self._news = asyncio.Event()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._error: Exception | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the connection is over, however it ended."""
        connection.start(self._on_data, self._on_lost, self._may_write.set)

    def _on_data(self, data: bytes) -> None:
        self._inbox.append(data)
        self._held += len(data)
        self._news.set()
        if self._held >= self._limit:
            self._connection.pause_reading()

    def _on_lost(self, error: Exception | None) -> None:
        self._error = error
        if not self.lost.done():
            self.lost.set_result(None)
        self._news.set()
        self._may_write.set()

    async def read(self) -> bytes:
        """See `End.read`."""
        while not self._inbox and not self.lost.done():
            self._news.clear()
            await self._news.wait()
        if self._inbox:
            data = self._inbox.popleft()
            self._held -= len(data)
            if self._held < self._limit:
                self._connection.resume_reading()
            return data
        if isinstance(self._error, OSError):
            raise self._error
        return b""

    async def write(self, data: bytes) -> None:
        """See `End.write`."""
        if self._connection.is_closed:
            raise ConnectionResetError("WebSocket is closed")
        self._connection.write(data)
        while not self._connection.writable and not self._connection.is_closed:
            self._may_write.clear()
            await self._may_write.wait()

    async def end_write(self) -> None:
        """Does nothing: a WebSocket can't be closed by halves."""

    async def close(self) -> None:
        """See `End.close`; the connection's own timer bounds it."""
        self._connection.close()
        await asyncio.shield(self.lost)


async def bridge(a: End, b: End) -> Ending:
    """Carry bytes both ways until one side is through, then flush and close both.

    Args:
        a: One side.
        b: The other one.

    Returns:
        Who ended it, and what broke if anything did. Cancelling the bridge closes both sides too.
    """
    endings: list[Ending] = []
    try:
        async with asyncio.TaskGroup() as group:
            there = group.create_task(_pump(a, b, "ab", endings))
            back = group.create_task(_pump(b, a, "ba", endings))
            there.add_done_callback(lambda task: _end_other(task, back))
            back.add_done_callback(lambda task: _end_other(task, there))
    finally:
        await _close_both(a, b)
    return endings[0] if endings else Ending("ab", "a")


def _end_other(task: asyncio.Task[bool], other: asyncio.Task[bool]) -> None:
    """After a half-close the other direction goes on; after anything else it has no use."""
    if task.cancelled() or task.exception() is not None or not task.result():
        other.cancel()


async def _pump(source: End, target: End, sides: str, endings: list[Ending]) -> bool:
    """Carry one direction; return whether the other one may go on."""
    at_fault = sides[0]
    try:
        while data := await source.read():
            at_fault = sides[1]
            await target.write(data)
            at_fault = sides[0]
        endings.append(Ending(sides, sides[0]))
        if source.halves and target.halves:
            at_fault = sides[1]
            await target.end_write()
            return True
        return False
    except OSError as error:
        endings.append(Ending(sides, at_fault, error))
        return False


async def _close_both(a: End, b: End) -> None:
    closing = asyncio.gather(a.close(), b.close())
    try:
        await asyncio.shield(closing)
    except asyncio.CancelledError:
        # cancelled while flushing: cut what is left
        closing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await closing
        raise
