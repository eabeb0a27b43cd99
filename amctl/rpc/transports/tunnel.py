"""A tunnel over any connection: each of its channels is a `Connection` of its own."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from amctl.rpc._pump import Pump
from amctl.rpc.transports._callbacks import Callbacks
from amctl.rpc.wire.codes import Code
from amctl.rpc.wire.tunnel import Arrived, ChannelClosed, ChannelOpened, TunnelCore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.rpc.transports.base import Connection, OnData, OnLost, OnWritable
    from amctl.rpc.wire.events import Closed
    from amctl.rpc.wire.tunnel import TunnelEvent, TunnelLimits

__all__ = ["ChannelConnection", "Tunnel"]

_CLEAN = (1000, 1001)
_log = logging.getLogger("amctl.rpc.transports")


class ChannelConnection:
    """One channel of a tunnel. Made by `Tunnel.open`, or handed to the tunnel's `accept`.

    Until `start`, and while reading is paused, no more than a window of the channel arrives.
    """

    def __init__(self, tunnel: Tunnel, number: int, peer: str) -> None:
        self._tunnel, self._core, self._number, self._peer = tunnel, tunnel._core, number, peer
        self._callbacks = Callbacks()
        self._closed = self._started = self._paused = False
        self._owed = 0
        """Bytes that the reader was given, or will be, and that were not credited yet."""

    @property
    def peer(self) -> str:
        """Where the other end is, as the one who opened the channel says."""
        return self._peer

    @property
    def room(self) -> int:
        """Bytes to write before it isn't writable any more."""
        return 0 if self._closed else self._core.room(self._number)

    @property
    def writable(self) -> bool:
        """False while a window of bytes or more waits for its turn and for credit."""
        return self.room > 0

    @property
    def is_closed(self) -> bool:
        """True from `close` or the loss on."""
        return self._closed

    def start(self, on_data: OnData, on_lost: OnLost, on_writable: OnWritable) -> None:
        """See `Connection.start`."""
        self._callbacks.start(on_data, on_lost, on_writable)
        self._started = True
        self._credit()

    def pause_reading(self) -> None:
        """What arrives is handed over still, but the peer gets no more credit for it."""
        self._paused = True

    def resume_reading(self) -> None:
        """Go on after `pause_reading`: all that was handed over is dealt with."""
        self._paused = False
        self._credit()

    def write(self, data: bytes | memoryview) -> None:
        """See `Connection.write`."""
        if not self._closed:
            self._core.send(self._number, data)
            self._tunnel._kick()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Connection.close`; a peer that takes nothing gets 5 seconds, no reason is told."""
        if not self._closed:
            self._closed = True
            outcome = Code.OK if code in _CLEAN else Code.INTERNAL
            self._core.close(self._number, outcome, self._tunnel._loop.time())
            self._tunnel._kick()

    # -- told by the tunnel

    def _arrived(self, data: bytes) -> None:
        self._owed += len(data)
        try:
            self._callbacks.data(data)
        except Exception as error:  # logged already; it must not harm the other channels
            self._core.abort(self._number, Code.INTERNAL)
            self._tunnel._forget(self._number, error)
            return
        if self._started:
            self._credit()

    def _credit(self) -> None:
        if self._owed and self._started and not self._paused:
            owed, self._owed = self._owed, 0
            self._core.consumed(self._number, owed)
            self._tunnel._kick()

    def _drained(self) -> None:
        if not self._closed:
            self._callbacks.writable()

    def _ended(self, error: Exception | None) -> None:
        self._closed = True
        self._callbacks.lost(error)


class _Core(TunnelCore):
    """Says when pulling output made events."""

    on_output: Callable[[], None]

    def data_to_send(self, limit: int = 65536) -> bytes:
        data = super().data_to_send(limit)
        if self.drained or self._events:
            self.on_output()
        return data


class Tunnel:
    """One end of a tunnel on a connection, which belongs to it from now on. Call `start` once.

    It looks like a listener for whoever accepts its channels. With the connection all channels are
    lost.

    Args:
        conn: Not started.
        even: The channels that this end opens have even numbers: it is the relay's.
        accept: Gets the channels that the peer opens; without it they are refused.
        limits: Bounds.
    """

    host = "tunnel"
    port = 0

    def __init__(
        self,
        conn: Connection,
        *,
        even: bool,
        accept: Callable[[ChannelConnection], None] | None = None,
        limits: TunnelLimits | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._accept = accept
        self._core = _Core(even=even, now=self._loop.time(), limits=limits)
        self._core.on_output = self._output
        self._channels: dict[int, ChannelConnection] = {}
        self._pump = Pump(self._core, conn, self._on_events, self._lost)
        self._conn = conn
        self._looking = False
        self.on_closed: Callable[[], None] | None = None
        """Called once when the tunnel is over, after its channels were told."""
        self.error: Exception | None = None
        """What broke it."""

    def __len__(self) -> int:
        """How many channels are open here."""
        return len(self._channels)

    def __bool__(self) -> bool:
        return True

    @property
    def heard(self) -> bool:
        """Whether the peer has said anything."""
        return self._core.heard

    @property
    def is_closed(self) -> bool:
        """Whether it is over."""
        return self._pump.done

    def start(self) -> None:
        """Begin; asks the peer at once whether it is there, which shows both that all is well."""
        self._core.ping(self._loop.time())
        self._pump.start()

    def open(self, peer: str = "") -> ChannelConnection:
        """Open a channel.

        Args:
            peer: Who is behind it, for logs.

        Raises:
            TunnelFullError: If there are too many, or the tunnel is ending.
        """
        number = self._core.open(peer)
        channel = self._channels[number] = ChannelConnection(self, number, self._conn.peer)
        self._kick()
        return channel

    def close(self) -> None:
        """Take and open no more channels, and end once those that there are have ended.

        What is still open after 5 seconds is cut off.
        """
        self._core.leave(self._loop.time())
        self._kick()

    # -- inside

    def _kick(self) -> None:
        self._pump.kick()

    def _output(self) -> None:
        """Pulling output made events: look at them in a turn of their own."""
        if not self._looking:
            self._looking = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        self._looking = False
        drained, self._core.drained = self._core.drained, []
        for number in drained:
            if channel := self._channels.get(number):
                channel._drained()
        self._on_events(self._core.take_events())

    def _on_events(self, events: Sequence[TunnelEvent]) -> None:
        closed: Closed | None = None
        for event in events:
            if isinstance(event, Arrived):
                if channel := self._channels.get(event.channel):
                    channel._arrived(event.data)
            elif isinstance(event, ChannelClosed):
                self._forget(event.channel, _verdict(event.code))
            elif isinstance(event, ChannelOpened):
                self._opened(event)
            else:
                closed = event
        if closed is not None:
            self._ending(closed)

    def _opened(self, event: ChannelOpened) -> None:
        if self._accept is None:
            self._core.abort(event.channel, Code.UNSUPPORTED)
            return
        peer = event.peer or f"{self._conn.peer}, channel {event.channel}"
        channel = self._channels[event.channel] = ChannelConnection(self, event.channel, peer)
        self._accept(channel)

    def _forget(self, number: int, error: Exception | None) -> None:
        channel = self._channels.pop(number, None)
        if channel is not None:
            channel._ended(error)

    def _ending(self, closed: Closed) -> None:
        if closed.code != Code.OK:
            text = f"tunnel of {self._conn.peer} ended: {closed.text or _name(closed.code)}"
            _log.warning("%s", text)
            self.error = ConnectionResetError(text)
        self._pump.finish()

    def _lost(self, error: Exception | None) -> None:
        self.error = self.error or error
        why = self.error or ConnectionResetError("the tunnel ended")
        for number in list(self._channels):
            self._forget(number, why)
        told, self.on_closed = self.on_closed, None
        if told is not None:
            told()


def _name(code: int) -> str:
    return Code(code).name.lower() if code in list(Code) else f"code {code}"


def _verdict(code: int) -> Exception | None:
    """What a channel's end means for its reader."""
    return None if code == Code.OK else ConnectionResetError(f"channel was closed: {_name(code)}")
