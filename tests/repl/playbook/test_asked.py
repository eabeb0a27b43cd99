"""Tags that no task has, variables that no playbook uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.repl.outcome import Verdict
from amctl.repl.playbook.asked import check_tags, unused
from amctl.repl.playbook.errors import NothingLeftError
from amctl.repl.playbook.loading import load
from amctl.repl.playbook.plan import Tagged

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.repl.playbook.plan import Playbook

INNER = "- {add: Foo, tags: deep, on_failure: [{run: 'time {{ why }}'}]}\n"
OUTER = """\
- machines: w0
  vars: {one: 1}
  tasks:
    - {include: inner.yml, if: "two"}
    - {add: Bar, tags: [near, far]}
"""


@pytest.fixture
def book(tmp_path: Path) -> Playbook:
    (tmp_path / "inner.yml").write_text(INNER, encoding="utf-8")
    (tmp_path / "outer.yml").write_text(OUTER, encoding="utf-8")
    return load([tmp_path / "outer.yml"])


def tags(*only: str, skip: tuple[str, ...] = ()) -> Tagged:
    return Tagged(frozenset(only), frozenset(skip))


@pytest.mark.parametrize(
    "tagged", [tags(), tags("near"), tags("nope", "deep"), tags(skip=("near",))]
)
def test_tags_that_leave_something(book: Playbook, tagged: Tagged) -> None:
    check_tags(book, tagged)


@pytest.mark.parametrize(
    ("tagged", "problem", "hint"),
    [
        (tags("deeep"), "no task is left by --tags deeep", "did you mean 'deep'?"),
        (tags("x", "y"), "no task is left by --tags x,y", "there are the tags deep, far, near"),
        (
            tags("far", skip=("near",)),
            "no task is left by --tags far --skip-tags near",
            "there are the tags deep, far, near",
        ),
        (
            tags(skip=("near", "deep")),
            "no task is left by --skip-tags deep,near",
            "there are the tags deep, far, near",
        ),
    ],
)
def test_tags_that_leave_nothing(book: Playbook, tagged: Tagged, problem: str, hint: str) -> None:
    with pytest.raises(NothingLeftError) as caught:
        check_tags(book, tagged)
    assert (str(caught.value), caught.value.hint) == (problem, hint)
    assert caught.value.verdict is Verdict.NO_MATCH


def test_variables_are_looked_for_in_all_files(book: Playbook) -> None:
    names = ["one", "two", "three", "why", "on", "vars"]
    assert unused(book, names) == ["three", "on"]
