"""WebSockets by the `websockets` library's sans-IO core, native Python only. Import it by name."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from amctl.rpc.exposure import check_exposure, client_tls
from amctl.rpc.transports._callbacks import Callbacks
from amctl.rpc.transports.tcp import HIGH_WATER, TcpListener

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from amctl.rpc.transports.base import Connection, OnData, OnLost, OnWritable

__all__ = ["RefusedError", "WebSocketConnection", "dial_websocket", "listen_websocket"]

MAX_MESSAGE = 4 << 20
_OPEN_TIMEOUT = 10.0
"""Seconds that a peer has for its upgrade request."""
_CLOSE_TIMEOUT = 3.0
_log = logging.getLogger("amctl.rpc.transports")


class RefusedError(ConnectionError):
    """The HTTP server answered the upgrade with a refusal."""

    def __init__(self, url: str, status: int, text: str) -> None:
        super().__init__(url, status, text)
        self.url, self.status, self.text = url, status, text

    def __str__(self) -> str:
        return f"{self.url} refused the upgrade: {self.status} {self.text[:200]}"


class WebSocketConnection(asyncio.Protocol):
    """A WebSocket of binary messages as a `Connection`. Text messages end it."""

    def __init__(
        self,
        core: ClientProtocol | ServerProtocol,
        *,
        accept: Callable[[WebSocketConnection, str], None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._core, self._accept, self._headers = core, accept, dict(headers or {})
        self._callbacks = Callbacks()
        self._transport: asyncio.Transport | None = None
        self._closing = self._full = self._started = self._ours = False
        self._peer = "ws:?"
        self._error: Exception | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def peer(self) -> str:
        """`host:port` of the other end."""
        return self._peer

    @property
    def writable(self) -> bool:
        """False while the socket's buffer is above the high-water mark."""
        return not self._full and not self._closing

    @property
    def is_closed(self) -> bool:
        """True from `close` or the loss on."""
        return self._closing

    @property
    def close_code(self) -> int | None:
        """The peer's close code, or None while it sent none."""
        return self._core.close_rcvd.code if self._core.close_rcvd else None

    @property
    def close_reason(self) -> str:
        """The peer's close reason."""
        return self._core.close_rcvd.reason if self._core.close_rcvd else ""

    async def opened(self) -> None:
        """Wait for the end of the opening handshake.

        Raises:
            RefusedError: If the server said no.
            OSError: If the connection broke.
        """
        await self._opened

    def start(self, on_data: OnData, on_lost: OnLost, on_writable: OnWritable) -> None:
        """See `Connection.start`."""
        self._started = True
        self._callbacks.start(on_data, on_lost, on_writable)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """See `Connection.write`."""
        if data and not self._closing and self._core.state is State.OPEN:
            self._core.send_binary(data)
            self._flush()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Connection.close`; the peer has 3 seconds to answer the close frame."""
        if self._closing:
            return
        self._closing = self._ours = True
        if self._core.state is State.OPEN:
            self._core.send_close(code, reason.encode()[:120].decode(errors="ignore"))
            self._flush()
            if self._transport is not None:
                self._transport.resume_reading()  # to see the peer's close frame
            self._timer = asyncio.get_running_loop().call_later(_CLOSE_TIMEOUT, self._abort)
        elif self._transport is not None:
            self._transport.close()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the opening handshake."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        address = transport.get_extra_info("peername")
        self._peer = f"{address[0]}:{address[1]}" if address else "ws:?"
        if isinstance(self._core, ClientProtocol):
            request = self._core.connect()
            request.headers.update(self._headers)
            self._core.send_request(request)
            self._flush()
        else:
            self._timer = asyncio.get_running_loop().call_later(_OPEN_TIMEOUT, self._abort)

    def data_received(self, data: bytes) -> None:
        """Feed the core and handle what it found."""
        self._core.receive_data(data)
        self._flush()
        for event in self._core.events_received():
            if isinstance(event, Frame):
                self._frame(event)
            elif isinstance(event, Request):
                self._requested(event)
            else:
                self._answered(event)
        self._flush()

    def eof_received(self) -> None:
        """The peer will write no more; the transport closes itself."""
        self._core.receive_eof()
        self._flush()

    def pause_writing(self) -> None:
        """Above the high-water mark."""
        self._full = True

    def resume_writing(self) -> None:
        """Below the low-water mark again."""
        self._full = False
        self._callbacks.writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the dialler or the reader."""
        if self._timer is not None:
            self._timer.cancel()
        clean = self._ours or self.close_code in (1000, 1001)
        self._closing = True
        if not self._opened.done():
            error = exc or self._error or ConnectionResetError("closed during the handshake")
            self._opened.set_exception(error)
            self._opened.exception()
            return
        if exc is None and not clean:
            exc = ConnectionResetError(f"WebSocket ended: {self.close_code} {self.close_reason}")
        self._callbacks.lost(exc)

    # -- events of the core

    def _frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.BINARY, Opcode.CONT):
            # pieces of a fragmented message too: borders mean nothing
            self._callbacks.data(bytes(frame.data))
        elif frame.opcode is Opcode.TEXT and self._core.state is State.OPEN:
            self._core.fail(1003, "binary messages only")
        # close frames are answered by the core; its state says the rest

    def _requested(self, request: Request) -> None:
        core = cast("ServerProtocol", self._core)
        response = core.accept(request)
        core.send_response(response)
        self._flush()
        if core.state is State.OPEN:
            self._open()
            if self._accept is not None:
                self._accept(self, request.path)

    def _answered(self, response: Response) -> None:
        if self._core.handshake_exc is None:
            self._open()
        elif not self._opened.done():
            url = self._headers.get("Host", self._peer)
            body = bytes(response.body or b"").decode(errors="replace") or response.reason_phrase
            self._opened.set_exception(RefusedError(url, response.status_code, body))

    def _open(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._opened.done():
            self._opened.set_result(None)
        if not self._started and self._transport is not None:
            self._transport.pause_reading()

    def _flush(self) -> None:
        transport = self._transport
        if transport is None:
            return
        for data in self._core.data_to_send():
            if transport.is_closing():
                break
            if data:
                transport.write(data)
            else:
                self._closing = True
                transport.close()
        if self._core.state is State.CLOSING and self._core.close_rcvd is not None:
            self._closing = True
        if (
            self._core.close_expected()
            and self._core.state is not State.OPEN
            and self._timer is None
        ):
            self._timer = asyncio.get_running_loop().call_later(_CLOSE_TIMEOUT, self._abort)


async def dial_websocket(
    url: str,
    subprotocol: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    deadline: float = 10.0,
) -> WebSocketConnection:
    """Open a WebSocket without compression, messages capped at 4 MiB.

    Args:
        url: `ws://host:port/path`, or `wss://`.
        subprotocol: What the bytes are, if the server should choose by it; it must agree.
        headers: Added to the request, an Authorization header say.
        tls: For `wss://`: whom to trust; None trusts what the system does.
        deadline: Seconds for connecting and the handshake together.

    Raises:
        RefusedError: If the server answered with an HTTP error.
        OSError: If nobody answers there (TimeoutError included).
    """
    uri = parse_uri(url)
    if not uri.secure and tls is not None:
        raise ValueError(f"{url} is a plain one, TLS needs wss://")
    context = (tls or client_tls()) if uri.secure else None
    wanted = [Subprotocol(subprotocol)] if subprotocol else None
    core = ClientProtocol(uri, subprotocols=wanted, max_size=MAX_MESSAGE)
    async with asyncio.timeout(deadline):
        transport, connection = await asyncio.get_running_loop().create_connection(
            lambda: WebSocketConnection(core, headers=headers), uri.host, uri.port, ssl=context
        )
        try:
            await connection.opened()
        except InvalidHandshake as error:
            raise ConnectionError(str(error)) from error
        finally:
            if not connection._opened.done() or connection._opened.cancelled():
                transport.abort()
    if subprotocol and core.subprotocol != subprotocol:
        connection.close()
        raise ConnectionError(f"{url} doesn't speak {subprotocol}")
    return connection


async def listen_websocket(
    host: str,
    port: int,
    accept: Callable[[Connection], None],
    *,
    tls: ssl.SSLContext | None = None,
    forced: bool = False,
) -> TcpListener:
    """Accept WebSockets on any path, without an HTTP server around them (the relay has one).

    Pages of a browser are refused: whoever needs them asks the relay, which judges their origin.

    Args:
        host: Where to listen.
        port: The same.
        accept: Gets the connections.
        tls: Speak TLS.
        forced: Listen beyond loopback without TLS, too.

    Raises:
        ExposedError: If the address is not of loopback, and neither of the last two was given.
        OSError: If the address can't be bound.
    """
    check_exposure(host, port, encrypted=tls is not None, forced=forced)
    loop = asyncio.get_running_loop()

    def made() -> WebSocketConnection:
        core = ServerProtocol(origins=[None], max_size=MAX_MESSAGE)
        return WebSocketConnection(core, accept=lambda conn, _path: accept(conn))

    return TcpListener(await loop.create_server(made, host, port, ssl=tls))
