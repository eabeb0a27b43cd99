"""Every bound of the protocol in one place."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ASK_TEXT",
    "BYE_TEXT",
    "DEFAULT_LIMITS",
    "ID_CHARS",
    "ID_LENGTH",
    "MAX_DEPTH",
    "Limits",
    "valid_id",
]

BYE_TEXT = 200
"""Characters of a BYE's or an error reply's text."""
ASK_TEXT = 1000
"""Characters of the text that refuses a question: it names what was wrong, and what would do."""
ID_LENGTH = 64
ID_CHARS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
MAX_DEPTH = 32
"""Levels of lists and maps in a value; the decoder refuses more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds; both ends of version 1 are meant to use the defaults."""

    hello: int = 16 << 10
    """Bytes of a frame before the peer is known."""
    frame: int = 1 << 20
    """Bytes of a frame after that."""
    chunk: int = 16 << 10
    """Bytes of a PART's piece."""
    message: int = 16 << 20
    """Bytes of a whole message, all its PARTs together."""
    window_bytes: int = 256 << 10
    """Numbered bytes sent and not acknowledged; above, bulk messages wait."""
    window_frames: int = 1024
    """Numbered frames sent and not acknowledged; also calls unanswered."""
    queue_bytes: int = 32 << 20
    """Bytes of messages waiting to be sent; above, the caller gets Backpressure."""
    queue_items: int = 4096
    answers: int = 2 << 20
    """Bytes of replies that a client may leave unread; above, its questions are refused."""
    steps: int = 1024
    """Waiting diffs of the per-mutation mode; above, they collapse into one."""
    schemas: int = 16
    """Name lists kept since the client's last mark."""
    subscriptions: int = 1024
    trace: int = 512
    """Bytes of a trace context; a longer one isn't sent, and isn't accepted."""
    ack_frames: int = 32
    ack_delay: float = 1.0
    hello_timeout: float = 3.0
    ping: float = 10.0
    """Silence of our own after which we ask whether the peer is there."""
    pong: float = 5.0
    """How long the peer may be silent after a ping."""
    resume: float = 120.0
    """How long a session outlives its connection."""
    sessions: int = 256
    resyncs: int = 5
    """Resyncs in a row without one good diff between; one more ends the connection."""


DEFAULT_LIMITS = Limits()


def valid_id(text: str) -> bool:
    """Whether `text` may be a client id."""
    return 0 < len(text) <= ID_LENGTH and ID_CHARS.issuperset(text)
