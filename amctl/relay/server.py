"""uvicorn inside the caller's loop: no signal handlers, no threads, no polling, a quick stop.

Everything that touches uvicorn's insides is in this file and `protocols.py`; its version is pinned
for that.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from typing import TYPE_CHECKING

from uvicorn import Config, Server

from amctl.relay.errors import BindError, PortInUseError
from amctl.relay.listener import addresses_of
from amctl.relay.protocols import http_protocol, websocket_protocol

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from amctl.relay.limits import Limits

__all__ = ["HttpServer", "bind"]

_BACKLOG = 256
_log = logging.getLogger("amctl.relay")


def bind(host: str, port: int) -> socket.socket:
    """Bind and listen, so that a taken port is known before anything else has begun.

    Raises:
        PortInUseError: If somebody else listens there.
        BindError: If the address can't be bound for another reason.
    """
    address = addresses_of(host)[0]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address, port))
        found.listen(_BACKLOG)
        found.setblocking(False)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(host, port) from error
        hint = "ports below 1024 need root" if error.errno == errno.EACCES else ""
        raise BindError(host, port, error.strerror or str(error), hint) from error
    except BaseException:
        found.close()
        raise
    return found


class HttpServer:
    """Serves one ASGI application on one socket."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        limits: Limits,
        clock: Callable[[], float],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._listener, self._limits, self._tls = listener, limits, tls
        config = Config(
            app,
            loop="none",
            http=http_protocol(limits),
            ws=websocket_protocol(clock),
            ws_max_size=limits.message,
            ws_ping_interval=limits.ping_interval,
            ws_ping_timeout=limits.ping_timeout,
            ws_per_message_deflate=False,
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=_BACKLOG,
            h11_max_incomplete_event_size=limits.headers,
        )
        self._server = Server(config)

    async def start(self) -> None:
        """Begin to accept. Unlike `Server.serve` this returns at once and leaves signals alone."""
        config = self._server.config
        config.load()
        config.ssl = self._tls  # uvicorn would make one of file names
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[self._listener])

    def close_listener(self) -> None:
        """Accept nobody any more."""
        for server in self._server.servers:
            server.close()

    async def stop(self, patience: float) -> None:
        """End what still runs: idle connections at once, busy ones within `patience` seconds.

        Returns:
            When every connection is closed and no task of a request is left.
        """
        state = self._server.server_state
        self.close_listener()
        for connection in list(state.connections):
            connection.shutdown()
        await _until_done(set(state.tasks), patience / 3)
        for connection in list(state.connections):
            # closing sends what is buffered and tells the application that its peer is gone
            connection.transport.close()
        await _until_done(set(state.tasks), patience / 3)
        for connection in list(state.connections):
            connection.transport.abort()
        for task in state.tasks:
            task.cancel()
        await _until_done(set(state.tasks), patience / 3)
        if state.tasks:
            _log.warning("%d requests ignore that the relay stops", len(state.tasks))
        await asyncio.sleep(0)  # lets the transports call connection_lost


async def _until_done(tasks: set[asyncio.Task[None]], patience: float) -> None:
    if tasks:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait(tasks, timeout=patience)
