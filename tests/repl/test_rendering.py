"""Answers in the original's words."""

from __future__ import annotations

import pytest

from amctl.repl.operations import Report
from amctl.repl.outcome import Verdict
from amctl.repl.rendering import (
    diff_lines,
    flags_of,
    folded,
    grouped,
    inspect_lines,
    listing,
    peer_data,
    reported,
    schema_data,
    states_text,
)
from tests.support.fake_fleet import FakePeer, fleet_of


@pytest.fixture
def peer() -> FakePeer:
    return fleet_of("worker0").peers[0]


@pytest.mark.parametrize(
    ("ready", "states", "flags"),
    [
        (True, [], "C"),
        (True, ["Start"], "CS"),
        (True, ["Start", "Ready"], "CR"),
        (False, [], "D"),
        (False, ["Start"], "DS"),
    ],
)
def test_flags_tell_connection_and_readiness(
    peer: FakePeer, ready: bool, states: list[str], flags: str
) -> None:
    """Test 9 of the spec."""
    peer.net.add(states)
    peer.is_ready = ready
    assert flags_of(peer) == flags


def test_s62_a_machine_takes_two_lines(peer: FakePeer) -> None:
    peer.net.add(("Start", "Foo"))
    peer.net.add("Bar")
    assert listing([peer]) == ("1. worker0 t4", "   CS: (Bar:1 Start:1)")
    assert listing([peer], states=False) == ("1. worker0 t4", "   CS")
    assert listing([peer], states_all=True)[1].startswith("   CS: (Bar:1 Start:1) [Exception:0 ")


def test_states_with_their_ticks(peer: FakePeer) -> None:
    peer.net.add("Foo")
    assert states_text(peer.net) == "(Foo:1)"
    assert states_text(peer.net, all=True).startswith("(Foo:1) [Exception:0 Bar:0")


def test_inspect_begins_with_the_machines_address(peer: FakePeer) -> None:
    peer.net.add("Foo")
    lines = inspect_lines(peer, ["Foo", "Needy"])
    assert lines == [
        "mach://worker0",
        "",
        "1 Foo",
        "    |Tick     1",
        "    |Remove   Bar Baz",
        "0 Needy",
        "    |Tick     0",
        "    |Require  Start",
    ]


def test_data_of_a_machine(peer: FakePeer) -> None:
    peer.net.add("Foo")
    row = peer_data(peer)
    assert row["active"] == ["Foo"]
    assert row["ticks"]["Foo"] == 1
    assert row["time"] == 1
    assert row["addr"] == "127.0.0.1:7000"
    assert schema_data(peer.net)["Foo"] == {"tick": 1, "active": True, "remove": ["Bar", "Baz"]}


DONE = Report("a", "executed", before={"X": 0, "Y": 4}, after={"X": 1, "Y": 4})
NO = Report("b", "canceled", "X requires Z", {"X": 0}, {"X": 0})
LOST = Report("c", "unreachable", error="nobody listens")


def test_one_machine_is_told_by_a_word_and_several_by_id() -> None:
    assert reported([DONE]).lines == ("executed",)
    assert reported([DONE, NO, LOST]).lines == ("a: executed", "b: canceled", "c: unreachable")
    assert reported([DONE, NO]).problems == ("machine 'b' canceled it: X requires Z",)
    assert reported([DONE, NO]).verdict is Verdict.CANCELED
    assert reported([]).data == []


def test_words_may_be_others() -> None:
    outcome = reported([DONE, NO], lambda report: str(report.after["X"]), words={"canceled": "no"})
    assert outcome.lines == ("a: 1", "b: no")


def test_a_diff_tells_what_moved() -> None:
    assert diff_lines(DONE) == ["   X 0 -> 1"]
    assert diff_lines(NO) == ["   no clock moved"]
    assert diff_lines(LOST) == []
    assert reported([DONE], diff=True).lines == ("executed", "   X 0 -> 1")


def test_a_group_is_told_in_three_lines() -> None:
    """Test 6 of the spec."""
    outcome = grouped([DONE, DONE, NO])
    assert outcome.lines == ("Executed 2", "Queued 0", "Canceled 1")
    assert outcome.verdict is Verdict.CANCELED
    assert {key: outcome.data[key] for key in ("executed", "queued", "canceled")} == {
        "executed": 2,
        "queued": 0,
        "canceled": 1,
    }


def test_what_else_came_of_a_group_has_a_line_of_its_own() -> None:
    assert grouped([DONE, LOST]).lines[3:] == ("Unreachable 1",)
    assert grouped([DONE], diff=True).lines[3:] == ("a: executed", "   X 0 -> 1")


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("short", ["short"]),
        ("", [""]),
        ("   CR: (Foo:1 Bar:2 Baz:3 Ok:5)", ["   CR: (Foo:1 Bar:2", "       Baz:3 Ok:5)"]),
        ("  --arg  What is given to it", ["  --arg  What is", "         given to it"]),
        ("a very long one at first  two three", ["a very long one at", "    first  two three"]),
        ("a" * 25 + " b", ["a" * 25, "    b"]),
        ('{"a": 1, "b": [1, 2, 3, 4]}', ['{"a": 1, "b": [1, 2, 3, 4]}']),
    ],
)
def test_lines_are_folded_between_words(line: str, rows: list[str]) -> None:
    assert folded(line, 20) == rows
    assert folded(line, 0) == [line]


def test_a_deep_indent_leaves_room() -> None:
    rows = folded(" " * 18 + "one two three", 20)
    assert " ".join("".join(rows).split()) == "one two three"
