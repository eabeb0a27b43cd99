"""What is wrong with a playbook, and where.

PlaybookError         several problems, each with its place (ValueError)
NothingLeftError      what was asked for leaves nothing to do (NothingMatchedError)
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from amctl.repl.errors import NothingMatchedError, ReplError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["NothingLeftError", "Place", "PlaybookError", "Problem", "near"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands; line and column count from 1, and are 0 for a whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    place: Place
    text: str
    hint: str = ""
    source: str = ""
    """The line of the file, if there is one."""

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class PlaybookError(ReplError, ValueError):
    """A playbook that can't be run; nothing of it was."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        more = len(self.problems) - 1
        return f"{self.problems[0]}" + (f" (and {more} more)" if more else "")

    @property
    def hint(self) -> str:
        """What to do about the first one."""
        return self.problems[0].hint


class NothingLeftError(NothingMatchedError):
    """Tags or a limit leave no task, or no machine, of all there are."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem, ())
        self.args = (problem, hint)
        self._hint = hint

    def __str__(self) -> str:
        return self.what

    @property
    def hint(self) -> str:
        """What there is."""
        return self._hint


def near(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint: the known word that is most like `word`, or else something to do."""
    close = get_close_matches(word, [*known], n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise
