"""A tunnel: many byte streams, its channels, inside one. Sans-IO: bytes in, events out.

Both ends are the same but for the numbers of the channels that they open: even ones at the relay,
odd ones at the browser. A channel's bytes go out in turns, and only as far as its credit goes: what
the receiver's host has taken is credited again by CREDIT. So a channel whose reader is slow fills
its own window and holds nobody else back, and neither end keeps more than a window a channel and
direction.

    channel:  open -close-> closing -all sent, or too late-> gone
              open | closing -CLOSE | abort | credit overrun-> gone
    tunnel:   open -BYE | malformed frame | silence-> closed
              open -leave-> leaving -no channel left, or too late-> closed

Frames of channels that aren't there are dropped: CLOSE may have crossed them. A number is never
used twice, so they can't reach another channel.
"""

from __future__ import annotations

from collections import deque

from ._channel import Arrived, Channel, ChannelClosed, ChannelOpened, TunnelEvent, TunnelLimits
from .codec import decode, encode
from .codes import Code, Kind, is_terminal
from .errors import ProtocolError, WireError
from .events import Closed
from .framer import BYTES, Framer, frame, varint
from .limits import BYE_TEXT
from .link import bye
from .messages import ByeBody, OpenMeta

__all__ = [
    "SUBPROTOCOL",
    "Arrived",
    "ChannelClosed",
    "ChannelOpened",
    "TunnelCore",
    "TunnelEvent",
    "TunnelFullError",
    "TunnelLimits",
]

SUBPROTOCOL = "arpc-tunnel.1"
"""The WebSocket subprotocol of connections that carry these frames."""

_OPEN, _DATA, _CREDIT, _CLOSE = map(int, (Kind.OPEN, Kind.DATA, Kind.CREDIT, Kind.CLOSE))
_BYE, _PING, _ACK = int(Kind.BYE), int(Kind.PING), int(Kind.ACK)
_KINDS = frozenset((None, _OPEN, _DATA, _CREDIT, _CLOSE, _BYE, _PING, _ACK))
_NEVER = -1.0
_VARINT = 5
"""Bytes of a channel's number or of a credit, at most."""
_PEER = 100
"""Characters of a peer's name."""


