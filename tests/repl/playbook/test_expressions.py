"""Conditions: what they may hold, what they come to, and where they are wrong."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.repl.playbook.expressions import Expression, Used
from amctl.repl.playbook.templates import UNKNOWN, BadTemplateError


class Seen:
    """Two states, and some variables."""

    variables: dict[str, Any] = {  # noqa: RUF012  # of one test module
        "go": {"result": "executed", "changed": True},
        "env": "ci",
        "n": 3,
        "u": UNKNOWN,
        "both": {"u": UNKNOWN},
    }
    ticks = {"Ready": 3, "Working": 2}  # noqa: RUF012

    def get(self, name: str) -> Any:
        return self.variables[name] if name in self.variables else self.active(name)

    def active(self, state: str) -> Any:
        return self.ticks[state] % 2 == 1

    def tick(self, state: str) -> Any:
        return self.ticks[state]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Ready", True),
        ("Ready and not Working", True),
        ("Working or n == 3", True),
        ("not Ready or Working", False),
        ("go.result == 'executed' and go.changed", True),
        ("go['result'] != 'executed'", False),
        ("env in ['test', 'ci']", True),
        ("env not in ('test', 'ci')", False),
        ("1 < n <= 3", True),
        ("1 < n < 3", False),
        ("n > -1", True),
        ("n == 3.0", True),
        ("tick(Ready) >= 3", True),
        ("tick('Working') == 2", True),
        ("active('Ready') and inactive(Working)", True),
        ("true and not false", True),
        ("go.result == null or go.result == None", False),
        ("  Ready ", True),
        ("'a' < 'b'", True),
        ("u", UNKNOWN),
        ("not u", UNKNOWN),
        ("u and Working", False),
        ("u and Ready", UNKNOWN),
        ("u or Ready", True),
        ("u or Working", UNKNOWN),
        ("u == 3", UNKNOWN),
        ("u.result == 3", UNKNOWN),
        ("n in [1, u]", UNKNOWN),
        ("1 < n < u", UNKNOWN),
        ("4 < n < u", False),
        ("both.u", UNKNOWN),
    ],
)
def test_what_a_condition_comes_to(text: str, value: Any) -> None:
    found = Expression(text).value(Seen())
    assert found is value


@pytest.mark.parametrize(
    ("text", "problem", "offset"),
    [
        ("Ready and (", "can't be read: '(' was never closed", 10),
        ("1 + n == 3", "can't hold this (BinOp)", 0),
        ("Ready and n ** 9", "can't hold this (BinOp)", 10),
        ("__import__('os')", "only active(S), inactive(S) and tick(S)", 0),
        ("go.result.upper()", "only active(S)", 0),
        ("tick(n + 1)", "tick() takes the name of a state", 5),
        ("tick()", "only active(S)", 0),
        ("tick(S, 1)", "only active(S)", 0),
        ("active(s=1)", "only active(S)", 0),
        ("[x for x in env]", "can't hold this (ListComp)", 0),
        ("lambda: 1", "can't hold this (Lambda)", 0),
        ("n if Ready else 1", "can't hold this (IfExp)", 0),
        ("(n := 3)", "can't hold this (NamedExpr)", 1),
        ("f'{n}'", "can't hold this (JoinedStr)", 0),
        ("n is 3", "compare by ==", 0),
        ("b'x' == n", "can't hold this (Constant)", 0),
        ("go[n]", "can't hold this (Subscript)", 0),
        ("n; n", "can't be read", 1),
        ("", "can't be read", 0),
        ("{{ n }} == 3", "names variables without braces", 0),
        ("(" * 300 + "n" + ")" * 300, "can't be read", 200),
        ("n" * 1001, "at most 1000 characters", 0),
        ("a\0b", "can't be read", None),
    ],
)
def test_what_it_may_not_hold(text: str, problem: str, offset: int | None) -> None:
    with pytest.raises(BadTemplateError) as caught:
        Expression(text)
    assert problem in str(caught.value)
    if offset is not None:
        assert caught.value.offset == offset


@pytest.mark.parametrize("text", ["3 is n", "1or n", r"n == '\d'"])
def test_what_the_parser_warns_of_is_refused(text: str, recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(BadTemplateError):
        Expression(text)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("text", "problem", "offset"),
    [
        ("Ready and Redy", "'Redy' is neither a variable nor a state", 10),
        ("tick(Redy) > 1", "there is no state 'Redy'", 5),
        ("inactive('Redy')", "there is no state 'Redy'", 9),
        ("go.nope", "has no 'nope'", 0),
        ("n.x == 1", "3 has no 'x'", 0),
        ("go.result.__class__", "'executed' has no '__class__'", 0),
        ("go[1]", "has no 1", 0),
        ("n < 'a'", "3 and 'a' can't be compared so", 0),
        ("1 in n", "can't be compared so", 0),
    ],
)
def test_what_goes_wrong_with_values(text: str, problem: str, offset: int) -> None:
    with pytest.raises(BadTemplateError) as caught:
        Expression(text).value(Seen())
    assert problem in str(caught.value)
    assert caught.value.offset == offset


def test_the_names_that_it_asks_for() -> None:
    found = [*Expression("Ready and go.x == 'y' or tick(Work) > 1 and true").names()]
    assert found == [Used("Ready", 0, False), Used("go", 10, False), Used("Work", 30, True)]


@given(st.text(alphabet="Rn u()[]'.<>=andortick12,-+*", max_size=30))
def test_whatever_stands_there_is_a_value_or_a_told_problem(text: str) -> None:
    with contextlib.suppress(BadTemplateError):
        Expression(text).value(Seen())
