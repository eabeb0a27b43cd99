"""The TCP side of a tunnel with channels: one port, and a channel for each peer that comes."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, cast

from amctl.relay.listener import addresses_of
from amctl.relay.security import Target, is_loopback
from amctl.rpc.wire.tunnel import TunnelFullError

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.rpc.transports.tunnel import ChannelConnection, Tunnel

__all__ = ["PeerListener"]

_PIECE = 16 << 10
_HIGH_WATER = 64 << 10
"""Bytes for a peer from which on its channel gets no more credit."""

_log = logging.getLogger("amctl.relay")


class PeerListener:
    """Accepts any number of TCP peers until it is closed, or its tunnel is.

    Args:
        tunnel: Gets a channel for each peer; one too many is hung up on.
        flush_timeout: Seconds for a peer to take what is left when its channel has ended.
        on_peers: Told how many peers there are, whenever that changes, and who came if one did.
    """

    def __init__(
        self, tunnel: Tunnel, flush_timeout: float, on_peers: Callable[[int, str], None]
    ) -> None:
        self.tunnel, self.flush_timeout, self._on_peers = tunnel, flush_timeout, on_peers
        self._server: asyncio.Server | None = None
        self._peers: set[_Peer] = set()

    async def bind(self, target: Target, kept: socket.socket | None = None) -> Target:
        """Bind and listen; return the address that was really bound.

        Args:
            target: The address that is wanted.
            kept: A socket that is bound to it already.

        Raises:
            OSError: If the address can't be bound, or isn't one of loopback.
        """
        if kept is not None:
            self._server = await self._listen_on(kept)
        elif not is_loopback(target.host):
            raise OSError(f"{target} isn't an address of loopback")
        else:
            host = addresses_of(target.host)[0]
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._server = await asyncio.get_running_loop().create_server(
                lambda: _Peer(self), host, target.port, family=family
            )
        address = self._server.sockets[0].getsockname()
        return Target(address[0], address[1])

    async def _listen_on(self, kept: socket.socket) -> asyncio.Server:
        try:
            return await asyncio.get_running_loop().create_server(lambda: _Peer(self), sock=kept)
        except BaseException:
            kept.close()
            raise

    def close(self) -> None:
        """Free the port. Peers are hung up on with the tunnel's end, not by this."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def came(self, peer: _Peer) -> None:
        """A peer has its channel."""
        self._peers.add(peer)
        self._on_peers(len(self._peers), peer.name)

    def left(self, peer: _Peer) -> None:
        """A peer is gone."""
        self._peers.discard(peer)
        self._on_peers(len(self._peers), "")


class _Peer(asyncio.BufferedProtocol):
    """One TCP peer and its channel.

    The socket is read piece by piece, into a buffer that is never bigger than what the channel
    takes, and not at all while that takes nothing: a peer who sends without end fills its own
    channel and then waits.
    """

    def __init__(self, listener: PeerListener) -> None:
        self._listener = listener
        self._buffer = bytearray(_PIECE)
        self._channel: ChannelConnection | None = None
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self._gone = False
        self.name = "tcp:?"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open a channel."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        address = transport.get_extra_info("peername")
        if address:
            self.name = str(Target(address[0], address[1]))
        try:
            channel = self._channel = self._listener.tunnel.open(self.name)
        except TunnelFullError as error:
            _log.warning("refused TCP peer %s: %s", self.name, error)
            self._transport.abort()
            return
        channel.start(self._transport.write, self._channel_lost, self._transport.resume_reading)
        self._listener.came(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Room for what the channel takes now."""
        room = self._channel.room if self._channel is not None else 0
        # a buffer can't be empty; what comes for a channel that has ended is dropped
        return memoryview(self._buffer)[: max(1, room)]

    def buffer_updated(self, nbytes: int) -> None:
        """Pass a piece on."""
        channel = self._channel
        if channel is not None:
            channel.write(memoryview(self._buffer)[:nbytes])
            if not channel.writable and not channel.is_closed:
                self._transport.pause_reading()

    def pause_writing(self) -> None:
        """The peer is slow to read: its channel brings no more."""
        if self._channel is not None:
            self._channel.pause_reading()

    def resume_writing(self) -> None:
        """The peer has read enough."""
        if self._channel is not None:
            self._channel.resume_reading()

    def eof_received(self) -> None:
        """The peer writes no more. A channel can't be closed by halves: it ends in order."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone: its channel ends after what it has sent."""
        self._gone = True
        if self._timer is not None:
            self._timer.cancel()
        if self._channel is not None:
            self._channel.close()
            self._listener.left(self)

    def _channel_lost(self, error: Exception | None) -> None:
        if self._gone:
            return
        self._transport.close()
        loop, patience = asyncio.get_running_loop(), self._listener.flush_timeout
        self._timer = loop.call_later(patience, self._transport.abort)
