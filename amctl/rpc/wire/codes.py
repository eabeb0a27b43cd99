"""The numbers of the protocol: frame kinds, operations, outcome codes."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["TERMINAL_BELOW", "VERSION", "Code", "Kind", "Op", "is_terminal"]

VERSION = 1
TERMINAL_BELOW = 32


class Kind(IntEnum):
    """What a frame is.

    1-15 belong to one connection, 16-31 are numbered and belong to the session (they survive a
    reconnect), 32 and up are the tunnel's.
    """

    HELLO = 1
    WELCOME = 2
    BYE = 3
    PING = 4
    ACK = 5
    CLOCK = 8
    DIFF = 9
    STEP = 10
    RESYNC = 11
    CALL = 16
    NOTE = 17
    REPLY = 18
    PAYLOAD = 19
    FIRED = 20
    PART = 21
    OPEN = 32
    DATA = 33
    CREDIT = 34
    CLOSE = 35


class Op(IntEnum):
    """What a CALL or NOTE asks for."""

    ADD = 0
    REMOVE = 1
    SET = 2
    TOGGLE = 3
    NOP = 4
    """Nothing: its reply brings the mirror up to date (`sync`)."""
    SUBSCRIBE = 5
    """Tell me once when a state becomes active with certain arguments."""
    UNSUBSCRIBE = 6
    MARK = 7
    """From here on my indexes are those of the schema with this generation."""
    BATCH = 8
    """Several mutations, run back to back."""
    ASK = 9
    """A question (`amctl.rpc.asking`): its arguments are a map with the question under `q`, its
    reply carries JSON text. Not in a batch."""


class Code(IntEnum):
    """Why a connection ended or a call failed; below 32 it is of no use to try again."""

    OK = 0
    PROTOCOL = 1
    VERSION = 2
    AUTH = 3
    DENIED = 4
    TOO_BIG = 5
    REPLACED = 6
    STOPPED = 7
    STATE = 8
    ARGS = 9
    UNSUPPORTED = 10
    BUSY = 32
    AWAY = 33
    OVERLOADED = 34
    TIMEOUT = 35
    GAP = 36
    INTERNAL = 37
    STALE = 38
    UNKNOWN_OUTCOME = 64
    """The session is gone: what was sent may or may not have run."""
    SESSION_LOST = 65
    """The session is gone, and this was never sent: it did not run."""


def is_terminal(code: int) -> bool:
    """Whether `code` ends the session for good; unknown codes follow their range."""
    return code < TERMINAL_BELOW
