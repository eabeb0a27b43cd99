"""Moves bytes between a protocol core and a connection, and keeps the core's timers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from amctl.rpc.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.rpc.transports.base import Connection

__all__ = ["Core", "Pump"]


_PIECE = 64 << 10
"""A core that gives less has nothing more to send."""


class Core(Protocol):
    """The part of the wire's ends that moves bytes and time."""

    def receive_data(self, data: bytes, now: float) -> Sequence[Any]: ...
    def data_to_send(self, limit: int = ...) -> bytes: ...
    def connection_lost(self, now: float) -> Sequence[Any]: ...
    def tick(self, now: float) -> Sequence[Any]: ...
    def next_timer(self) -> float | None: ...


class Pump:
    """One core on one connection, until either is done.

    Args:
        core: The protocol's end; its clock is the loop's.
        conn: Started here.
        on_events: Gets what the core found, in order. It may call `kick` and `finish`.
        on_lost: Called once when the connection is over, after the core was told; its events
            precede it.
        traffic: Counts what passes.
    """

    def __init__(
        self,
        core: Core,
        conn: Connection,
        on_events: Callable[[Sequence[Any]], None],
        on_lost: Callable[[Exception | None], None],
        traffic: Traffic | None = None,
    ) -> None:
        self.core, self.conn = core, conn
        self._on_events, self._on_lost = on_events, on_lost
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0  # kept here, since a browser loop's handle does not know
        self._kicked = self._flushing = False
        self.traffic = Traffic() if traffic is None else traffic
        self.traffic.connections += 1
        self.is_reading = False
        """Received bytes are being dealt with; a flush follows."""
        self.done = False
        """The connection is over, or being closed; nothing moves any more."""
        self.after_events: Callable[[], None] = self.flush
        """Called after events of received bytes or of time were handed over."""

    def start(self) -> None:
        """Begin; the core must have been told of the connection."""
        self.conn.start(self._data, self._lost, self.flush)
        self.flush()

    def kick(self) -> None:
        """There may be output: flush it in this turn of the loop, once for all kicks."""
        if not self._kicked and not self.is_reading and not self.done:
            self._kicked = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what the connection takes now, and set the timer anew."""
        self._kicked = False
        if self.done or self._flushing:
            return
        self._flushing = True
        try:
            conn, core = self.conn, self.core
            while conn.writable:
                data = core.data_to_send(_PIECE)
                if data:
                    self.traffic.sent += len(data)
                    conn.write(data)
                if len(data) < _PIECE:
                    break
        finally:
            self._flushing = False
        self._set_timer()

    def finish(self, code: int = 1000, reason: str = "") -> None:
        """Write the last words whatever waits before them, close, and report the loss at once."""
        if self.done:
            return
        while data := self.core.data_to_send():
            self.traffic.sent += len(data)
            self.conn.write(data)
        self._end(None)
        self.conn.close(code, reason)

    def _data(self, data: bytes) -> None:
        if not self.done:
            self.traffic.received += len(data)
            self.is_reading = True
            try:
                self._on_events(self.core.receive_data(data, self._loop.time()))
            finally:
                self.is_reading = False
            self.after_events()

    def _lost(self, error: Exception | None) -> None:
        if not self.done:
            self._end(error)

    def _end(self, error: Exception | None) -> None:
        self.done = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._on_events(self.core.connection_lost(self._loop.time()))
        self._on_lost(error)

    def _set_timer(self) -> None:
        due = self.core.next_timer()
        timer = self._timer
        if due is None:
            if timer is not None:
                timer.cancel()
                self._timer = None
        elif timer is None or due < self._due:
            # a timer that rings too early only asks again
            if timer is not None:
                timer.cancel()
            self._due = due
            # not call_at: a browser's loop refuses a moment that has just passed
            wait = max(0.0, due - self._loop.time())
            self._timer = self._loop.call_later(wait, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        due = self.core.next_timer()
        if due is not None and due <= now:
            self._on_events(self.core.tick(now))
        self.after_events()
