"""What a tunnel is made of: its bounds, its events, and what each channel remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .codes import Kind
from .events import Closed
from .framer import BYTES, varint

__all__ = ["Arrived", "Channel", "ChannelClosed", "ChannelOpened", "TunnelEvent", "TunnelLimits"]


@dataclass(frozen=True, slots=True)
class TunnelLimits:
    """Sizes in bytes, times in seconds; both ends of version 1 are meant to use the defaults."""

    window: int = 64 << 10
    """Credit of a channel in one direction."""
    channels: int = 64
    """Channels at a time, whoever opened them."""
    turn: int = 8 << 10
    """Bytes of one channel before the next one has its turn."""
    frame: int = 128 << 10
    """Bytes of a frame: so much that overrunning a credit by far still ends its channel only."""
    control: int = 64 << 10
    """Bytes of control frames that wait for a peer who reads nothing and asks for more of them."""
    linger: float = 5.0
    """How long a channel, or the tunnel, may take to send what it holds once it is closed."""
    ping: float = 10.0
    pong: float = 5.0


class ChannelOpened(NamedTuple):
    """The peer opened a channel."""

    channel: int
    peer: str
    """Who is behind it, a claim for logs."""


class Arrived(NamedTuple):
    """A piece of a channel's stream; tell `consumed` once it is out of your hands."""

    channel: int
    data: bytes


class ChannelClosed(NamedTuple):
    """A channel is gone: the peer closed it or broke a rule, or a `close` of our own is through.
    `abort`, and the end of the tunnel, make no such event."""

    channel: int
    code: int


TunnelEvent = ChannelOpened | Arrived | ChannelClosed | Closed


class Channel:
    """One stream, both directions."""

    __slots__ = (
        "closing",
        "consumed",
        "credit",
        "due",
        "granted",
        "head",
        "number",
        "out",
        "queued",
    )

    def __init__(self, number: int, window: int) -> None:
        self.number = number
        self.head = BYTES[Kind.DATA] + varint(number)
        """What each piece begins with, after its length."""
        self.credit = window
        """Bytes that we may still send."""
        self.granted = window
        """Bytes that the peer may still send."""
        self.consumed = 0
        """Bytes taken by our host and not credited yet."""
        self.out = bytearray()
        self.queued = False
        """It is among those that wait for a turn."""
        self.closing = -1
        """Code of the CLOSE that follows what waits; -1 while it is open."""
        self.due = -1.0
        """When a closing channel is aborted."""
