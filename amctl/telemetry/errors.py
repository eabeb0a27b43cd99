"""What can go wrong when a run is told.

TelemetryError
├── UnknownNodeError (LookupError)
└── RoundOrderError (ValueError)
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RoundOrderError", "TelemetryError", "UnknownNodeError"]


class TelemetryError(Exception):
    """Base of this package's errors."""


class UnknownNodeError(TelemetryError, LookupError):
    """A moment names a node that the DAG does not have."""

    def __init__(self, node: str, known: Iterable[str]) -> None:
        super().__init__(node, known)
        self.node, self.known = node, tuple(known)

    def __str__(self) -> str:
        return f"the run has no node {self.node!r}"

    @property
    def hint(self) -> str:
        """The nearest id, or all of them."""
        close = get_close_matches(self.node, self.known, n=1)
        return f"did you mean {close[0]!r}?" if close else f"it has: {', '.join(self.known)}"


class RoundOrderError(TelemetryError, ValueError):
    """A round's number does not grow."""

    def __init__(self, number: int, last: int) -> None:
        super().__init__(number, last)
        self.number, self.last = number, last

    def __str__(self) -> str:
        return f"round {self.number} can not follow round {self.last}"
