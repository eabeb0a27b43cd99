"""Errors of the protocol core.

WireError
  ProtocolError     the peer broke a rule (internal: it ends the connection as a Closed event)
    DecodeError     ... by bytes that are no valid message
  EncodeError       the caller's value has no place on the wire (also a TypeError)
  Backpressure      too much is waiting already; nothing was queued
"""

from __future__ import annotations

from .codes import Code

__all__ = [
    "Backpressure",
    "DecodeError",
    "EncodeError",
    "OutOfTurnError",
    "ProtocolError",
    "WireError",
]


class WireError(Exception):
    """Base of everything that this package raises."""


class ProtocolError(WireError):
    """The connection can't go on; `code` tells the peer why."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(code, text)
        self.code, self.text = code, text

    def __str__(self) -> str:
        return f"{self.code.name.lower()}: {self.text}"


class DecodeError(ProtocolError):
    """Bytes that aren't the declared message."""

    def __init__(self, text: str) -> None:
        super().__init__(Code.PROTOCOL, text)
        self.args = (text,)


class EncodeError(WireError, TypeError):
    """A value that can't be sent: wrong type, nested too deep, integer out of 64 bits."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Backpressure(WireError):
    """The queue of waiting messages is full: try again when some were acknowledged."""

    def __init__(self, items: int, size: int) -> None:
        super().__init__(items, size)
        self.items, self.size = items, size

    def __str__(self) -> str:
        return f"send queue is full: {self.items} messages, {self.size} bytes"


class OutOfTurnError(WireError, RuntimeError):
    """The host answered a call out of order, or a note as if it were a call."""

    def __init__(self, wants: bool) -> None:
        super().__init__(wants)
        self.wants = wants

    def __str__(self) -> str:
        return f"the oldest unanswered message is no {'call' if self.wants else 'note'}"
