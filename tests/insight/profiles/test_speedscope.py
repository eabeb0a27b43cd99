"""speedscope's file, by its documented schema."""

from __future__ import annotations

import json

from amctl.insight.profiles.model import from_answer
from amctl.insight.profiles.speedscope import speedscope
from tests.insight.profiles.test_model import ANSWER


def test_the_file_holds_together() -> None:
    found = json.loads(speedscope(from_answer("x", ANSWER)))
    assert found["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    (profile,) = found["profiles"]
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
