"""The document of `start --json`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amctl.run.report import Report
from amctl.telemetry.recorder import Recorder
from amctl.telemetry.snapshot import Node, Run
from tests.support.fake_nodes import FakeOutcome

PROMISED = {"ok", "rounds", "executions", "results", "ready_ms", "done_ms", "nodes"}
EXTRA = {"recorded", "traced", "ending", "seed", "interrupted", "wrong"}


@pytest.fixture
def recorder() -> Recorder:
    """A run in its second round, whose first one was interrupted after two jobs."""
    nodes = [Node(id=id, thread="local", host=id) for id in ("a", "b")]
    run = Run(id="r", workflow="w", started_at="2026-01-01T00:00:00Z", seed=3)
    recorder = Recorder(run, lambda: 5, nodes)
    for id in ("a", "b"):
        recorder.joined(id)
    for _ in range(2):
        recorder.begin_round()
        recorder.begin("a")
        recorder.delivered("a", "ff")
    return recorder


def document(report: Report) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(report.as_json()))
    assert set(loaded) == PROMISED | EXTRA
    return loaded


def test_the_figures_are_the_outcomes(recorder: Recorder) -> None:
    outcome = FakeOutcome(True, results={"a": "ff", "b": "ee"}, wrong={"liars": ("b",)})
    told = document(Report("verified", recorder.snapshot(), 10, 20, outcome))
    nodes = told.pop("nodes")
    assert told == {
        "ok": True,
        "ending": "verified",
        "rounds": 1,
        "interrupted": 1,
        "executions": 1,
        "results": {"a": "ff", "b": "ee"},
        "wrong": {"liars": ["b"]},
        "ready_ms": 10,
        "done_ms": 20,
        "seed": 3,
        "recorded": None,
        "traced": None,
    }
    assert set(nodes) == {"a", "b"}
    assert nodes["a"]["digest"] == "ff"


def test_of_work_that_was_cut_short_everything_that_was_seen_counts(recorder: Recorder) -> None:
    told = document(Report("interrupted", recorder.snapshot(), 10, 20))
    assert told["ok"] is False
    assert (told["rounds"], told["interrupted"], told["executions"]) == (2, 1, 2)
    assert (told["results"], told["wrong"]) == ({"a": "ff"}, {})
