"""What can go wrong when a run is told, or recorded.

TelemetryError
├── UnknownNodeError (LookupError)
├── RoundOrderError (ValueError)
├── DbgWireError (ValueError)
└── DbgEncodeError (ValueError)
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "DbgEncodeError",
    "DbgWireError",
    "RoundOrderError",
    "TelemetryError",
    "UnknownNodeError",
]


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


class DbgWireError(TelemetryError, ValueError):
    """Bytes that are no debug stream."""

    def __init__(self, problem: str, offset: int) -> None:
        super().__init__(problem, offset)
        self.problem, self.offset = problem, offset

    def __str__(self) -> str:
        return f"debug stream at byte {self.offset}: {self.problem}"


class DbgEncodeError(TelemetryError, ValueError):
    """A message that can't be sent to a collector."""

    def __init__(self, machine_id: str, problem: str) -> None:
        super().__init__(machine_id, problem)
        self.machine_id, self.problem = machine_id, problem

    def __str__(self) -> str:
        return f"message of machine {self.machine_id!r} can't be sent: {self.problem}"
