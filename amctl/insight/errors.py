"""What can keep a look into a program from showing something.

InsightError
├── NoEntryError            the program has no such module to begin with
├── NotImportedError        nothing in the program imports what was asked for
├── NoGraphvizError         `dot` isn't installed
├── BadProfileError         what a thread told of itself doesn't hold together
├── NotPermittedError       another process may not be looked into
└── RenderError             Graphviz failed
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "BadProfileError",
    "InsightError",
    "NoEntryError",
    "NoGraphvizError",
    "NotImportedError",
    "NotPermittedError",
    "RenderError",
]


class InsightError(Exception):
    """Base of this room's errors."""

    @property
    def hint(self) -> str:
        """What to do about it; empty if there is nothing to say."""
        return ""


class BadProfileError(InsightError, ValueError):
    """A profile can't be read."""

    def __init__(self, target: str, problem: str) -> None:
        super().__init__(target, problem)
        self.target, self.problem = target, problem

    def __str__(self) -> str:
        return f"the profile of {self.target} can't be read: {self.problem}"


class NotPermittedError(InsightError, PermissionError):
    """Another process may not be looked into, or can't."""

    def __init__(self, target: str, problem: str) -> None:
        super().__init__(target, problem)
        self.target, self.problem = target, problem

    def __str__(self) -> str:
        return f"py-spy can't look into {self.target}: {self.problem}"

    @property
    def hint(self) -> str:
        """The other way."""
        return "sample inside of the process: --how signal; or run as root"


class NoEntryError(InsightError, ModuleNotFoundError):
    """The module that a program begins with can't be found below the project."""

    def __init__(self, target: str, module: str) -> None:
        super().__init__(target, module)
        self.target, self.module = target, module

    def __str__(self) -> str:
        return f"{self.target}: its entry {self.module!r} isn't a module of this project"

    @property
    def hint(self) -> str:
        return "see NODES_PACKAGE in config.env"


class NotImportedError(InsightError, LookupError):
    """A program imports no such module or package."""

    def __init__(self, target: str, name: str, known: Collection[str]) -> None:
        super().__init__(target, name, known)
        self.target, self.name, self.known = target, name, known

    def __str__(self) -> str:
        return f"{self.target} imports no {self.name!r}"

    @property
    def hint(self) -> str:
        close = get_close_matches(self.name, sorted(self.known), n=1)
        if close:
            return f"did you mean {close[0]!r}?"
        return f"list them: amctl deps list {self.target} --modules"


class NoGraphvizError(InsightError, FileNotFoundError):
    """Graphviz, which lays the graph out, isn't on PATH."""

    def __init__(self, program: str = "dot") -> None:
        super().__init__(program)
        self.program = program

    def __str__(self) -> str:
        return f"{self.program} (Graphviz) isn't installed"

    @property
    def hint(self) -> str:
        return "amctl setup installs it; --format dot and --format mermaid need none"


class RenderError(InsightError, RuntimeError):
    """Graphviz ended without a picture."""

    def __init__(self, what: str, said: str = "") -> None:
        super().__init__(what, said)
        self.what, self.said = what, said

    def __str__(self) -> str:
        return f"{self.what}: {self.said}" if self.said else self.what

    @property
    def hint(self) -> str:
        return "--format dot writes what Graphviz was given"
