"""What a command answers: a verdict, lines for people, one value for programs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Outcome", "Verdict", "worst"]


class Verdict(StrEnum):
    """How a command ended; the command line makes an exit code of it."""

    DONE = "done"
    """Done, or the condition is true."""
    FAILED = "failed"
    USAGE = "usage"
    BAD_INPUT = "bad input"
    """A file that was named can't be read, or isn't what it should be."""
    NO_MATCH = "no match"
    UNREACHABLE = "unreachable"
    CANCELED = "canceled"
    """Relations or a handler refused; of a question: no."""
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"


_GRAVITY = (
    Verdict.INTERRUPTED,
    Verdict.USAGE,
    Verdict.BAD_INPUT,
    Verdict.UNREACHABLE,
    Verdict.FAILED,
    Verdict.TIMED_OUT,
    Verdict.CANCELED,
    Verdict.NO_MATCH,
    Verdict.DONE,
)


def worst(*verdicts: Verdict) -> Verdict:
    """The gravest of several verdicts; DONE if there are none."""
    return min(verdicts, key=_GRAVITY.index, default=Verdict.DONE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of one command."""

    verdict: Verdict = Verdict.DONE
    lines: tuple[str, ...] = ()
    """For stdout, without the REPL's `=> `."""
    data: Any = None
    """The same as plain JSON; an empty list where nothing is listed."""
    problems: tuple[str, ...] = ()
    """For stderr: what went wrong, one line each."""
    hint: str = ""
    """What to do about it."""

    @property
    def ok(self) -> bool:
        """Whether it is what was asked for."""
        return self.verdict is Verdict.DONE
