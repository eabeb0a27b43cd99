"""Where variables come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.repl.errors import UsageError
from amctl.repl.playbook.errors import PlaybookError
from amctl.repl.playbook.variables import Scope, extra_vars

if TYPE_CHECKING:
    from pathlib import Path


def test_extra_vars_in_all_forms(tmp_path: Path) -> None:
    (tmp_path / "v.yml").write_text("b: [1, x]\nc: 2\n")
    words = ["a=1=2", '{"d": {"e": null}}', "@v.yml", "c= text"]
    assert extra_vars(words, tmp_path) == {
        "a": "1=2", "d": {"e": None}, "b": [1, "x"], "c": " text",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("nothing", "--extra-vars 'nothing'"),
        ("{nope", "is no JSON"),
        ("a-b=1", "'a-b' is no name of a variable"),
        ("=1", "'' is no name of a variable"),
    ],
)
def test_extra_vars_that_cannot_be_read(word: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        extra_vars([word])
    assert caught.value.hint or "JSON" in problem


@pytest.mark.parametrize("text", ["- a", "3"])
def test_a_file_of_variables_is_a_mapping(text: str, tmp_path: Path) -> None:
    (tmp_path / "v.yml").write_text(text)
    with pytest.raises(PlaybookError, match=r"v\.yml:1:1: holds no mapping"):
        extra_vars(["@v.yml"], tmp_path)


def test_a_missing_file_of_variables_is_named() -> None:
    with pytest.raises(PlaybookError, match=r"nope\.yml: can't be read"):
        extra_vars(["@nope.yml"])


def test_the_command_line_wins_and_then_what_is_inside() -> None:
    scope = Scope({"a": 1}, {"a": 2, "b": 2, "c": 2}).inside({"b": 3, "a": 3})
    assert [scope.get(name) for name in "abc"] == [1, 3, 2]
    assert [*scope] == ["a", "b", "c"]
    assert "a" in scope
    assert "d" not in scope
    with pytest.raises(KeyError):
        scope.get("d")
