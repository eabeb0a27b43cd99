"""One step of a transition, as data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ACTIVATE",
    "CALLED",
    "CANCEL",
    "DEACTIVATE",
    "DEACTIVATE_PASSIVE",
    "HANDLER",
    "RELATION",
    "Step",
]

RELATION, HANDLER, ACTIVATE, DEACTIVATE, DEACTIVATE_PASSIVE, CALLED, CANCEL = (
    1, 2, 4, 8, 16, 32, 64,
)  # fmt: skip
"""Types of steps, numbered as on the original's wire."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a transition, in the order in which they happened.

    States are indexes in the machine's state order; -1 is no state. A step with neither side is
    about the pseudo-state Any.
    """

    type: int
    """RELATION, HANDLER, ACTIVATE, DEACTIVATE, DEACTIVATE_PASSIVE, CALLED or CANCEL."""
    source: int = -1
    target: int = -1
    relation: int = 0
    """Of a RELATION: 0 after, 1 add, 2 require, 3 remove."""
    is_final: bool = False
    is_self: bool = False
    is_enter: bool = False
    data: str = ""
    """Text that came with it, e.g. a handler's name in old recordings."""
