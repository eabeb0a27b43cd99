"""What the engine raises.

    MachineError
    |- SchemaError (ValueError)
    |  `- UnknownStateError (LookupError)
    |- BindError (ValueError)
    |  `- HandlerNameError
    |- ArgsError (TypeError)
    |- HandlerResultError (TypeError)
    |- HandlerTimeoutError (TimeoutError)
    |- WaitTimeoutError (TimeoutError)
    |- ForeignThreadError (RuntimeError)
    |- NestedEvalError (RuntimeError)
    |- DisposedError (RuntimeError)
    `- RemoteError

Raised for a caller's mistake. What goes wrong inside of handlers becomes the state Exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ArgsError",
    "BindError",
    "DisposedError",
    "ForeignThreadError",
    "HandlerNameError",
    "HandlerResultError",
    "HandlerTimeoutError",
    "MachineError",
    "NestedEvalError",
    "RemoteError",
    "SchemaError",
    "UnknownStateError",
    "WaitTimeoutError",
]


def _closest(word: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # heavy, and needed for mistakes only

    return next(iter(get_close_matches(word, known, n=1)), "")


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

    @property
    def state(self) -> str:
        """The first unknown name."""
        return self.states[0]

    def __str__(self) -> str:
        what = "state" if len(self.states) == 1 else "states"
        return f"machine {self.mach_id!r} has no {what} {', '.join(map(repr, self.states))}"

    @property
    def hint(self) -> str:
        close = _closest(self.state, self.known)
        return (
            f"did you mean {close!r}?" if close else f"list them: amctl mach inspect {self.mach_id}"
        )


class BindError(MachineError, ValueError):
    """Handlers or a tracer that can't be bound, or aren't."""


class HandlerNameError(BindError):
    """A handler whose name fits no state of the machine."""

    def __init__(self, mach_id: str, name: str, states: Sequence[str]) -> None:
        super().__init__(mach_id, name, states)
        self.mach_id, self.name, self.states = mach_id, name, tuple(states)

    def __str__(self) -> str:
        return f"machine {self.mach_id!r} has no state for handler {self.name!r}"

    @property
    def hint(self) -> str:
        fitting = [s + p for s in self.states for p in ("Enter", "State", "Exit", "End")]
        close = _closest(self.name, [*fitting, "AnyEnter", "AnyState"])
        if not close:
            close = _closest(self.name, [a + b for a in self.states for b in self.states])
        if close:
            return f"did you mean {close!r}?"
        return "name it FooEnter, FooState, FooExit or FooEnd; helpers start with a small letter"


class ArgsError(MachineError, TypeError):
    """Arguments that do not fit their declaration.

    Args:
        args: The type, or what should have been one.
        field: Empty if it is about the type itself.
        problem: What is wrong, with the value.
        advice: What there is instead.
        near: A word, and those that it might have been.
    """

    def __init__(
        self,
        args: str,
        field: str,
        problem: str,
        advice: str = "",
        near: tuple[str, Sequence[str]] = ("", ()),
    ) -> None:
        super().__init__(args, field, problem)
        self.args_name, self.field, self.problem = args, field, problem
        self._advice, self._near = advice, near

    def __str__(self) -> str:
        if not self.field:
            return f"arguments {self.args_name!r} {self.problem}"
        return f"arguments {self.args_name!r}: field {self.field!r} {self.problem}"

    @property
    def hint(self) -> str:
        close = _closest(*self._near)
        return f"did you mean {close!r}?" if close else self._advice


class HandlerResultError(MachineError, TypeError):
    """A negotiation handler answered neither with a bool nor with None."""

    def __init__(self, name: str, answer: object) -> None:
        super().__init__(name, answer)
        self.name, self.answer = name, answer

    def __str__(self) -> str:
        return (
            f"handler {self.name!r} answered {self.answer!r:.60}, which is neither a bool nor None"
        )


class HandlerTimeoutError(MachineError, TimeoutError):
    """A handler ran too long: it held up its loop, or did not heed its cancellation."""

    def __init__(self, name: str, binding: str, limit: float) -> None:
        super().__init__(name, binding, limit)
        self.name, self.binding, self.limit = name, binding, limit

    def __str__(self) -> str:
        return (
            f"handler {self.name!r} of binding {self.binding!r} took longer than {self.limit:g} s"
        )


class WaitTimeoutError(MachineError, TimeoutError):
    """A wait ran out of time; `missing` lists the states that it still waited for."""

    def __init__(self, what: str, timeout: float, missing: Sequence[str] = ()) -> None:
        super().__init__(what, timeout, missing)
        self.what, self.timeout, self.missing = what, timeout, tuple(missing)

    def __str__(self) -> str:
        left = f", missing {' '.join(self.missing)}" if self.missing else ""
        return f"{self.what} took longer than {self.timeout:g} s{left}"


class ForeignThreadError(MachineError, RuntimeError):
    """A machine was mutated from another thread than its own; `post_threadsafe` is the door."""

    def __init__(self, mach_id: str) -> None:
        super().__init__(mach_id)
        self.mach_id = mach_id

    def __str__(self) -> str:
        return f"machine {self.mach_id!r} belongs to another thread"

    @property
    def hint(self) -> str:
        return "use post_threadsafe"


class NestedEvalError(MachineError, RuntimeError):
    """An eval was asked for inside of a handler or of another eval."""

    def __init__(self, mach_id: str, source: str) -> None:
        super().__init__(mach_id, source)
        self.mach_id, self.source = mach_id, source

    def __str__(self) -> str:
        return f"machine {self.mach_id!r}: eval {self.source!r} inside of a running transition"


class DisposedError(MachineError, RuntimeError):
    """The machine is disposed of."""

    def __init__(self, mach_id: str) -> None:
        super().__init__(mach_id)
        self.mach_id = mach_id

    def __str__(self) -> str:
        return f"machine {self.mach_id!r} is disposed of"


class RemoteError(MachineError):
    """An error of another process, known by its text."""
