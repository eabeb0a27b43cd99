"""What asking why may raise, beyond what the REPL raises anyway.

NothingMatchedError
  NoSuchMachineError  no machine in reach, and no mirror of one, has that id
  NoSuchStateError    the machine has no such state
"""

from __future__ import annotations

from difflib import get_close_matches
from shlex import quote
from typing import TYPE_CHECKING

from amctl.repl.errors import NothingMatchedError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NoSuchMachineError", "NoSuchStateError"]


_OF_PATTERNS = "*?[,:!"


class NoSuchMachineError(NothingMatchedError):
    """An id that nobody in reach knows, or that a recording doesn't hold."""

    def __init__(self, mach_id: str, known: Sequence[str], where: str = "") -> None:
        super().__init__(mach_id, known)
        self.args = (mach_id, known, where)
        self.where = where

    def __str__(self) -> str:
        if self.where:
            return f"the {self.where} holds no machine {self.what!r}"
        return f"no machine {self.what!r} is in reach"

    @property
    def hint(self) -> str:
        """Something near, or how to see all."""
        close = get_close_matches(self.what, self.known, n=1)
        if any(mark in self.what for mark in _OF_PATTERNS):
            which = "" if self.where else f"; see which: amctl mach list {quote(self.what)}"
            return f"name one machine, no pattern{which}"
        if close:
            return f"did you mean {close[0]!r}?"
        return "list them: amctl dump list" if self.where else "list them: amctl mach list"


class NoSuchStateError(NothingMatchedError):
    """A state that the machine lacks."""

    def __init__(self, mach_id: str, state: str, known: Sequence[str]) -> None:
        super().__init__(state, known)
        self.args = (mach_id, state, known)
        self.mach_id = mach_id

    def __str__(self) -> str:
        return f"machine {self.mach_id!r} has no state {self.what!r}"

    @property
    def hint(self) -> str:
        """Something near, or how to see all."""
        close = get_close_matches(self.what, self.known, n=1)
        inspect = f"list them: amctl mach inspect {self.mach_id}"
        return f"did you mean {close[0]!r}?" if close else inspect
