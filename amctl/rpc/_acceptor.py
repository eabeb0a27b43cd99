"""Gets and keeps the endpoint of a server or a mux."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, TypeVar

from amctl.rpc.endpoints import (
    AttachEndpoint,
    DialEndpoint,
    Endpoint,
    Listener,
    TunnelEndpoint,
)
from amctl.rpc.wire.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from amctl.rpc.transports.base import Connection
    from amctl.rpc.transports.tunnel import Tunnel

__all__ = ["Acceptor"]

T = TypeVar("T")
_log = logging.getLogger("amctl.rpc.server")


class Acceptor:
    """One endpoint, acquired again when it is lost.

    Args:
        who: Machine id, for logs.
        endpoint: Where connections come from.
        accept: Gets connections.
        on_closed: Told when a listener was closed by somebody else, or a tunnel was lost.
    """

    def __init__(
        self,
        who: str,
        endpoint: Endpoint | TunnelEndpoint,
        accept: Callable[[Connection], None],
        on_closed: Callable[[], None],
    ) -> None:
        self._who, self.endpoint, self._accept, self._on_closed = who, endpoint, accept, on_closed
        self._listener: Listener | None = None
        self._backoff = Backoff(random.Random())
        self._again = False
        self._port = 0
        self.addr = ""
        """`host:port` of the listener, the real one; empty if it isn't ours."""
        self.error: Exception | None = None
        """What broke the last tunnel."""

    @property
    def dials(self) -> bool:
        """Whether the endpoint is one connection that we make."""
        return isinstance(self.endpoint, DialEndpoint)

    @property
    def is_open(self) -> bool:
        """Whether there is a listener, or none is needed."""
        return self._listener is not None or isinstance(self.endpoint, AttachEndpoint)

    async def acquire(self, on_failure: Callable[[Exception], None]) -> Connection | None:
        """Bind, or dial until it works; the first dial is made at once.

        Args:
            on_failure: Told of the first failed dial of a row.

        Returns:
            The connection that was dialled, to be accepted by the caller; None for a listener.

        Raises:
            OSError: If the address can't be bound.
        """
        endpoint = self.endpoint
        if isinstance(endpoint, AttachEndpoint):
            return None
        if isinstance(endpoint, DialEndpoint):
            return await self._dial(endpoint.connect, on_failure)
        if isinstance(endpoint, TunnelEndpoint):
            self.release()
            tunnel = await self._dial(lambda: self._tunnel(endpoint), on_failure)
            self._listener, self.error = tunnel, None
            tunnel.on_closed = lambda: self._tunnel_lost(tunnel)
            return None
        listener = self._listener = await endpoint.listen(self._accept, self._port)
        listener.on_closed = self._closed
        self._port, self.addr = listener.port, f"{listener.host}:{listener.port}"
        return None

    async def _dial(
        self, connect: Callable[[], Awaitable[T]], on_failure: Callable[[Exception], None]
    ) -> T:
        told = False
        while True:
            if self._again:
                await asyncio.sleep(self._backoff.delay() or 0.0)
            self._again = True
            try:
                return await connect()
            except (OSError, EOFError) as error:
                _log.info("%s: can't dial: %s", self._who, error)
                if not told:
                    told = True
                    on_failure(error)

    async def _tunnel(self, endpoint: TunnelEndpoint) -> Tunnel:
        tunnel = await endpoint.connect(self._accept)
        tunnel.start()
        if tunnel.is_closed:
            raise ConnectionResetError(f"lost at once: {tunnel.error or 'closed by the relay'}")
        return tunnel

    def _tunnel_lost(self, tunnel: Tunnel) -> None:
        if tunnel.heard:
            self._backoff.reset()
        self.error = tunnel.error
        self._closed()

    def served(self) -> None:
        """A client was served through the endpoint: the next wait is a short one."""
        self._backoff.reset()

    def release(self) -> None:
        """Stop listening; accepted connections live on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_closed = None
            listener.close()

    def _closed(self) -> None:
        self._listener = None
        self._on_closed()
