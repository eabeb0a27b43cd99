"""What is wrong, and where."""

from __future__ import annotations

from amctl.repl.playbook.errors import Place, PlaybookError, Problem, near


def test_places_are_written_as_editors_read_them() -> None:
    assert str(Place("a.yml", 3, 7)) == "a.yml:3:7"
    assert str(Place("a.yml")) == "a.yml"


def test_an_error_tells_the_first_problem_and_how_many_more() -> None:
    one = Problem(Place("a.yml", 1, 2), "is wrong", "mend it")
    assert str(PlaybookError([one])) == "a.yml:1:2: is wrong"
    assert str(PlaybookError([one, one])) == "a.yml:1:2: is wrong (and 1 more)"
    assert PlaybookError([one]).hint == "mend it"


def test_a_near_word_or_something_to_do() -> None:
    assert near("Redy", ["Start", "Ready"], "look") == "did you mean 'Ready'?"
    assert near("Zzz", ["Start", "Ready"], "look") == "look"
