"""The TCP side of a listen tunnel: a port that takes one peer."""

from __future__ import annotations

import asyncio
import logging
import socket

from amctl.relay.security import Target, is_loopback

__all__ = ["OnePeerListener", "Streams", "addresses_of"]

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_log = logging.getLogger("amctl.relay")


def addresses_of(host: str) -> tuple[str, ...]:
    """Return what to try for a host; loopback needs no resolver, hence no thread."""
    return ("127.0.0.1", "::1") if host.lower() == "localhost" else (host,)


class OnePeerListener:
    """Accepts one TCP peer; the port stays ours meanwhile, and further peers are hung up on.

    Many peers on one port need streams inside the WebSocket, which are another protocol.
    """

    def __init__(self) -> None:
        self.peer: asyncio.Future[Streams] = asyncio.get_running_loop().create_future()
        """Done when the peer is there."""
        self._server: asyncio.Server | None = None

    async def bind(self, target: Target) -> Target:
        """Bind and listen; return the address that was really bound.

        Raises:
            OSError: If the address can't be bound, or isn't one of loopback.
        """
        if not is_loopback(target.host):
            raise OSError(f"{target} isn't an address of loopback")
        host = addresses_of(target.host)[0]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._server = await asyncio.start_server(self._accept, host, target.port, family=family)
        address = self._server.sockets[0].getsockname()
        return Target(address[0], address[1])

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None or self.peer.done():
            _log.info("refused another TCP peer: the tunnel serves one at a time")
            writer.close()
        else:
            self.peer.set_result((reader, writer))

    def close(self) -> None:
        """Free the port. A peer that was accepted and not used is hung up on."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.peer.cancel()
