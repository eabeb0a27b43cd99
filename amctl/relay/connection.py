"""A WebSocket of the relay as an aRPC `Connection`: pushed bytes in, queued bytes out."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from starlette.websockets import WebSocketDisconnect, WebSocketState

from amctl.relay.protocols import link_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.websockets import WebSocket

__all__ = ["WebSocketConnection"]

_NOT_BINARY = 1003
_MAX_REASON = 120

_log = logging.getLogger("amctl.relay")


class WebSocketConnection:
    """One accepted WebSocket. Satisfies `amctl.rpc.transports.base.Connection`.

    `run` moves the bytes and must run as long as the connection lives; whoever handles the
    WebSocket's route awaits it. Nothing is read before `start`, nor while `pause_reading` holds.
    """

    def __init__(
        self, socket: WebSocket, *, limit: int, flush_timeout: float, subprotocol: str | None = None
    ) -> None:
        """Wrap an upgrade that may not be accepted yet.

        Args:
            socket: Starlette's view of it.
            limit: High-water mark of what waits to be sent, in bytes.
            flush_timeout: Seconds that `close` may take to send it.
            subprotocol: What to agree to, of what the peer offered.
        """
        self._socket, self._link = socket, link_of(socket.scope)
        self._limit, self._flush_timeout = limit, flush_timeout
        self._subprotocol = subprotocol
        self._loop = asyncio.get_running_loop()
        client = socket.client
        self._peer = f"{client.host}:{client.port}" if client else "ws:?"
        self._outbox: deque[bytes] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._may_read = asyncio.Event()
        self._close: tuple[int, str] | None = None
        self._over = False
        self.ended = asyncio.Event()
        """Set once the connection is over."""
        self._error: Exception | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._callbacks: (
            tuple[
                Callable[[bytes], None],
                Callable[[Exception | None], None],
                Callable[[], None],
            ]
            | None
        ) = None

    @property
    def peer(self) -> str:
        """`host:port` of the other end."""
        return self._peer

    @property
    def writable(self) -> bool:
        """False while more than the limit waits to be sent, and once closed."""
        return self._waiting < self._limit and not self.is_closed

    @property
    def is_closed(self) -> bool:
        """True from `close` or the loss on."""
        return self._over or self._close is not None

    def heard(self) -> float:
        """When the peer gave its last sign of life, in the relay's clock."""
        return self._link.heard()

    def start(
        self,
        on_data: Callable[[bytes], None],
        on_lost: Callable[[Exception | None], None],
        on_writable: Callable[[], None],
    ) -> None:
        """Begin to push what arrives; see `Connection.start`."""
        if self._callbacks is not None:
            raise RuntimeError("connection was started already")
        self._callbacks = (on_data, on_lost, on_writable)
        if self._over:
            on_lost(self._error)
        else:
            self._may_read.set()

    def pause_reading(self) -> None:
        """Take no more from the peer, who is made to wait by TCP in the end."""
        self._may_read.clear()

    def resume_reading(self) -> None:
        """Go on after `pause_reading`."""
        if self._callbacks is not None:
            self._may_read.set()

    def write(self, data: bytes) -> None:
        """Queue bytes; dropped after the end."""
        if data and not self.is_closed:
            self._outbox.append(data)
            self._waiting += len(data)
            self._wake.set()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send what waits, then a close frame; cut the peer off if it takes too long."""
        self._begin_close(code, reason, self._flush_timeout)

    def evict(self, reason: str) -> None:
        """Close with code 4409 in favour of another connection, which won't wait for long."""
        self._begin_close(4409, reason, min(0.3, self._flush_timeout))

    def _begin_close(self, code: int, reason: str, patience: float) -> None:
        if self._over:
            return
        if self._close is None:
            self._close = (code, reason.encode()[:_MAX_REASON].decode(errors="ignore"))
            self._wake.set()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(patience, self._link.abort)

    async def run(self) -> None:
        """Move bytes until the connection is over; `on_lost` has been called then.

        Cancelling it cuts the connection.
        """
        try:
            if self._socket.application_state is WebSocketState.CONNECTING:
                await self._socket.accept(self._subprotocol)
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(self._read())
                writer = group.create_task(self._write())
                # whichever ends first takes the other along
                reader.add_done_callback(lambda _: writer.cancel())
                writer.add_done_callback(lambda _: reader.cancel())
        except asyncio.CancelledError:
            self._error = self._error or ConnectionAbortedError("relay cut the connection")
            self._link.abort()
            raise
        except OSError as error:
            self._error = ConnectionResetError("peer vanished before it was accepted")
            self._error.__cause__ = error
        finally:
            self._finish()

    def _finish(self) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        self._outbox.clear()
        self.ended.set()
        if self._callbacks is not None:
            self._callbacks[1](self._error)

    async def _read(self) -> None:
        while True:
            await self._may_read.wait()
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                clean = self._close is not None or self._link.said_goodbye
                if not clean:
                    self._error = ConnectionResetError("peer vanished without a close frame")
                return
            data = message.get("bytes")
            if data is None:
                self.close(_NOT_BINARY, "binary messages only")
            elif data and self._close is None:
                self._push(data)

    def _push(self, data: bytes) -> None:
        if self._callbacks is None:
            return
        try:
            self._callbacks[0](data)
        except Exception as error:
            _log.exception("reader of %s failed", self._peer)
            self._error = error
            self.close(1011, "internal error")

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._drain()
                if self._close is not None:
                    await self._socket.close(*self._close)
                    return
            except WebSocketDisconnect:
                if self._close is None and not self._link.said_goodbye:
                    self._error = ConnectionResetError("peer vanished")
                return

    async def _drain(self) -> None:
        while self._outbox:
            data = self._outbox.popleft()
            await self._socket.send_bytes(data)
            was_full = self._waiting >= self._limit
            self._waiting -= len(data)
            if was_full and self.writable and self._callbacks is not None:
                self._callbacks[2]()
