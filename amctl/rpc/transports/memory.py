"""A pair of connections inside one process: for nodes that share a loop, and for tests."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from amctl.rpc.transports._callbacks import Callbacks

if TYPE_CHECKING:
    from amctl.rpc.transports.base import OnData, OnLost, OnWritable

__all__ = ["MemoryConnection", "memory_pair"]


class MemoryConnection:
    """One end of a pair. What is written arrives at the other end in a later turn of the loop."""

    def __init__(self, peer: str, limit: int) -> None:
        self._peer, self._limit = peer, limit
        self._other: MemoryConnection = self
        self._callbacks = Callbacks()
        self._flight: deque[bytes] = deque()
        self._size = 0
        self._closed = self._scheduled = self._held = self._eof = False

    @property
    def peer(self) -> str:
        """The name of the other end."""
        return self._peer

    @property
    def writable(self) -> bool:
        """False while `limit` bytes or more are under way to the other end."""
        return self._size < self._limit and not self._closed

    @property
    def is_closed(self) -> bool:
        """True after either end closed, or `cut`."""
        return self._closed

    def start(self, on_data: OnData, on_lost: OnLost, on_writable: OnWritable) -> None:
        """See `Connection.start`."""
        self._callbacks.start(on_data, on_lost, on_writable)

    def write(self, data: bytes) -> None:
        """See `Connection.write`."""
        if data and not self._closed:
            self._flight.append(data)
            self._size += len(data)
            self._schedule()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Connection.close`: the other end gets the rest of the bytes first."""
        if not self._closed:
            self._closed = self._eof = True
            self._schedule()

    def cut(self, error: Exception | None = None) -> None:
        """Break the pair at once, in both directions; what is under way is lost.

        Args:
            error: What both ends are told; a reset by default.
        """
        error = error or ConnectionResetError("connection was cut")
        for end in (self, self._other):
            end._closed = True
            end._flight.clear()
            end._size = 0
            asyncio.get_running_loop().call_soon(end._callbacks.lost, error)

    def hold(self) -> None:
        """Stop delivering what this end writes, as a stalled or half-open path does."""
        self._held = True

    def release(self) -> None:
        """Go on after `hold`."""
        self._held = False
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and not self._held:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        if self._held:
            return
        was_full = self._size >= self._limit
        flight, self._flight, self._size = self._flight, deque(), 0
        if flight:
            self._other._callbacks.data(b"".join(flight))
        if self._eof and not self._flight:
            self._eof = False
            self._other._closed = True
            self._other._callbacks.lost(None)
            self._callbacks.lost(None)
        elif was_full:
            self._callbacks.writable()


def memory_pair(
    limit: int = 64 << 10, names: tuple[str, str] = ("memory:b", "memory:a")
) -> tuple[MemoryConnection, MemoryConnection]:
    """Make two connected ends.

    Args:
        limit: High-water mark of each direction in bytes.
        names: What the first and the second end call their peer.
    """
    first, second = MemoryConnection(names[0], limit), MemoryConnection(names[1], limit)
    first._other, second._other = second, first
    return first, second
