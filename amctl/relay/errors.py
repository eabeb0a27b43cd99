"""What can go wrong in the relay.

RelayError
├── PortInUseError (also OSError)    somebody else listens on our address
├── BindError (also OSError)         an address can't be listened on for another reason
├── TargetError (also ValueError)    a tunnel's path names no usable `host:port`
└── RefusedError                     a peer is turned away, with status, close code and reason
"""

from __future__ import annotations

__all__ = ["BindError", "PortInUseError", "RefusedError", "RelayError", "TargetError"]


class RelayError(Exception):
    """Base of everything the relay raises on purpose."""


class BindError(RelayError, OSError):
    """An address can't be listened on."""

    def __init__(self, host: str, port: int, why: str, hint: str = "") -> None:
        super().__init__(host, port, why, hint)
        self.host, self.port, self.why, self.hint = host, port, why, hint

    def __str__(self) -> str:
        return f"address {self.host}:{self.port} can't be listened on: {self.why}"


class PortInUseError(BindError):
    """Somebody else listens on the address that was asked for."""

    def __init__(self, host: str, port: int, hint: str = "") -> None:
        hint = hint or f"stop what listens on {host}:{port}, or choose another port (0 for any)"
        super().__init__(host, port, "it is in use", hint)
        self.args = (host, port, hint)  # so that copies and pickles rebuild it

    def __str__(self) -> str:
        return f"port {self.port} on {self.host} is in use"


class TargetError(RelayError, ValueError):
    """A tunnel's path names no usable `host:port`."""

    def __init__(self, target: str, why: str) -> None:
        super().__init__(target, why)
        self.target, self.why = target, why

    def __str__(self) -> str:
        return f"address {self.target!r} {self.why}"


class RefusedError(RelayError):
    """A peer is turned away.

    HTTP answers `status`. A WebSocket that has proven its token is accepted and closed with `code`
    at once, because browsers hide the status of a failed upgrade from scripts; one that hasn't gets
    `status`.
    """

    def __init__(self, status: int, reason: str, *, hint: str = "", code: int = 0) -> None:
        super().__init__(status, reason)
        self.status, self.reason, self.hint = status, reason, hint
        self.code = code or 4000 + status
        """WebSocket close code: 4000 plus the HTTP status unless told otherwise."""

    def __str__(self) -> str:
        return self.reason
