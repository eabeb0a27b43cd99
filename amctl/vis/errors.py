"""What can keep a picture from being drawn.

VisError
├── NoGraphvizError         `dot` isn't installed
├── RenderError             Graphviz failed, or wrote what can't be read
├── NothingToDrawError      the choice of machines leaves none
├── NothingRunsError        no run is there to be drawn
├── OutputError             a file can't be written
└── UnknownGroupError       a machine has no such group of states
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "NoGraphvizError",
    "NothingRunsError",
    "NothingToDrawError",
    "OutputError",
    "RenderError",
    "UnknownGroupError",
    "VisError",
]


_NONE_CHOSEN = "no machine is chosen"


class VisError(Exception):
    """Base of this room's errors."""

    @property
    def hint(self) -> str:
        """What to do about it; empty if there is nothing to say."""
        return ""


class NoGraphvizError(VisError, FileNotFoundError):
    """Graphviz, which lays the pictures out, isn't on PATH."""

    def __init__(self, program: str = "dot") -> None:
        super().__init__(program)
        self.program = program

    def __str__(self) -> str:
        return f"{self.program} (Graphviz) isn't installed"

    @property
    def hint(self) -> str:
        return "amctl setup installs it"


class RenderError(VisError, RuntimeError):
    """Graphviz ended without a picture."""

    def __init__(self, what: str, said: str = "") -> None:
        super().__init__(what, said)
        self.what, self.said = what, said

    def __str__(self) -> str:
        return f"{self.what}: {self.said}" if self.said else self.what

    @property
    def hint(self) -> str:
        return "--format dot writes what Graphviz was given"


class NothingToDrawError(VisError, LookupError):
    """No machine is left to draw."""

    def __init__(self, why: str = _NONE_CHOSEN) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"there is nothing to draw: {self.why}"

    @property
    def hint(self) -> str:
        if self.why != _NONE_CHOSEN:
            return ""
        return "widen it with --render-distance -1, or list the machines: amctl vis inspect-dump"


class NothingRunsError(VisError, LookupError):
    """There is no run, or it has ended."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"nothing runs here: {self.why}"

    @property
    def hint(self) -> str:
        return "amctl start starts a run; amctl vis render-dump draws the last one"


class OutputError(VisError, OSError):
    """A file can't be written."""

    def __init__(self, path: str, said: str) -> None:
        super().__init__(path, said)
        self.path, self.said = path, said

    def __str__(self) -> str:
        return f"can't write {self.path}: {self.said}"

    @property
    def hint(self) -> str:
        return "name another place with -o; -o - is stdout"


class UnknownGroupError(VisError, LookupError):
    """A machine's schema has no such group of states."""

    def __init__(self, machine: str, group: str, known: Sequence[str]) -> None:
        super().__init__(machine, group, known)
        self.machine, self.group, self.known = machine, group, known

    def __str__(self) -> str:
        return f"machine {self.machine!r} has no group {self.group!r}"

    @property
    def hint(self) -> str:
        if not self.known:
            return "its schema names no groups"
        close = get_close_matches(self.group, self.known, n=1)
        return f"did you mean {close[0]!r}?" if close else f"it has {', '.join(self.known)}"
