"""Plays and tasks with their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.repl.playbook.loading import load
from amctl.repl.playbook.plan import Tagged
from tests.repl.playbook.staged import write

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.repl.playbook.plan import Step


def first(folder: Path, task: str) -> Step:
    path = write(folder, f"- machines: w\n  tasks:\n    - {task}\n")
    return load([path]).sections[0].steps[0]


@pytest.mark.parametrize(
    ("task", "title"),
    [
        ("{name: x, add: A}", "x"),
        ("{add: [A, B]}", "add A B"),
        ("{when_not: A}", "when_not A"),
        ("{when_time: {A: 1, B: 2}}", "when_time A B"),
        ("{pause: 1.5}", "pause 1.5"),
        ("{pause: {prompt: x}}", "pause"),
        ("{assert: {active: A}}", "assert"),
        ("{run: list -a A}", "run list -a A"),
    ],
)
def test_a_task_without_a_name_is_called_by_what_it_does(
    task: str, title: str, tmp_path: Path
) -> None:
    assert first(tmp_path, task).title == title


def test_places_within_a_task(tmp_path: Path) -> None:
    step = first(tmp_path, "{add: [A, 'B C']}")
    assert (step.place().line, step.place().column) == (3, 7)
    assert step.place("add", 1).column == 17
    problem = step.problem("wrong", "mend it", "add", 1, offset=2)
    assert (problem.place.column, problem.source) == (20, "    - {add: [A, 'B C']}")
    assert str(problem).endswith("book.yml:3:20: wrong")


def test_tags_take_and_leave(tmp_path: Path) -> None:
    step = first(tmp_path, "{add: A, tags: [x, y]}")
    assert Tagged().takes(step)
    assert Tagged(frozenset("x")).takes(step)
    assert not Tagged(frozenset("z")).takes(step)
    assert not Tagged(frozenset("x"), frozenset("y")).takes(step)
