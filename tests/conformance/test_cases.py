"""The recorded cases and replays, run plain, traced, and without the plan cache."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.conformance.__main__ import CASES
from tests.conformance.runner import MODES, Mode, run_case, run_replay


def _load(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.open(CASES / name, "rt")]


@pytest.mark.parametrize("mode", MODES, ids=lambda m: m.name)
def test_the_recorded_cases_pass(mode: Mode) -> None:
    cases = _load("machine.jsonl.gz")
    assert len(cases) == 281
    assert [str(f) for c in cases if (f := run_case(c, mode))] == []


@pytest.mark.parametrize("name", ["replay-am-dbg-sim.jsonl.gz", "replay-wasm-workflow.jsonl.gz"])
def test_the_replays_pass(name: str) -> None:
    assert [str(f) for r in _load(name) if (f := run_replay(r))] == []
