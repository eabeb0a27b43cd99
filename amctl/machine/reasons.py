"""Why a transition was refused, as data: the one object that logs, dumps and errors print."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Reason"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a transition was canceled."""

    kind: str
    """`require`, `remove`, `veto`, `error`, `timeout`, `relations` (no single one is to blame)."""
    state: str = ""
    """The called (or target) state that could not be."""
    by: tuple[str, ...] = ()
    """The missing required states; the states whose Remove blocks it."""
    handler: str = ""
    """The handler that vetoed or failed."""
    binding: str = ""
    """The binding of that handler."""
    text: str = ""
    """An error's text."""
