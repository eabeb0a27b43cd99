"""Which machines a person means."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from amctl.machine.patterns import PatternError, exact_ids, matching


@dataclass
class Thing:
    id: str
    tags: tuple[str, ...] = ()
    parent_id: str = ""
    active: tuple[str, ...] = ()

    def is_active(self, state: str) -> bool:
        return state in self.active


THINGS = [
    Thing("boss", active=("Ready",)),
    Thing("kid-1", ("rpc-server", "addr:x"), "boss"),
    Thing("kid-2", ("rpc-client",), "boss", ("Start",)),
    Thing("kid-1", ("rpc-server:x",), "kid-1"),
]


@pytest.mark.parametrize(
    ("pattern", "places"),
    [
        ("boss", [0]),
        ("kid-1", [1, 3]),
        ("kid-?,boss", [0, 1, 2, 3]),
        ("kid-*,!kid-1", [2]),
        ("!kid-*", [0]),
        ("all", [0, 1, 2, 3]),
        (".", [0]),
        ("all,!.", [1, 2, 3]),
        ("parent:boss", [1, 2]),
        ("parent:", [0]),
        ("tag:rpc-server", [1, 3]),
        ("tag:addr:x", [1]),
        ("state:Start,state:Ready", [0, 2]),
        (r"all,!re:\d,?$", [0]),
        ("nobody", []),
        ("", []),
        ("BOSS", []),
    ],
)
def test_patterns_choose_in_order(pattern: str, places: list[int]) -> None:
    assert matching(THINGS, pattern) == [THINGS[at] for at in places]


def test_machines_of_the_same_id_are_all_chosen_but_the_first_is_one() -> None:
    assert matching(THINGS[1:], ".") == [THINGS[1]]


@pytest.mark.parametrize("pattern", [".", "all", "!x"])
def test_among_no_machines_nothing_fits(pattern: str) -> None:
    assert matching([], pattern) == []


def test_a_bad_expression_is_told() -> None:
    with pytest.raises(PatternError, match=r"pattern 're:\(': bad regular expression"):
        matching(THINGS, "boss,re:(")


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [("boss", ["boss"]), ("a, b", ["a", "b"]), (".,all,!x,k*,a?,tag:x,re:a,b", []), ("", [])],
)
def test_parts_that_name_one_machine_each(pattern: str, ids: list[str]) -> None:
    assert exact_ids(pattern) == ids
