"""Variables in texts."""

from __future__ import annotations

from typing import Any

import pytest

from amctl.repl.playbook.templates import (
    UNKNOWN,
    BadTemplateError,
    NotKnownError,
    names_in,
    render,
)
from amctl.repl.playbook.variables import Scope

SCOPE = Scope({}, {"a": "x", "n": 3, "l": [1, "b"], "m": {"k": {"d": 7}}, "t": True, "u": UNKNOWN})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ a }}", "x"),
        ("{{n}}", 3),
        (" {{ l }} ", [1, "b"]),
        ("{{ n }}s", "3s"),
        ("{{ a }}-{{ n }}-{{ t }}", "x-3-true"),
        ("{{ m.k.d }}", 7),
        ("{{ l.1 }}", "b"),
        ("of {{ m }}", 'of {"k": {"d": 7}}'),
        ("{ a }", "{ a }"),
        ("", ""),
    ],
)
def test_a_lone_variable_keeps_its_type_and_others_are_written_out(text: str, value: Any) -> None:
    assert render(text, SCOPE) == value


@pytest.mark.parametrize(
    ("text", "problem", "offset"),
    [
        ("x {{ nope }}", "undefined variable 'nope'", 5),
        ("{{ m.x }}", "'m' has no 'x'", 3),
        ("{{ l.9 }}", "'l' has no '9'", 3),
        ("{{ a + 1 }}", "holds no plain name", 0),
        ("{{ a | upper }}", "holds no plain name", 0),
        ("{{ a() }}", "holds no plain name", 0),
        ("{{ a.__class__ }}", "'a' has no '__class__'", 3),
        ("{{ a", "without its other end", 0),
        ("a }} b", "without its other end", 2),
        ("{{}}", "holds no plain name", 0),
    ],
)
def test_nothing_but_names_stands_in_braces(text: str, problem: str, offset: int) -> None:
    with pytest.raises(BadTemplateError) as caught:
        render(text, SCOPE)
    assert problem in str(caught.value)
    assert caught.value.offset == offset


def test_what_is_not_known_yet_is_another_matter() -> None:
    with pytest.raises(NotKnownError, match=r"'u\.deep' is not known"):
        render("x{{ u.deep }}", SCOPE)


def test_values_are_not_read_again() -> None:
    assert render("{{ a }}", Scope({}, {"a": "{{ a }}"})) == "{{ a }}"


def test_names_are_found_with_their_places() -> None:
    assert [*names_in("{{a}} and {{  b.c }}")] == [("a", 2), ("b.c", 14)]
