"""What went over the connections of one client, one server or one mux."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Traffic"]


@dataclass(slots=True)
class Traffic:
    """Counters that only grow, over all connections one after another.

    Bytes are those of the protocol: what a transport puts around them (WebSocket heads, TLS) is not
    in them.
    """

    sent: int = 0
    """Bytes written."""
    received: int = 0
    """Bytes read."""
    connections: int = 0
    """Connections so far, refused ones included."""

    @property
    def total(self) -> int:
        """Bytes both ways."""
        return self.sent + self.received
