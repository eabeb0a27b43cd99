"""What can be wrong with what a graph is asked for.

GraphError
    MachUrlError (ValueError)             no `mach://` address, or a bad part of one
        MomentError                       no moment
    ListingError (ValueError)             no listing of a graph, or a bad line of one
    UnknownStateError (LookupError)       names of states that no machine has
    UnknownMomentError (LookupError)      a state that a machine doesn't have, or that never came
    PatternError (ValueError)             a pattern of machines that can't be read
    UnknownMachineError (LookupError)     an id that the graph doesn't hold
        NothingMatchedError               a pattern that fits no machine
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "GraphError",
    "ListingError",
    "MachUrlError",
    "MomentError",
    "NothingMatchedError",
    "PatternError",
    "UnknownMachineError",
    "UnknownMomentError",
    "UnknownStateError",
]


class GraphError(Exception):
    """Base of this room's errors."""

    @property
    def hint(self) -> str:
        """What to do about it; empty if there is nothing to say."""
        return ""


class MachUrlError(GraphError, ValueError):
    """A text isn't an address of a machine."""

    def __init__(self, text: str, problem: str, near: str = "") -> None:
        super().__init__(text, problem, near)
        self.text, self.problem, self.near = text, problem, near

    def __str__(self) -> str:
        return f"address {self.text!r:.200}: {self.problem}"

    @property
    def hint(self) -> str:
        """The nearest known word, or how addresses look."""
        if self.near:
            return f"did you mean {self.near!r}?"
        return "mach://MACHINE[/TX[/STEP]][?t=MACHINETIME&q=QUEUETICK&ht=2024-07-22T13:29:30Z]"


class MomentError(MachUrlError):
    """A text names no moment in any of the ways to."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "it is none")

    def __str__(self) -> str:
        return f"moment {self.text!r:.200}: it is no address, no time, and no state of a machine"

    @property
    def hint(self) -> str:
        """How moments look."""
        return "mach://MACHINE/TX, a time like 2024-07-22T13:29:30Z, MACHINE:STATE, or end"


class ListingError(GraphError, ValueError):
    """A text isn't a listing as `inspect-dump` writes it."""

    def __init__(self, line: int, problem: str, seen: str) -> None:
        super().__init__(line, problem, seen)
        self.line, self.problem, self.seen = line, problem, seen

    def __str__(self) -> str:
        return f"listing, line {self.line}: {self.problem}: {self.seen!r:.80}"


class PatternError(GraphError, ValueError):
    """A regular expression in a pattern is none."""

    def __init__(self, pattern: str, problem: str) -> None:
        super().__init__(pattern, problem)
        self.pattern, self.problem = pattern, problem

    def __str__(self) -> str:
        return f"pattern {self.pattern!r:.200}: {self.problem}"


class UnknownMachineError(GraphError, LookupError):
    """The graph holds no such machine."""

    def __init__(self, machine: str, known: Iterable[str]) -> None:
        self.machine, self.known = machine, tuple(known)
        super().__init__(machine, self.known)

    def __str__(self) -> str:
        return f"there is no machine {self.machine!r} among the {len(self.known)}"

    @property
    def hint(self) -> str:
        """Near matches, or how to see them all."""
        close = get_close_matches(self.machine, self.known, n=3, cutoff=0.5)
        if close:
            return f"did you mean {', '.join(close)}?"
        return "list them: amctl vis inspect-dump --json"


class NothingMatchedError(UnknownMachineError):
    """A pattern fits none of the machines."""

    def __str__(self) -> str:
        return f"no machine matches {self.machine!r}, of {len(self.known)}"


class UnknownStateError(GraphError, LookupError):
    """No machine has a state of any of these names."""

    def __init__(self, states: Iterable[str], known: Iterable[str]) -> None:
        self.states, self.known = tuple(states), tuple(known)
        super().__init__(self.states, self.known)

    def __str__(self) -> str:
        return f"no machine has a state {' or '.join(map(repr, self.states))}"

    @property
    def hint(self) -> str:
        """Near matches."""
        close = [near for one in self.states for near in get_close_matches(one, self.known, n=2)]
        return f"did you mean {', '.join(close)}?" if close else ""


class UnknownMomentError(GraphError, LookupError):
    """A machine has no such state, or the state was never active."""

    def __init__(self, machine: str, state: str, known: Iterable[str]) -> None:
        self.machine, self.state, self.known = machine, state, tuple(known)
        super().__init__(machine, state, self.known)

    def __str__(self) -> str:
        if self.state in self.known:
            return f"{self.machine}: {self.state} was never active"
        return f"machine {self.machine!r} has no state {self.state!r}"

    @property
    def hint(self) -> str:
        """Near matches."""
        if self.state in self.known:
            return ""
        close = get_close_matches(self.state, self.known, n=3)
        return f"did you mean {', '.join(close)}?" if close else ""
