"""The document of `start --json`."""

from __future__ import annotations

import json

from amctl.run.report import Report
from amctl.telemetry.recorder import Recorder
from amctl.telemetry.snapshot import Node, Run


def test_the_document_has_what_scripts_were_promised() -> None:
    nodes = [Node(id=id, thread="local", host=id) for id in ("a", "b")]
    run = Run(id="r", workflow="w", started_at="2026-01-01T00:00:00Z", seed=3)
    recorder = Recorder(run, lambda: 5, nodes)
    for id in ("a", "b"):
        recorder.joined(id)
    recorder.begin_round()
    recorder.begin("a")
    recorder.delivered("a", "ff")
    report = Report("interrupted", recorder.snapshot(), 10, 20, ok=False)
    document = json.loads(json.dumps(report.as_json()))
    nodes_told = document.pop("nodes")
    assert document == {
        "ok": False,
        "ending": "interrupted",
        "rounds": 1,
        "executions": 1,
        "results": {"a": "ff"},
        "ready_ms": 10,
        "done_ms": 20,
        "seed": 3,
    }
    assert set(nodes_told) == {"a", "b"}
    assert nodes_told["a"]["digest"] == "ff"
