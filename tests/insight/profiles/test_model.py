"""Profiles as data."""

from __future__ import annotations

from typing import Any

import pytest

from amctl.insight.errors import BadProfileError
from amctl.insight.profiles.model import (
    HANDLER,
    Frame,
    Profile,
    Span,
    Stack,
    collect,
    from_answer,
)

ANSWER: dict[str, Any] = {
    "taken": "thread",
    "seconds": 2.0,
    "frames": [["run", "a.py", 1], ["m AState", HANDLER, 0], ["burn", "b.py", 2]],
    "stacks": [[[0, 1, 2], 900_000, 9], [[0], 100_000, 1]],
    "idle": 0.9,
    "left_out": 50_000,
    "python": "3.14",
    "platform": "emscripten",
    "spans": {
        "names": ["m AState", "m BState", "m WorkState"],
        "rows": [[2, 50_000, 900_000, 1], [0, 0, 500_000, 0], [1, 100_000, 200_000, 0]],
        "left_out": 3,
    },
}


def test_an_answer_becomes_a_profile() -> None:
    found = from_answer("browser1", ANSWER)
    assert (found.target, found.how, found.seconds, found.idle) == ("browser1", "thread", 2.0, 0.9)
    assert found.busy == pytest.approx(1.05)
    assert found.samples == 10
    assert found.about == "Python 3.14, emscripten"
    assert found.spans[0] == Span("m AState", 0, 500_000)
    assert [span.name for span in found.spans if span.waits] == ["m WorkState"]
    assert found.spans_left_out == 3


def test_weights_tell_own_and_total_time() -> None:
    found = from_answer("x", ANSWER)
    burn, run, handler = found.weights()
    assert (burn.frame.name, burn.own, burn.total) == ("burn", 900_000, 900_000)
    assert (run.frame.name, run.own, run.total) == ("run", 100_000, 1_000_000)
    assert (handler.own, handler.total) == (0, 900_000)
    assert [w.frame.name for w in found.handlers()] == ["m AState"]


def test_recursion_counts_once() -> None:
    found = Profile("x", "calls", 1.0, (Frame("f"),), (Stack((0, 0, 0), 10, 1),))
    (weight,) = found.weights()
    assert (weight.own, weight.total) == (10, 10)


@pytest.mark.parametrize(
    "change",
    [
        {"frames": [["run"]]},
        {"frames": None},
        {"stacks": [[[9], 1, 1]]},
        {"stacks": [[[-1], 1, 1]]},
        {"stacks": [[0, 1, 1]]},
        {"seconds": "long"},
        {"spans": {"names": [], "rows": [[0, 1, 1, 0]]}},
        {"spans": {"names": ["x"], "rows": [[-1, 1, 1, 0]]}},
        {"spans": {"names": ["x"], "rows": [[0, 1, -1, 0]]}},
        {"spans": {"names": ["x"], "rows": [[0]]}},
        {"spans": [1]},
    ],
    ids=str,
)
def test_what_doesnt_hold_together_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadProfileError, match="the profile of x can't be read"):
        from_answer("x", {**ANSWER, **change})
    with pytest.raises(BadProfileError):
        from_answer("x", {})


def test_equal_stacks_are_added_up() -> None:
    f, g = Frame("f", "a.py", 1), Frame("g")
    frames, stacks = collect([((f, g), 1, 1), ((f,), 5, 2), ((f, g), 2, 3)])
    assert frames == (f, g)
    assert stacks == (Stack((0,), 5, 2), Stack((0, 1), 3, 4))
