"""Which of a machine's states come from the standard sets (vis.md 3.3)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SETS", "inherited"]

_BASIC = frozenset(
    ("Exception", "ErrNetwork", "ErrHandlerTimeout", "Start", "Ready", "Healthcheck", "Heartbeat")
)
_RPC = ("ErrNetworkTimeout", "ErrRpc", "ErrDelivery", "HandshakeDone", "Handshaking", "ErrOnClient")

SETS: dict[str, frozenset[str]] = {
    "Basic": _BASIC,
    "Disposed": frozenset(("Exception", "RegisterDisposal", "Disposing", "Disposed")),
    "Connected": frozenset(
        (
            "Exception",
            "ErrConnecting",
            "Connecting",
            "Connected",
            "Disconnecting",
            "Disconnected",
        )
    ),
    "Rpc": _BASIC | frozenset(_RPC),
}
"""Name -> states. A machine inherits a set only if it has all of it."""


def inherited(names: Iterable[str]) -> frozenset[str]:
    """The states among `names` that the machine did not define itself; Exception always."""
    return _inherited(frozenset(names))


@lru_cache(maxsize=256)
def _inherited(names: frozenset[str]) -> frozenset[str]:
    whole = (one for one in SETS.values() if one <= names)
    return frozenset(("Exception",)).intersection(names).union(*whole)
