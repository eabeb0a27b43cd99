"""speedscope's file, by its documented schema."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from amctl.insight.profiles.model import from_answer
from amctl.insight.profiles.speedscope import speedscope
from tests.insight.profiles.test_model import ANSWER


def test_the_file_holds_together() -> None:
    found = json.loads(speedscope(from_answer("x", ANSWER)))
    assert found["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    profile, _ = found["profiles"]
    assert (profile["type"], profile["unit"]) == ("sampled", "microseconds")
    assert len(profile["samples"]) == len(profile["weights"]) == 2
    assert profile["endValue"] - profile["startValue"] == sum(profile["weights"])
    frames = found["shared"]["frames"]
    assert all(0 <= i < len(frames) for sample in profile["samples"] for i in sample)
    assert frames[0] == {"name": "run", "file": "a.py", "line": 1}
    assert found["activeProfileIndex"] < len(found["profiles"])


def test_an_empty_profile_is_a_file_too() -> None:
    empty = {**ANSWER, "frames": [], "stacks": []}
    assert json.loads(speedscope(from_answer("x", empty)))["profiles"][0]["samples"] == []


def test_handlers_stand_beside_in_their_order() -> None:
    found = json.loads(speedscope(from_answer("x", ANSWER)))
    _, beside = found["profiles"]
    frames = found["shared"]["frames"]
    told = [(e["type"], frames[e["frame"]]["name"], e["at"]) for e in beside["events"]]
    assert beside["type"] == "evented"
    assert told == [
        ("O", "m AState", 0),
        ("O", "m BState", 100_000),
        ("C", "m BState", 300_000),
        ("C", "m AState", 500_000),
    ], "WorkState crosses the end of AState"
    assert (beside["startValue"], beside["endValue"]) == (0, 500_000)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=30))
def test_events_nest_whatever_the_spans(rows: list[tuple[int, int]]) -> None:
    spans = {"names": ["a"], "rows": [[0, begin, size, 1] for begin, size in rows]}
    found = json.loads(speedscope(from_answer("x", {**ANSWER, "spans": spans})))
    last = depth = 0
    for event in (found["profiles"][1:] or [{"events": []}])[0]["events"]:
        assert event["at"] >= last
        last = event["at"]
        depth += 1 if event["type"] == "O" else -1
        assert depth >= 0
    assert depth == 0
