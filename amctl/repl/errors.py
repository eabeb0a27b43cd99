"""What the REPL raises.

ReplError             has a verdict and maybe a hint
  NothingRunsError    no address was found, or nothing answered (ConnectionError)
  NothingMatchedError machines answered, but none fits (LookupError)
    NothingPassedError of those that a pattern means, filters let none pass
  UsageError          a command line that can't be understood (ValueError)
    ScriptFileError   a script that can't be read
  UnreachableError    the machine that was meant is not connected (ConnectionError)
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

from amctl.repl.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "NothingMatchedError",
    "NothingPassedError",
    "NothingRunsError",
    "ReplError",
    "ScriptFileError",
    "UnreachableError",
    "UsageError",
    "at_prompt",
]

HOW_TO_START = "start something: amctl start --stay"
_OF_A_SHELL = ("amctl mach ", "amctl repl -- ")


def at_prompt(text: str) -> str:
    """A text that names commands as a shell takes them, as it has to be at the prompt."""
    for words in _OF_A_SHELL:
        text = text.replace(words, "")
    return text


class ReplError(Exception):
    """Base of the REPL's errors."""

    verdict: ClassVar[Verdict] = Verdict.FAILED

    @property
    def hint(self) -> str:
        """What to do about it; may be empty. Commands in it are a shell's."""
        return ""

    @property
    def hint_at_prompt(self) -> str:
        """The same with commands as they are typed at the prompt, and in scripts."""
        return at_prompt(self.hint)


class NothingRunsError(ReplError, ConnectionError):
    """There is no address, or nobody answered at any."""

    verdict = Verdict.UNREACHABLE

    def __init__(self, where: str, problem: str, hint: str = HOW_TO_START) -> None:
        super().__init__(where, problem, hint)
        self.where, self.problem, self._hint = where, problem, hint

    def __str__(self) -> str:
        what = "is running" if self._hint == HOW_TO_START else "can be reached"
        return f"nothing {what} at {self.where}: {self.problem}"

    @property
    def hint(self) -> str:
        """How to start something; or what to do if something runs, but lets nobody in."""
        return self._hint


class NothingMatchedError(ReplError, LookupError):
    """Machines answered, but the pattern or the filters fit none."""

    verdict = Verdict.NO_MATCH

    def __init__(self, what: str, known: Sequence[str]) -> None:
        super().__init__(what, known)
        self.what, self.known = what, known

    def __str__(self) -> str:
        return f"no machine matches {self.what!r}"

    @property
    def hint(self) -> str:
        """Something near, or how to see all."""
        close = get_close_matches(self.what, self.known, n=1)
        return f"did you mean {close[0]!r}?" if close else "list them: amctl mach list"


class NothingPassedError(NothingMatchedError):
    """There are machines, but filters let none of them pass."""

    def __init__(self) -> None:
        super().__init__("these filters", ())
        self.args = ()

    def __str__(self) -> str:
        return "no machine passes these filters"

    @property
    def hint(self) -> str:
        """What would let some pass."""
        return "leave some of them out"


class UsageError(ReplError, ValueError):
    """A command line can't be understood."""

    verdict = Verdict.USAGE

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem, hint)
        self.problem, self._hint = problem, hint

    def __str__(self) -> str:
        return self.problem

    @property
    def hint(self) -> str:
        """What would have been right."""
        return self._hint


class ScriptFileError(UsageError):
    """A script can't be read, or is no text."""

    verdict = Verdict.BAD_INPUT


class UnreachableError(ReplError, ConnectionError):
    """A machine that was meant is not connected."""

    verdict = Verdict.UNREACHABLE

    def __init__(self, mach_id: str, problem: str) -> None:
        super().__init__(mach_id, problem)
        self.mach_id, self.problem = mach_id, problem

    def __str__(self) -> str:
        return f"machine {self.mach_id!r} is not connected: {self.problem}"
