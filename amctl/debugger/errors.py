"""What a person can get wrong in front of a debugger. Damage of a recording is no error here.

DebuggerError
    PredicateError (ValueError)        no expression over states; says where
    UnknownStateError (LookupError)    the recording knows no such state, or no such machine
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["DebuggerError", "PredicateError", "UnknownStateError"]


class DebuggerError(Exception):
    """Base of them all."""

    hint = ""


class PredicateError(DebuggerError, ValueError):
    """A text is no expression over states."""

    hint = "like: Working & !Failed, Ready:>3, (A | B) & worker1.Ready"

    def __init__(self, text: str, at: int, problem: str) -> None:
        super().__init__(text, at, problem)
        self.text, self.at, self.problem = text, at, problem

    def __str__(self) -> str:
        return f"expression {self.text!r:.200}: {self.problem}, at character {self.at + 1}"


class UnknownStateError(DebuggerError, LookupError):
    """An expression names what the recording doesn't know."""

    def __init__(self, what: str, name: str, where: str, known: Collection[str]) -> None:
        super().__init__(what, name, where, known)
        self.what, self.name, self.where, self.known = what, name, where, tuple(known)

    def __str__(self) -> str:
        return f"{self.where} has no {self.what} {self.name!r:.200}"

    @property
    def hint(self) -> str:  # type: ignore[override]  # an error's own hint depends on what there is
        """Near matches."""
        close = get_close_matches(self.name, self.known, n=3)
        return f"did you mean {', '.join(close)}?" if close else ""
