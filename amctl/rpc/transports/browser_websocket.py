"""A browser's WebSocket as a `Connection`."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from amctl.rpc.transports import _js
from amctl.rpc.transports._callbacks import Callbacks

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.rpc.transports.base import OnData, OnLost, OnWritable

__all__ = ["BrowserWebSocketConnection", "RefusedError", "dial_browser_websocket"]

HIGH_WATER = 256 << 10
_POLL = 0.01
_PIECE = 256 << 10
_CLEAN = (1000, 1001)
_OWN_CODES = 4000
_log = logging.getLogger("amctl.rpc.transports")


class RefusedError(ConnectionError):
    """The server ended the WebSocket, at the start or later, and said why.

    A browser tells pages nothing of an upgrade that was refused by HTTP: the code is 1006 then.
    So the relay accepts first and closes with its own code (HTTP's plus 4000) next, and a dial
    that was refused looks like a connection that is lost at once, with this error.
    """

    def __init__(self, url: str, code: int, reason: str) -> None:
        super().__init__(url, code, reason)
        self.url, self.code, self.reason = url, code, reason

    def __str__(self) -> str:
        return f"{self.url} closed the WebSocket: {self.code} {self.reason}".rstrip()


class BrowserWebSocketConnection:
    """An open WebSocket of binary messages. Made by `dial_browser_websocket`."""

    def __init__(
        self,
        url: str,
        on_refused: Callable[[RefusedError], object] | None = None,
        *,
        subprotocol: str = "",
        js: _js.Js | None = None,
    ) -> None:
        self._url = url
        self._on_refused = on_refused
        self._js = js or _js.load()
        self._callbacks = Callbacks()
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closed = False
        self._poll: asyncio.TimerHandle | None = None
        self._socket = self._js.socket(url, subprotocol)
        self._socket.binaryType = "arraybuffer"
        # One proxy for the socket's whole life, see MessagePortConnection.
        self._proxy: _js.Proxy | None = self._js.proxy(self._on_event)
        self._socket.onopen = self._socket.onmessage = self._proxy
        self._socket.onclose = self._proxy

    @property
    def peer(self) -> str:
        """The URL, without its query."""
        return self._url.partition("?")[0]

    @property
    def writable(self) -> bool:
        """False while the browser holds `HIGH_WATER` bytes or more that it could not send yet."""
        return self._poll is None and not self._closed

    @property
    def is_closed(self) -> bool:
        """True from `close` or the loss on."""
        return self._closed

    async def opened(self) -> None:
        """Wait for the end of the opening handshake; cancelling it closes the socket.

        Raises:
            RefusedError: If the server said no, or nobody answered.
        """
        try:
            await self._opened
        except asyncio.CancelledError:
            self.close()
            raise

    def start(self, on_data: OnData, on_lost: OnLost, on_writable: OnWritable) -> None:
        """See `Connection.start`."""
        self._callbacks.start(on_data, on_lost, on_writable)

    def write(self, data: bytes) -> None:
        """See `Connection.write`. Big writes go out in pieces, since servers cap their messages."""
        if self._closed:
            return
        view = memoryview(data)
        for at in range(0, len(view), _PIECE):
            self._socket.send(self._js.bytes_of(view[at : at + _PIECE]))
        self._watch_buffer()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Connection.close`; the browser sends what it holds and ends the handshake."""
        if self._closed:
            return
        self._closed = True
        # Pages may send 1000 and 3000 to 4999 only.
        allowed = code if code == 1000 or 3000 <= code <= 4999 else 1000
        self._socket.close(allowed, reason.encode()[:120].decode(errors="ignore"))
        self._end(None)

    def _watch_buffer(self) -> None:
        """Look again until the browser has sent enough: it has no event for that."""
        if self._poll is None and self._socket.bufferedAmount >= HIGH_WATER:
            self._poll = self._loop.call_later(_POLL, self._look)

    def _look(self) -> None:
        self._poll = None
        if self._closed:
            return
        if self._socket.bufferedAmount >= HIGH_WATER:
            self._poll = self._loop.call_later(_POLL, self._look)
        else:
            self._callbacks.writable()

    def _on_event(self, event: _js.JsEvent) -> None:
        if event.type == "open":
            if not self._opened.done():
                self._opened.set_result(None)
        elif event.type == "close":
            if not self._closed:
                self._closed = True
                self._end(self._verdict(event))
        elif not self._closed:
            self._take(event.data)

    def _verdict(self, event: _js.JsEvent) -> RefusedError | None:
        """What a close event of the peer's means."""
        if event.code in _CLEAN and self._opened.done():
            return None
        error = RefusedError(self.peer, event.code, event.reason)
        if event.code >= _OWN_CODES and self._on_refused is not None:
            self._on_refused(error)
        return error

    def _take(self, data: object) -> None:
        if isinstance(data, str):
            self.close(3003, "binary messages only")
            return
        try:
            self._callbacks.data(data.to_bytes())  # type: ignore[attr-defined]  # an ArrayBuffer
        except Exception:
            self.close(3011, "reader failed")

    def _end(self, error: Exception | None) -> None:
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None
        self._socket.onopen = self._socket.onmessage = self._socket.onclose = None
        # Later, for this may be a call of the very proxy.
        self._loop.call_soon(self._bury, error)

    def _bury(self, error: Exception | None) -> None:
        if self._proxy is not None:
            self._proxy.destroy()
            self._proxy = None
        if self._opened.done():
            self._callbacks.lost(error)
        elif error is not None:
            self._opened.set_exception(error)


async def dial_browser_websocket(
    url: str,
    on_refused: Callable[[RefusedError], object] | None = None,
    *,
    subprotocol: str = "",
) -> BrowserWebSocketConnection:
    """Open a WebSocket; the page's cookie goes along by itself. Cancelling closes it.

    Args:
        url: `ws://` or `wss://`, of this page's own host.
        on_refused: Told when the server closes with a code of its own (4000 and above), whether
            at once or later; besides the connection's own end.
        subprotocol: What the bytes are, if the server should choose by it; it must agree.

    Raises:
        RefusedError: If the server refused it, or nobody answered.
    """
    connection = BrowserWebSocketConnection(url, on_refused, subprotocol=subprotocol)
    await connection.opened()
    return connection
