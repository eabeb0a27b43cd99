"""What is said of an expression that is none."""

from __future__ import annotations

from amctl.debugger.errors import DebuggerError, PredicateError, UnknownStateError


def test_an_expression_is_shown_with_the_place() -> None:
    error = PredicateError("A &", 3, "a state is missing")
    assert str(error) == "expression 'A &': a state is missing, at character 4"
    assert error.hint
    assert isinstance(error, DebuggerError)


def test_an_unknown_name_has_its_neighbours() -> None:
    error = UnknownStateError("state", "Redy", "machine 'a'", ["Ready", "Start"])
    assert str(error) == "machine 'a' has no state 'Redy'"
    assert error.hint == "did you mean Ready?"
    assert UnknownStateError("state", "x", "machine 'a'", []).hint == ""
