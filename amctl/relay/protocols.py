"""The two uvicorn protocols with what a front door needs on top: caps, deadlines, signs of life.

Everything that touches uvicorn's insides is in this file and `server.py`; its version is pinned for
that.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from amctl.rpc.exposure import is_elsewhere

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
_BAD = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 31\r\nConnection: close\r\n\r\nInvalid HTTP request received.\n"
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


class _CappedHttp(H11Protocol):
    """Turns connections beyond the caps away, and drops peers that don't get on.

    Two clocks run: one while the peer owes us a request or the rest of one, however it drips,
    and one while it doesn't read what it asked for.
    """

    caps: Limits
    _deadline: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._fits():
            transport.write(_FULL)
            transport.close()
            return
        self._watch()

    def _fits(self) -> bool:
        if len(self.connections) > self.caps.connections:
            return False
        host = self.client[0] if self.client else ""
        if not is_elsewhere(host):
            return True
        # those of WebSockets stand in the same set
        peers = [getattr(one, "client", None) for one in self.connections]
        same = sum(peer is not None and peer[0] == host for peer in peers)
        return bool(same <= self.caps.per_address)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._forget_deadline()  # the next request has its own time
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        self.resume_writing()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._forget_deadline()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        cycle = self.cycle
        is_under_way = cycle is not None and not cycle.response_complete
        if is_under_way:
            # what answers the request that went wrong must not write into this answer
            cycle.disconnected = True
            cycle.message_event.set()
        if not (is_under_way and cycle.response_started):
            # by hand: h11 may be past the point where it takes an answer
            self.transport.write(_BAD)
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall is None:
            self._stall = self.loop.call_later(self.caps.read_timeout, self._expire)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    @property
    def _is_owed(self) -> bool:
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body

    def _watch(self) -> None:
        transport = self.transport
        is_ours = transport.get_protocol() is self and not transport.is_closing()
        if not (is_ours and self._is_owed):
            self._forget_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.caps.head_timeout, self._late)

    def _late(self) -> None:
        self._deadline = None
        if self.flow.read_paused and self.cycle is not None and self.cycle.more_body:
            self._watch()  # it is us who don't read on
        elif self._is_owed:
            self._expire()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        self.transport.abort()


def http_protocol(limits: Limits) -> type[asyncio.Protocol]:
    """Make the HTTP protocol class of one relay."""
    return type("CappedHttp", (_CappedHttp,), {"caps": limits})


class _LinkedWebSocket(WebSocketsSansIOProtocol):
    """Puts a `Link` into the scope's state, and forgives missed pongs that we didn't read."""

    clock: Callable[[], float]
    """Dates signs of life."""
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
            self._link = Link(self, type(self).clock)
            # the task that will read the scope has been made, but can't have run yet
            self.scope["state"][_KEY] = self._link

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is None:
            # broken frames before our answer to the upgrade: no close frame can be sent yet
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
            self.handshake_complete = self.close_sent = self.disconnected = True
            self.transport.abort()
            return
        super().handle_parser_exception()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.close_sent:
            # a refusal is an answer, too: without this it is logged as an error of ours
            self.handshake_complete = True

    def shutdown(self) -> None:
        if self.handshake_complete and self.transport.is_closing():
            # the peer has closed already, and under TLS that may take its time
            self.stop_keepalive()
            return
        super().shutdown()
        if not self.handshake_complete:
            # answered for the application, which has yet to answer: it will be told so
            self.disconnected = True

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


def websocket_protocol(clock: Callable[[], float] = time.monotonic) -> type[asyncio.Protocol]:
    """Make the WebSocket protocol class of one relay; `clock` dates signs of life."""
    return type("LinkedWebSocket", (_LinkedWebSocket,), {"clock": staticmethod(clock)})
