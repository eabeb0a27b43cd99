"""A WebSocket path that leads to one TCP peer of the server's own: bytes in, bytes out.

For parts of a run that listen on TCP and that browser threads need to reach. Whoever mounts the
route decides where it leads; peers can't choose. The relay's guard stands before it as before all
routes.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from starlette.routing import WebSocketRoute

from amctl.relay.bridge import ConnectionEnd, StreamEnd, bridge
from amctl.relay.connection import WebSocketConnection
from amctl.relay.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.websockets import WebSocket

    from amctl.relay.listener import Streams

__all__ = ["Forward"]

_TRY_LATER = 1013
_log = logging.getLogger("amctl.relay")


class Forward:
    """Carries each WebSocket at one path to a TCP connection of its own.

    Args:
        path: Where `route` is mounted.
        connect: Makes the TCP connection, or raises OSError: then the peer is told to try later.
        limits: Buffer and times; the relay's defaults if None.
        most: More WebSockets at once are told to try later.
    """

    def __init__(
        self,
        path: str,
        connect: Callable[[], Awaitable[Streams]],
        *,
        limits: Limits | None = None,
        most: int = 64,
    ) -> None:
        self._connect, self._limits, self._most = connect, limits or Limits(), most
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.route = WebSocketRoute(path, self._serve)

    async def until_idle(self) -> None:
        """Wait until nobody is connected. Cancelling the wait is safe."""
        await self._idle.wait()

    async def _serve(self, socket: WebSocket) -> None:
        if self._open >= self._most:
            await _refuse(socket, "too many connections, try again later")
            return
        self._open += 1
        self._idle.clear()
        try:
            await self._carry(socket)
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def _carry(self, socket: WebSocket) -> None:
        limits = self._limits
        try:
            async with asyncio.timeout(limits.dial_timeout):
                streams = await self._connect_for(socket)
        except OSError as error:  # TimeoutError is one
            _log.info("%s leads nowhere now: %s", socket.scope["path"], error)
            await _refuse(socket, "nobody is there now, try again later")
            return
        if streams is None:
            return
        near = WebSocketConnection(socket, limit=limits.buffer, flush_timeout=limits.flush_timeout)
        end = ConnectionEnd(near, limits.buffer)
        async with asyncio.TaskGroup() as group:
            group.create_task(near.run())
            await bridge(end, StreamEnd(*streams, limits.flush_timeout))
            near.close()

    async def _connect_for(self, socket: WebSocket) -> Streams | None:
        """The TCP connection; None if the peer, or the relay, does not want to wait for it."""
        await socket.receive()  # that it wants to connect; what comes next is that it is gone
        gone = asyncio.ensure_future(socket.receive())
        dial = asyncio.ensure_future(self._connect())
        try:
            await asyncio.wait({gone, dial}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done() and dial.done():
                dial.result()[1].close()
            return None if gone.done() else dial.result()
        finally:
            gone.cancel()
            dial.cancel()
            await asyncio.wait({gone, dial})


async def _refuse(socket: WebSocket, why: str) -> None:
    await socket.accept()
    await socket.close(_TRY_LATER, why)
