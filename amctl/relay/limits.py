"""Numbers that cap what peers may do, and rules on whom they may reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re

__all__ = ["Limits", "Policy"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps of one relay. Sizes are bytes, times are seconds."""

    message: int = 4 * 1024 * 1024
    """Longest WebSocket message taken in; a longer one closes its connection with code 1009."""
    body: int = 1024 * 1024
    """Longest HTTP request body."""
    headers: int = 16 * 1024
    """Longest request head."""
    connections: int = 256
    """TCP connections at the front door, whatever they carry; the next one gets 503."""
    per_address: int = 64
    """... of one address that isn't of loopback, so that one peer alone can't fill the house."""
    tunnels: int = 128
    """WebSockets of tunnels and dials together; the next one gets close code 1013."""
    buffer: int = 1024 * 1024
    """Bytes held for one peer before the other side is asked to wait."""
    comeback: float = 30.0
    """How long port and address file of a tunnel with channels are kept for a thread that went."""
    head_timeout: float = 10.0
    """How long a peer may take to send a request, its body included, however it drips."""
    read_timeout: float = 60.0
    """How long a peer may take to read a full buffer of what it asked for."""
    dial_timeout: float = 5.0
    """How long a dial's TCP connection may take."""
    flush_timeout: float = 2.0
    """How long a leaving tunnel may take to hand over what it holds."""
    ping_interval: float = 5.0
    """Time between WebSocket pings."""
    ping_timeout: float = 5.0
    """A ping that isn't answered for so long is missed: the connection is dead."""
    stop_timeout: float = 0.6
    """How long stop() waits for peers before it cuts them off."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom peers may reach, and from where they may come."""

    hosts: tuple[str, ...] = ()
    """More `host:port` values of the Host header, for port forwards and proxies."""
    origins: tuple[str, ...] = ()
    """More origins (`http://host:port`) whose pages may talk to us."""
    dial: tuple[str, ...] = ()
    """Dial targets beside loopback: `host:port`, or `host:*` for every port."""
    forced: bool = False
    """Listen beyond loopback without TLS, too: the network there is a safe one."""
    tunnel_ids: re.Pattern[str] | None = field(default=None)
    """Ids that may get a TCP port.

    None: every id if the relay has no matchers, else those of REPLs (`repl-*`).
    """
