"""Words and glyphs."""

from __future__ import annotations

from typing import get_args

import pytest

from amctl.cli.views import words
from amctl.telemetry import snapshot
from amctl.telemetry.snapshot import Node, Round
from tests.support.fake_run import FakeRun


@pytest.mark.parametrize(
    ("table", "states"),
    [
        (words.NODE, snapshot.NodeState),
        (words.PHASE, snapshot.Phase),
        (words.ATTEMPT, snapshot.AttemptOutcome),
        (words.LIGHT, snapshot.LightState),
        (words.EVENT, snapshot.HappeningKind),
        (words.CHECK, snapshot.Verdict),
    ],
)
def test_every_state_has_a_glyph_and_an_ink(table: dict[str, words.Mark], states: object) -> None:
    assert set(table) == set(get_args(states))
    assert all(mark.glyph and mark.ink for mark in table.values())


def test_states_that_matter_differ_by_more_than_colour() -> None:
    told = [(mark.glyph, mark.word) for mark in words.NODE.values()]
    assert len(set(told)) == len(told)


def test_loading_names_the_slowest_step() -> None:
    snap = FakeRun().advance(1300)
    assert words.title(snap)[1:] == ("Loading Python", "Fetching the runtime; 0 of 4 threads up")


def test_running_counts_who_is_at_work() -> None:
    snap = FakeRun().advance(9150)
    assert words.title(snap)[1:] == (
        "Running, round 2",
        "2 of 4 jobs at work; at most 50 rounds",
    )


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (Round(1, 0, 1, "lied", ("a", "b")), "a, b lied"),
        (Round(1, 0, 1, "lied", ("browser1", "browser2")), "2 results lied"),
        (Round(1, 0, 1, "lied"), "wrong result"),
        (Round(1, 0, 1, "ok"), "verified"),
        (Round(1, 0, 1, "gave_up"), "given up"),
    ],
)
def test_a_rounds_end_in_words(past: Round, text: str) -> None:
    assert words.outcome_of(past, 18) == text


def test_durations_counts_and_clipping() -> None:
    assert [words.seconds(ms) for ms in (0, 59_940, 61_000)] == ["0.0 s", "59.9 s", "1:01 min"]
    assert [words.counted(n, "job") for n in (0, 1, 2)] == ["0 jobs", "1 job", "2 jobs"]
    assert [words.clip("abcdef", room) for room in (6, 4, 1, 0)] == ["abcdef", "abc…", "…", "…"]


def test_jobs_stand_below_what_they_wait_for() -> None:
    nodes = [
        Node(id="c", thread="local", host="c", deps=("b",)),
        Node(id="b", thread="local", host="b", deps=("a",)),
        Node(id="a", thread="local", host="a"),
        Node(id="d", thread="local", host="d"),
    ]
    assert [node.id for node in words.layered(nodes)] == ["a", "d", "b", "c"]
