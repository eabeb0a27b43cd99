"""HTTP and WebSocket front door: static files, tunnels, dials, mounted routes. Knows no tool."""

from __future__ import annotations

from amctl.relay.errors import BindError, PortInUseError, RefusedError, RelayError, TargetError
from amctl.relay.guard import Guard
from amctl.relay.limits import Limits, Policy
from amctl.relay.matcher import Matcher
from amctl.relay.relay import Relay

__all__ = [
    "BindError",
    "Guard",
    "Limits",
    "Matcher",
    "Policy",
    "PortInUseError",
    "RefusedError",
    "Relay",
    "RelayError",
    "TargetError",
]