class TunnelFullError(WireError):
    """No more channels may be opened now."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.channels = channels

    def __str__(self) -> str:
        return f"tunnel takes no more channels: {self.channels} are open"


class TunnelCore:
    """One end of a tunnel.

    Pull `data_to_send` when the transport can write; call `tick` at `next_timer`.

    Args:
        even: The channels we open have even numbers: we are the relay.
        now: The time, in seconds of any clock that never goes back.
        limits: Bounds.
    """

    def __init__(self, *, even: bool, now: float = 0.0, limits: TunnelLimits | None = None) -> None:
        self.lim = limits or TunnelLimits()
        self.closed = False
        """Finished: flush `data_to_send()`, then close the transport."""
        self.heard = False
        """Something arrived."""
        self.drained: list[int] = []
        """Channels whose queue fell below the window while output was pulled; for the host to
        take away."""
        self._channels: dict[int, Channel] = {}
        self._next = 2 if even else 1
        self._last = -1
        """Number of the newest channel that the peer opened."""
        self._turns: deque[Channel] = deque()
        """Channels with something to send and the credit for it."""
        self._closing: dict[int, Channel] = {}
        """In the order of their deadlines."""
        self._framer = Framer(self.lim.frame)
        self._ctl = bytearray()
        self._events: list[TunnelEvent] = []
        self._ack = False
        self._pinged, self._last_ping = _NEVER, now
        self._leaving = _NEVER

    def __len__(self) -> int:
        """How many channels there are."""
        return len(self._channels)

    def __bool__(self) -> bool:
        return True

    # ---- channels

    def open(self, peer: str = "") -> int:
        """Open a channel and return its number.

        Args:
            peer: Who is behind it; at most 100 characters are told.

        Raises:
            TunnelFullError: If there are as many as there may be, the tunnel is ending, or the peer
                doesn't even read of those that came and went.
        """
        full = len(self._channels) >= self.lim.channels or len(self._ctl) > self.lim.control
        if full or self.closed or self._leaving >= 0:
            raise TunnelFullError(len(self._channels))
        number, self._next = self._next, self._next + 2
        self._channels[number] = Channel(number, self.lim.window)
        meta = encode(OpenMeta(peer[:_PEER]))
        self._ctl += frame(_OPEN, varint(number), meta)
        return number

    def room(self, number: int) -> int:
        """How many bytes `send` should be given now; 0 for a channel that is closed."""
        channel = self._channels.get(number)
        if channel is None or channel.closing >= 0:
            return 0
        return max(0, self.lim.window - len(channel.out))

    def send(self, number: int, data: bytes | memoryview) -> None:
        """Queue bytes. More than `room` is taken too, so that no message needs to be cut by the
        caller; dropped if the channel is closed."""
        channel = self._channels.get(number)
        if channel is not None and channel.closing < 0 and data:
            channel.out += data
            if channel.credit and not channel.queued:
                channel.queued = True
                self._turns.append(channel)

    def consumed(self, number: int, size: int) -> None:
        """`size` bytes that arrived are dealt with: the peer may send as many again."""
        channel = self._channels.get(number)
        if channel is None or channel.closing >= 0:
            return
        channel.consumed += size
        if channel.consumed >= self.lim.window >> 1:
            self._ctl += frame(_CREDIT, varint(number), varint(channel.consumed))
            channel.granted += channel.consumed
            channel.consumed = 0

    def close(self, number: int, code: int = Code.OK, now: float = 0.0) -> None:
        """Send what is queued, then CLOSE; what arrives meanwhile is dropped.

        Aborted if that takes longer than `linger`. ChannelClosed tells when it is done.
        """
        channel = self._channels.get(number)
        if channel is None or channel.closing >= 0:
            return
        channel.closing, channel.due = int(code), now + self.lim.linger
        self._closing[number] = channel
        if not channel.queued and not channel.out:
            channel.queued = True
            self._turns.append(channel)

    def abort(self, number: int, code: int) -> None:
        """Close at once; what is queued is lost."""
        if self._drop(number) is not None:
            self._close_frame(number, code)

    def _drop(self, number: int) -> Channel | None:
        channel = self._channels.pop(number, None)
        if channel is not None:
            channel.out.clear()
            self._closing.pop(number, None)
        return channel

    def _close_frame(self, number: int, code: int) -> None:
        self._ctl += frame(_CLOSE, varint(number), BYTES[int(code)])

    # ---- out

    def data_to_send(self, limit: int = 65536) -> bytes:
        """Bytes for the transport, about `limit` at most; empty when there is nothing to send."""
        out, self._ctl = self._ctl, bytearray()
        if self.closed:
            return bytes(out)
        if self._ack:
            self._ack = False
            out += frame(_ACK)
        turns = self._turns
        while turns and len(out) < limit:
            self._turn(turns.popleft(), out)
        if self._leaving >= 0 and not self._channels:
            out += bye(Code.OK)
            self._finish(Code.OK, "")
        return bytes(out)

    def _turn(self, channel: Channel, out: bytearray) -> None:
        """Send a channel's next piece; it queues up again if it has more."""
        number, waiting = channel.number, channel.out
        if self._channels.get(number) is not channel:
            return  # dropped since it queued up
        size = min(self.lim.turn, channel.credit, len(waiting))
        if size:
            head = channel.head
            out += varint(len(head) + size)
            out += head
            channel.credit -= size
            window, had = self.lim.window, len(waiting)
            if size == had:
                out += waiting
                waiting.clear()
            else:
                out += memoryview(waiting)[:size]
                del waiting[:size]
            if had >= window > had - size:
                self.drained.append(number)
        if waiting:
            channel.queued = channel.credit > 0
            if channel.queued:
                self._turns.append(channel)
            return
        channel.queued = False
        if channel.closing >= 0:
            self._drop(number)
            out += frame(_CLOSE, varint(number), BYTES[channel.closing])
            self._events.append(ChannelClosed(number, channel.closing))

    # ---- in

    def receive_data(self, data: bytes, now: float) -> list[TunnelEvent]:
        """Take bytes from the transport, any number, cut anywhere."""
        if self.closed:
            return self.take_events()
        self.heard, self._pinged = True, _NEVER
        try:
            for one in self._framer.feed(data):
                self._frame(one)
                if self.closed:
                    break
            # who speaks another protocol is told so at once, not when its first "frame" is complete
            if self._framer.pending and self._framer.peek_kind() not in _KINDS:
                raise ProtocolError(Code.PROTOCOL, "not a tunnel")
        except ProtocolError as err:
            self._fail(err.code, err.text)
        except IndexError:
            self._fail(Code.PROTOCOL, "frame is too short")
        return self.take_events()

    def take_events(self) -> list[TunnelEvent]:
        """What happened since it was asked last; `receive_data` and `tick` return it, too."""
        events, self._events = self._events, []
        return events

    def _frame(self, one: bytes) -> None:
        kind = one[0]
        if _OPEN <= kind <= _CLOSE:
            number, at = one[1], 2
            if number > 127:
                number, at = _varint(one, 1)
            if kind == _OPEN:
                self._on_open(number, memoryview(one)[at:])
            elif (channel := self._channels.get(number)) is not None:
                self._on_channel(kind, channel, one, at)
        elif kind == _PING:
            self._no_more(one, 1)
            self._ack = True
        elif kind == _ACK:
            self._no_more(one, 1)
        elif kind == _BYE:
            body = decode(memoryview(one)[1:], ByeBody)
            self._finish(body.code, body.text[:BYE_TEXT])
        else:
            raise ProtocolError(Code.PROTOCOL, f"unexpected frame of kind {kind}")

    def _on_channel(self, kind: int, channel: Channel, one: bytes, at: int) -> None:
        if kind == _DATA:
            size = len(one) - at
            if not size:
                raise ProtocolError(Code.PROTOCOL, "empty piece of a channel")
            channel.granted -= size
            if channel.granted < 0:
                self.abort(channel.number, Code.OVERLOADED)
                self._events.append(ChannelClosed(channel.number, int(Code.OVERLOADED)))
            elif channel.closing < 0:
                self._events.append(Arrived(channel.number, one[at:]))
        elif kind == _CREDIT:
            size, at = _varint(one, at)
            self._no_more(one, at)
            channel.credit += size
            if channel.credit > self.lim.window:
                raise ProtocolError(Code.PROTOCOL, "credit beyond the window")
            if channel.out and channel.credit and not channel.queued:
                channel.queued = True
                self._turns.append(channel)
        else:
            code = one[at]
            self._no_more(one, at + 1)
            self._drop(channel.number)
            self._events.append(ChannelClosed(channel.number, code))

    def _on_open(self, number: int, body: memoryview) -> None:
        meta = decode(body, OpenMeta)
        if number & 1 == self._next & 1 or number <= self._last:
            raise ProtocolError(Code.PROTOCOL, f"channel {number} can't be opened")
        self._last = number
        full = len(self._channels) >= self.lim.channels
        if full or self._leaving >= 0:
            self._close_frame(number, Code.OVERLOADED if full else Code.AWAY)
            if len(self._ctl) > self.lim.control:
                raise ProtocolError(Code.OVERLOADED, "too many channels asked for")
            return
        self._channels[number] = Channel(number, self.lim.window)
        self._events.append(ChannelOpened(number, meta.peer[:_PEER]))

    def _no_more(self, one: bytes, at: int) -> None:
        if len(one) != at:
            raise ProtocolError(Code.PROTOCOL, "frame is too long")

    # ---- ends

    def leave(self, now: float) -> None:
        """Open and take no more channels; BYE follows once the last one is gone, or too late."""
        if not self.closed and self._leaving < 0:
            self._leaving = now + self.lim.linger

    def _fail(self, code: Code, text: str) -> None:
        """A finding of our own ends the tunnel: say why."""
        self._ctl = bytearray(bye(code, text))
        self._finish(code, text)

    def _finish(self, code: int, text: str) -> None:
        if not self.closed:
            self.closed = True
            self._forget()
            self._events.append(Closed(int(code), text, not is_terminal(code)))

    def _forget(self) -> None:
        for channel in self._channels.values():
            channel.out.clear()
        self._channels.clear()
        self._closing.clear()
        self._turns.clear()
        self._framer = Framer(self.lim.frame)

    def connection_lost(self, now: float) -> list[TunnelEvent]:
        """The transport is gone, and all channels with it."""
        self.closed = True
        self._forget()
        return self.take_events()

    # ---- time

    def ping(self, now: float) -> None:
        """Ask whether the peer is there."""
        if not self.closed:
            self._pinged = self._last_ping = now
            self._ctl += frame(_PING)

    def next_timer(self) -> float | None:
        """When `tick` must be called next; None: never, as things stand."""
        if self.closed:
            return None
        due = self._liveness_due()
        for channel in self._closing.values():
            due = min(due, channel.due)
            break
        return due if self._leaving < 0 else min(due, self._leaving)

    def _liveness_due(self) -> float:
        if self._pinged < 0:
            return self._last_ping + self.lim.ping
        return self._pinged + self.lim.pong

    def tick(self, now: float) -> list[TunnelEvent]:
        """Let time pass; call it at `next_timer()`, then pull output."""
        if self.closed:
            return self.take_events()
        for number in [n for n, channel in self._closing.items() if channel.due <= now]:
            self.abort(number, self._closing[number].closing or Code.TIMEOUT)
            self._events.append(ChannelClosed(number, int(Code.TIMEOUT)))
        if 0 <= self._leaving <= now:
            self._fail(Code.OK, "")
            return self.take_events()
        due = self._liveness_due()
        # a timer this late means that we slept, not the peer: ask it first, judge later
        slept = now > due + self.lim.ping
        if now >= due and self._pinged >= 0 and not slept:
            self._fail(Code.TIMEOUT, "no answer to ping")
        elif now >= due:
            self.ping(now)
        return self.take_events()

    def memory(self) -> int:
        """Bytes of streams and frames that this end holds."""
        queued = sum(len(channel.out) for channel in self._channels.values())
        return queued + self._framer.pending + len(self._ctl)


def _varint(one: bytes, at: int) -> tuple[int, int]:
    """A LEB128 number and where it ends.

    Raises:
        ProtocolError: If it is longer than any that is sent.
        IndexError: If it is cut off.
    """
    value = 0
    for i in range(_VARINT):
        byte = one[at + i]
        value |= (byte & 127) << 7 * i
        if byte < 128:
            return value, at + i + 1
    raise ProtocolError(Code.PROTOCOL, "number is too long")
