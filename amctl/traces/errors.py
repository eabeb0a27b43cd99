"""What goes wrong with files of traces.

TracesError
├── TraceNotFoundError (FileNotFoundError)   there is no such file
├── TraceFormatError (ValueError)            it is no trace, or can't be read
├── UnknownTraceError (LookupError)          no such trace in it, or more than one
├── NoSpanError (LookupError)                the filters leave nothing
└── TraceOutputError (OSError)               what was made of it can't be written
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "NoSpanError",
    "TraceFormatError",
    "TraceNotFoundError",
    "TraceOutputError",
    "TracesError",
    "UnknownTraceError",
]

_NAMED = 4


class TracesError(Exception):
    """Base of them all."""

    hint = ""


class TraceNotFoundError(TracesError, FileNotFoundError):
    """There is no such file."""

    hint = "amctl start writes one into tmp/, unless --no-otel; or name a file or folder"

    def __init__(self, name: str, problem: str = "there is no such file") -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem

    def __str__(self) -> str:
        return f"traces {self.name}: {self.problem}"


class TraceFormatError(TracesError, ValueError):
    """A file that holds no trace, or can't be read."""

    hint = "what can be read: OTLP JSON (lines, or one object) and Jaeger's JSON, also gzipped"

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem

    def __str__(self) -> str:
        return f"traces {self.name}: {self.problem}"


class UnknownTraceError(TracesError, LookupError):
    """What was asked for names no trace of the file, or several.

    Args:
        name: Of the file.
        trace: What was asked for; empty for any.
        known: Ids of the file's traces, or of those that fit.
        fits: Whether `known` are those that fit.
    """

    def __init__(self, name: str, trace: str, known: Sequence[str], *, fits: bool = False) -> None:
        super().__init__(name, trace, known)
        self.name, self.trace, self.known, self.fits = name, trace, known, fits

    def __str__(self) -> str:
        if not self.trace:
            return f"traces {self.name}: there is no span in it"
        what = f"{len(self.known)} traces begin with" if self.fits else "no trace begins with"
        return f"traces {self.name}: {what} {self.trace!r:.80}"

    @property
    def hint(self) -> str:  # type: ignore[override]  # an error's own hint depends on what there is
        """Which ones there are."""
        if not self.known:
            return "a run writes it when it has begun; wait for it"
        if self.fits:
            return f"write more of it: {', '.join(self.known[:_NAMED])}"
        close = get_close_matches(self.trace, self.known, n=1, cutoff=0.8)
        return f"did you mean {close[0]}?" if close else "list them: amctl traces list"


class NoSpanError(TracesError, LookupError):
    """Nothing of a trace is left to show."""

    def __init__(self, trace: str, filters: str, hint: str = "") -> None:
        super().__init__(trace, filters, hint)
        self.trace, self.filters = trace, filters
        self.hint = hint or "leave a filter out"

    def __str__(self) -> str:
        of = f"trace {self.trace}: " if self.trace else ""
        return f"{of}no span fits {self.filters}"


class TraceOutputError(TracesError, OSError):
    """A file can't be written."""

    hint = "name another file with -o"

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path} can't be written: {self.problem}"
