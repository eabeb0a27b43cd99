"""A run in a real Chromium is one trace of five services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_start import HEADLESS
from tests.support.browser_threads import in_chromium
from tests.support.span_rules import SpanFile
from tests.support.started import finish

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [*in_chromium, pytest.mark.timeout(150)]

FAULTS = ("--seed", "7", "--set", "SUCCESS_RATE=4")
"""Some jobs fail, so that there are retries."""


async def test_one_run_is_one_trace_of_five_services(tmp_path: Path) -> None:
    done = await finish(tmp_path / "run", *HEADLESS, *FAULTS)
    assert done["exit"] == 0
    assert done["traced"]["lost"] == 0
    spans = SpanFile(tmp_path / "run" / "traces.jsonl")
    assert len(spans.all) == done["traced"]["spans"]
    assert spans.services == {"orchestrator", *done["nodes"]}
    spans.check(done["traced"]["trace_id"])
    retries = [
        span
        for span in spans.all
        if span["name"] == "0: [add] Retrying" and span["service"] in done["nodes"]
    ]
    assert retries, "this seed has failures"
    for retry in retries:
        causes, span = [], retry
        while found := spans.links(span, "source"):
            span = found[0]
            causes.append((span["service"], span["name"].partition(": ")[2]))
        title = retry["service"].title()
        assert ("orchestrator", f"[add] {title}Work") in causes
        assert (retry["service"], "[add] Failed") in causes, "what it is a retry of"
