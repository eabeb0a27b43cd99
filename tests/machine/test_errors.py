"""What the engine raises: the tree, texts and hints."""

from __future__ import annotations

import re

import pytest

from amctl.machine import errors
from amctl.machine.errors import (
    ArgsError,
    DisposedError,
    ForeignThreadError,
    HandlerNameError,
    HandlerResultError,
    HandlerTimeoutError,
    MachineError,
    NestedEvalError,
    UnknownStateError,
    WaitTimeoutError,
)


def test_the_docstring_draws_the_tree() -> None:
    """Each line's indentation is the class's depth below MachineError."""
    drawn = {}
    for line in (errors.__doc__ or "").splitlines():
        if found := re.fullmatch(r"([ |`-]*)(\w+Error)(?: \((\w+)\))?", line):
            drawn[found[2]] = ((len(found[1]) - 4) // 3, found[3])
    assert sorted(drawn) == sorted(errors.__all__)
    for name, (depth, builtin) in drawn.items():
        kind = getattr(errors, name)
        ours = [c for c in kind.__mro__ if issubclass(c, MachineError)]
        assert len(ours) - 1 == depth, name
        assert builtin is None or builtin in {c.__name__ for c in kind.__mro__}, name


@pytest.mark.parametrize(
    ("error", "text", "hint"),
    [
        (
            UnknownStateError("m", ["Redy"], ["Ready", "Start"]),
            "machine 'm' has no state 'Redy'",
            "did you mean 'Ready'?",
        ),
        (
            UnknownStateError("m", ["Xyz", "Abc"], ["Ready"]),
            "machine 'm' has no states 'Xyz', 'Abc'",
            "list them: amctl mach inspect m",
        ),
        (
            HandlerNameError("m", "ReadyStat", ["Ready"]),
            "machine 'm' has no state for handler 'ReadyStat'",
            "did you mean 'ReadyState'?",
        ),
        (
            HandlerNameError("m", "HuckGoo", ["Huck", "Goof"]),
            "machine 'm' has no state for handler 'HuckGoo'",
            "did you mean 'HuckGoof'?",
        ),
        (
            HandlerNameError("m", "Zzz", ["Ready"]),
            "machine 'm' has no state for handler 'Zzz'",
            "name it FooEnter, FooState, FooExit or FooEnd; helpers start with a small letter",
        ),
        (ArgsError("AWork", "size", "can't be 'x'"),
         "arguments 'AWork': field 'size' can't be 'x'", ""),
        (HandlerResultError("AEnter", 3),
         "handler 'AEnter' answered 3, which is neither a bool nor None", ""),
        (HandlerTimeoutError("AState", "main", 0.5),
         "handler 'AState' of binding 'main' took longer than 0.5 s", ""),
        (WaitTimeoutError("when", 2.0, ["A", "B"]), "when took longer than 2 s, missing A B", ""),
        (WaitTimeoutError("when_queue", 2.0), "when_queue took longer than 2 s", ""),
        (ForeignThreadError("m"), "machine 'm' belongs to another thread", "use post_threadsafe"),
        (NestedEvalError("m", "repl"),
         "machine 'm': eval 'repl' inside of a running transition", ""),
        (DisposedError("m"), "machine 'm' is disposed of", ""),
    ],
)  # fmt: skip
def test_texts_and_hints(error: MachineError, text: str, hint: str) -> None:
    assert str(error) == text
    assert error.hint == hint


def test_errors_keep_their_parts() -> None:
    unknown = UnknownStateError("m", ["A", "B"], ["C"])
    assert (unknown.mach_id, unknown.state, unknown.states) == ("m", "A", ("A", "B"))
    assert isinstance(unknown, LookupError)
    late = WaitTimeoutError("when", 1.0, ["A"])
    assert (late.what, late.timeout, late.missing) == ("when", 1.0, ("A",))
    assert isinstance(late, TimeoutError)
