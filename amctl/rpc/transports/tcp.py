"""Plain TCP, native Python only. Import it by name: browsers have no sockets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from amctl.rpc.exposure import check_exposure
from amctl.rpc.transports._callbacks import Callbacks

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from amctl.rpc.transports.base import Connection, OnData, OnLost, OnWritable

__all__ = ["TcpConnection", "TcpListener", "dial_tcp", "listen_tcp"]

HIGH_WATER = 128 << 10
_HANDSHAKE = 3.0


class TcpConnection(asyncio.Protocol):
    """A socket as a `Connection`."""

    def __init__(self, accept: Callable[[Connection], None] | None = None) -> None:
        self._accept = accept
        self._callbacks = Callbacks()
        self._transport: asyncio.Transport | None = None
        self._closed = self._full = self._started = False
        self._peer = "tcp:?"

    @property
    def peer(self) -> str:
        """`host:port` of the other end."""
        return self._peer

    @property
    def writable(self) -> bool:
        """False while the socket's buffer is above the high-water mark."""
        return not self._full and not self._closed

    @property
    def is_closed(self) -> bool:
        """True from `close` or the loss on."""
        return self._closed

    def start(self, on_data: OnData, on_lost: OnLost, on_writable: OnWritable) -> None:
        """See `Connection.start`."""
        self._started = True
        self._callbacks.start(on_data, on_lost, on_writable)
        if self._transport is not None and not self._closed:
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """See `Connection.write`."""
        if self._transport is not None and not self._closed:
            self._transport.write(data)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Connection.close`; a peer that does not read gets 3 seconds."""
        if self._closed:
            return
        self._closed = True
        if self._transport is not None:
            self._transport.close()
            asyncio.get_running_loop().call_later(3.0, self._transport.abort)

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start without reading until somebody listens, so that nothing piles up here."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        address = transport.get_extra_info("peername")
        self._peer = f"{address[0]}:{address[1]}" if address else "tcp:?"
        self._transport.pause_reading()
        if self._accept is not None:
            self._accept(self)

    def data_received(self, data: bytes) -> None:
        """Push a piece."""
        self._callbacks.data(data)

    def pause_writing(self) -> None:
        """Above the high-water mark."""
        self._full = True

    def resume_writing(self) -> None:
        """Below the low-water mark again."""
        self._full = False
        self._callbacks.writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the reader."""
        self._closed = True
        self._callbacks.lost(exc)


class TcpListener:
    """A bound, accepting socket."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        address = server.sockets[0].getsockname()
        self.host: str = address[0]
        self.port: int = address[1]
        self.on_closed: Callable[[], None] | None = None

    def close(self) -> None:
        """Stop accepting. Accepted connections live on."""
        self._server.close()
        told, self.on_closed = self.on_closed, None
        if told is not None:
            told()

    @property
    def is_serving(self) -> bool:
        """False once somebody closed the socket."""
        return self._server.is_serving()


async def dial_tcp(host: str, port: int, tls: ssl.SSLContext | None = None) -> TcpConnection:
    """Connect to a listening peer.

    Args:
        host: Where it listens.
        port: The same.
        tls: Speak TLS; `amctl.rpc.exposure.client_tls` makes this.

    Raises:
        OSError: If nobody listens there, or its certificate is no good.
    """
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(TcpConnection, host, port, ssl=tls)
    return connection


async def listen_tcp(
    host: str,
    port: int,
    accept: Callable[[Connection], None],
    *,
    tls: ssl.SSLContext | None = None,
    forced: bool = False,
) -> TcpListener:
    """Bind and accept; port 0 takes a free one (read it from the listener).

    Args:
        host: Where to listen.
        port: The same.
        accept: Gets the connections.
        tls: Speak TLS; peers have 3 seconds to agree on it.
        forced: Listen beyond loopback without TLS, too.

    Raises:
        ExposedError: If the address is not of loopback, and neither of the last two was given.
        OSError: If the address can't be bound.
    """
    check_exposure(host, port, encrypted=tls is not None, forced=forced)
    patience = _HANDSHAKE if tls is not None else None
    server = await asyncio.get_running_loop().create_server(
        lambda: TcpConnection(accept), host, port, ssl=tls, ssl_handshake_timeout=patience
    )
    return TcpListener(server)
