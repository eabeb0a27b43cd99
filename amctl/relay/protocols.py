"""The two uvicorn protocols with what a front door needs on top: caps, deadlines, signs of life.

Everything that touches uvicorn's insides is in this file and `server.py`; its version is pinned for
that.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from starlette.types import Scope
    from websockets.http11 import Request

    from amctl.relay.limits import Limits

__all__ = ["Link", "http_protocol", "link_of", "websocket_protocol"]

_KEY = "amctl.relay.link"
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 21\r\nConnection: close\r\nRetry-After: 1\r\n\r\ntoo many connections\n"
)


class Link:
    """What ASGI hides of a WebSocket: when its peer was last heard, how it ended, and a way to
    cut it.
    """

    def __init__(self, protocol: WebSocketsSansIOProtocol, clock: Callable[[], float]) -> None:
        self._protocol, self._clock = protocol, clock
        self._heard = clock()

    def touch(self) -> None:
        """Note a sign of life."""
        self._heard = self._clock()

    def heard(self) -> float:
        """When the peer was last heard; now, while it is us who don't listen."""
        return self._clock() if self._protocol.read_paused else self._heard

    @property
    def said_goodbye(self) -> bool:
        """Whether the peer sent a close frame, rather than just vanish."""
        return self._protocol.conn.close_rcvd is not None

    def abort(self) -> None:
        """Cut the connection; what waits to be sent is lost."""
        self._protocol.transport.abort()


def link_of(scope: Scope) -> Link:
    """Return the link of a WebSocket that came through `websocket_protocol`."""
    link: Link = scope["state"][_KEY]
    return link


def http_protocol(limits: Limits) -> type[asyncio.Protocol]:
    """Make the HTTP protocol class of one relay."""

    class CappedHttp(H11Protocol):
        """Turns connections beyond the cap away, and drops those that never ask for anything."""

        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                transport.write(_FULL)
                transport.close()
                return
            self._deadline = self.loop.call_later(limits.head_timeout, self._expire)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None:
                self._cancel_deadline()

        def connection_lost(self, exc: Exception | None) -> None:
            self._cancel_deadline()
            super().connection_lost(exc)

        def handle_websocket_upgrade(self, event: Any) -> None:
            self._cancel_deadline()
            super().handle_websocket_upgrade(event)

        def _cancel_deadline(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _expire(self) -> None:
            self._deadline = None
            self.transport.abort()

    return CappedHttp


def websocket_protocol(clock: Callable[[], float] = time.monotonic) -> type[asyncio.Protocol]:
    """Make the WebSocket protocol class of one relay; `clock` dates signs of life."""

    class LinkedWebSocket(WebSocketsSansIOProtocol):
        """Puts a `Link` into the scope's state, and forgives missed pongs that we didn't read."""

        _link: Link | None = None

        def data_received(self, data: bytes) -> None:
            if self._link is not None:
                self._link.touch()
            super().data_received(data)
            if not self.handshake_initiated:
                self._refuse_bad_head()

        def handle_connect(self, event: Request) -> None:
            super().handle_connect(event)
            if not self.close_sent:
                self._link = Link(self, clock)
                # the task that will read the scope has been made, but can't have run yet
                self.scope["state"][_KEY] = self._link

        def keepalive_timeout(self) -> None:
            if self.read_paused:
                # the pong may lie unread behind data that our side is slow to take
                self.pong_timer = None
                self.pending_ping_payload = None
                self.schedule_ping()
                return
            super().keepalive_timeout()
            # its buffer may be full of what the dead peer never read: don't wait for that
            self.loop.call_later(0.1, self.transport.abort)

        def _refuse_bad_head(self) -> None:
            if self.conn.handshake_exc is not None:
                self.transport.write(b"".join(self.conn.data_to_send()))
                self.handshake_complete = self.close_sent = True
                self.transport.close()

    return LinkedWebSocket
