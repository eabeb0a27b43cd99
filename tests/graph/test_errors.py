"""What errors say, and what they advise."""

from __future__ import annotations

from amctl.graph.errors import (
    GraphError,
    ListingError,
    NothingMatchedError,
    UnknownMachineError,
)


def test_near_matches_are_offered() -> None:
    error = UnknownMachineError("orchestratr", ["orchestrator", "browser1"])
    assert str(error) == "there is no machine 'orchestratr' among the 2"
    assert error.hint == "did you mean orchestrator?"


def test_without_a_near_match_it_is_said_how_to_list() -> None:
    assert "inspect-dump" in UnknownMachineError("zzz", ["a"]).hint
    assert GraphError("x").hint == ""


def test_a_pattern_names_itself() -> None:
    assert str(NothingMatchedError("x*", ["a"])) == "no machine matches 'x*', of 1"


def test_a_bad_line_is_named() -> None:
    assert str(ListingError(3, "no state", "+ Foo")) == "listing, line 3: no state: '+ Foo'"
