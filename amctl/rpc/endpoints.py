"""Where a server or a mux gets its connections from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import ssl

    from amctl.rpc.transports.base import Connection, Dial
    from amctl.rpc.transports.tunnel import Tunnel

__all__ = [
    "Accept",
    "AttachEndpoint",
    "DialEndpoint",
    "Endpoint",
    "ListenEndpoint",
    "Listener",
    "TcpEndpoint",
    "TunnelEndpoint",
]

Accept = Callable[["Connection"], None]


class Listener(Protocol):
    """Something bound that accepts connections."""

    host: str
    port: int
    on_closed: Callable[[], None] | None
    """Called once when it was closed, by whomever."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """Listen on a TCP port of this machine; port 0 takes a free one and keeps it."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None
    """Speak TLS: `amctl.rpc.exposure.server_tls` makes this."""
    forced: bool = False
    """Listen beyond loopback without TLS, too: the network there is a safe one."""

    async def listen(self, accept: Accept, port: int) -> Listener:
        """Bind. Raises OSError, ExposedError among it."""
        # not at the top: browsers have no sockets
        from amctl.rpc.transports.tcp import listen_tcp

        port = port or self.port
        return await listen_tcp(self.host, port, accept, tls=self.tls, forced=self.forced)


@dataclass(frozen=True, slots=True)
class ListenEndpoint:
    """Listen by a function of one's own, WebSockets say."""

    make: Callable[[Accept, int], Awaitable[Listener]]
    """Gets the acceptor and the port it had before (0 at first)."""

    async def listen(self, accept: Accept, port: int) -> Listener:
        """Bind. Raises OSError."""
        return await self.make(accept, port)


@dataclass(frozen=True, slots=True)
class DialEndpoint:
    """Dial a relay and serve whoever comes through it; dialled again with growing waits."""

    dial: Dial
    deadline: float = 3.0
    """Seconds for one try."""

    async def connect(self) -> Connection:
        """Dial once. Raises OSError, TimeoutError included."""
        return await _within(self.deadline, self.dial)


@dataclass(frozen=True, slots=True)
class TunnelEndpoint:
    """Dial a relay and serve all who come through its channels; dialled again with growing waits.

    For a mux. With the tunnel all its channels are lost; clients resume through the next one.
    """

    dial: Dial
    """Makes a connection that speaks `arpc-tunnel.1`."""
    deadline: float = 3.0
    """Seconds for one try."""

    async def connect(self, accept: Accept) -> Tunnel:
        """Dial once; the tunnel isn't started. Raises OSError, TimeoutError included."""
        # not at the top: the transports' modules need no endpoint, and few endpoints this one
        from amctl.rpc.transports.tunnel import Tunnel

        conn = await _within(self.deadline, self.dial)
        return Tunnel(conn, even=False, accept=accept)


@dataclass(frozen=True, slots=True)
class AttachEndpoint:
    """Nothing of one's own: connections come by `accept`."""


Endpoint = TcpEndpoint | ListenEndpoint | DialEndpoint | AttachEndpoint


async def _within(deadline: float, dial: Dial) -> Connection:
    """Dial once; a try that takes too long says so."""
    try:
        async with asyncio.timeout(deadline):
            return await dial()
    except TimeoutError as error:
        raise TimeoutError(str(error) or f"no connection within {deadline:g} s") from error
