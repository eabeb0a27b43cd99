"""What the engine raises.

    MachineError
    |- SchemaError (ValueError)
    |  |- UnknownStateError (LookupError)
    |  `- HandlerNameError
    |- ArgsError (TypeError)
    |- WaitTimeoutError (TimeoutError)
    `- NestedEvalError

Raised for a caller's mistake. What goes wrong inside of handlers becomes the state Exception.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ArgsError",
    "HandlerNameError",
    "MachineError",
    "NestedEvalError",
    "SchemaError",
    "UnknownStateError",
    "WaitTimeoutError",
]


class MachineError(Exception):
    """Base of everything the engine raises."""

    @property
    def hint(self) -> str:
        """What to do next; empty when there is nothing to say."""
        return ""


class SchemaError(MachineError, ValueError):
    """The schema contradicts itself, or a call contradicts the schema."""


class UnknownStateError(SchemaError, LookupError):
    """State names which the machine's schema lacks."""

    def __init__(self, mach_id: str, states: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(mach_id, states, known)
        self.mach_id, self.states, self.known = mach_id, tuple(states), tuple(known)

    def __str__(self) -> str:
        what = "state" if len(self.states) == 1 else "states"
        return f"machine {self.mach_id!r} has no {what} {', '.join(map(repr, self.states))}"

    @property
    def hint(self) -> str:
        close = get_close_matches(self.states[0], self.known, n=1)
        return f"did you mean {close[0]!r}?" if close else "known: " + " ".join(self.known)


class HandlerNameError(SchemaError):
    """A handler whose name fits no state of the machine."""

    def __init__(self, mach_id: str, name: str, fitting: Sequence[str]) -> None:
        super().__init__(mach_id, name, fitting)
        self.mach_id, self.name, self.fitting = mach_id, name, tuple(fitting)

    def __str__(self) -> str:
        return f"machine {self.mach_id!r} has no state for handler {self.name!r}"

    @property
    def hint(self) -> str:
        close = get_close_matches(self.name, self.fitting, n=1)
        if close:
            return f"did you mean {close[0]!r}?"
        return "name it after a state and a phase, as FooState, or start it with a small letter"


class ArgsError(MachineError, TypeError):
    """Arguments that do not fit their declaration."""

    def __init__(self, args: str, field: str, problem: str) -> None:
        super().__init__(args, field, problem)
        self.args_name, self.field, self.problem = args, field, problem

    def __str__(self) -> str:
        return f"arguments {self.args_name!r}: field {self.field!r} {self.problem}"


class WaitTimeoutError(MachineError, TimeoutError):
    """A wait ran out of time."""

    def __init__(self, what: str, timeout: float, missing: Sequence[str] = ()) -> None:
        super().__init__(what, timeout, missing)
        self.what, self.timeout, self.missing = what, timeout, tuple(missing)

    def __str__(self) -> str:
        left = f", missing {' '.join(self.missing)}" if self.missing else ""
        return f"{self.what} took longer than {self.timeout:g} s{left}"


class NestedEvalError(MachineError, RuntimeError):
    """A blocking eval was asked for inside of a handler, where it could never run."""
