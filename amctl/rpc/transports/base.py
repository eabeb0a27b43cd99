"""What every transport gives: one byte stream, pushed to its reader on one event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

__all__ = ["Connection", "Dial", "OnData", "OnLost", "OnWritable", "RelayDial"]

OnData = Callable[[bytes], None]
OnLost = Callable[[Exception | None], None]
OnWritable = Callable[[], None]


class Connection(Protocol):
    """One ordered stream of bytes to one peer; the borders of writes and messages mean nothing.

    All methods and callbacks run on the loop that made the connection. Bytes that arrive before
    `start` are kept for it.
    """

    @property
    def peer(self) -> str:
        """Where the other end is, for logs."""
        ...

    @property
    def writable(self) -> bool:
        """False while more than the high-water mark waits to be sent: write no more then."""
        ...

    @property
    def is_closed(self) -> bool:
        """True from `close` or the loss on; writes are dropped from then on."""
        ...

    def start(self, on_data: OnData, on_lost: OnLost, on_writable: OnWritable) -> None:
        """Begin to push what arrives. Call it once.

        Args:
            on_data: Gets each piece of the stream, never an empty one.
            on_lost: Called exactly once, with None after a proper end of either side, or with
                what broke the connection.
            on_writable: Called each time `writable` becomes true again.
        """
        ...

    def write(self, data: bytes) -> None:
        """Hand bytes over, in order. Never blocks, never raises for a dead peer."""
        ...

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send what was written, then end the connection. Calling it again does nothing.

        Args:
            code: WebSocket close code, where the transport has one.
            reason: A short text for the peer, where the transport has one.
        """
        ...


Dial = Callable[[], Awaitable[Connection]]
"""Makes a new connection to the same place, or raises OSError."""


class RelayDial(Protocol):
    """Makes a new connection to a path of the relay, or raises OSError."""

    def __call__(self, path: str, subprotocol: str = "", /) -> Awaitable[Connection]:
        """Dial.

        Args:
            path: Of the relay, from its first slash on.
            subprotocol: What the WebSocket carries, if not just bytes for whoever is there.
        """
        ...
