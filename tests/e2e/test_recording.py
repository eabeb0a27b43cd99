"""A run in a real Chromium is recorded: all of it, whatever happens to the collector."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_start import HEADLESS, NO_FAULTS, processes_with
from tests.support.browser_threads import in_chromium
from tests.support.house import ROOT
from tests.support.started import finish, started

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [*in_chromium, pytest.mark.timeout(150)]

GOLDEN: dict[str, Any] = json.loads((ROOT / "tests" / "cases" / "workflow_graph.json").read_text())
TRIGGERS = {"Browser3Work", "Browser3Retry", "Browser4Work", "Browser4Retry"}
"""Of these the remove-pipes are left out: the work that they began must not end with them."""
TUNNEL = "relay-wasm-workflow-wt-"
MORE_STATES = {"orchestrator": {"Succeeded", "Failed"}}
"""How a run ended, which the original doesn't tell."""


def amctl(*words: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "amctl.cli.main", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


def golden_listing() -> dict[str, Any]:
    """The original's graph, but for our deliberate differences."""
    pipes = [p for p in GOLDEN["pipes"] if not (p[1] == "remove" and p[2] in TRIGGERS)]
    return {
        "machines": {
            m["id"]: (m["parent"] or None, set(m["states"]) | MORE_STATES.get(m["id"], set()))
            for m in GOLDEN["machines"]
        },
        "parents": sorted(map(tuple, GOLDEN["parents"])),
        "rpc_edges": sorted(map(tuple, GOLDEN["rpc_edges"])),
        "pipes": sorted(map(tuple, pipes)),
    }


def listing(dump: Path) -> dict[str, Any]:
    """Of a recording; without tunnels of threads that had to come back on a busy machine."""
    found = json.loads(amctl("vis", "inspect-dump", str(dump), "--json"))
    names = [m["id"] for m in found["machines"] if m["id"].startswith(TUNNEL)]
    again = {name for name in names if int(name.removeprefix(TUNNEL)) >= 4}
    machines = [m for m in found["machines"] if m["id"] not in again]
    return {
        "machines": {m["id"]: (m["parent"] or None, set(m["states"])) for m in machines},
        "parents": sorted(tuple(pair) for pair in found["parents"] if pair[0] not in again),
        **{key: sorted(map(tuple, found[key])) for key in ("rpc_edges", "pipes")},
    }


async def test_a_fresh_run_is_recorded_with_every_machine_and_pipe(tmp_path: Path) -> None:
    done = await finish(tmp_path / "run", *HEADLESS, *NO_FAULTS)
    assert done["exit"] == 0
    recorded, dump = done["recorded"], tmp_path / "run" / "am-dbg-dump.sqlite"
    assert recorded["machines"] >= 27
    assert (recorded["lost"], recorded["restarts"]) == (0, 0)
    report = json.loads(amctl("dump", "verify", str(dump), "--json"))
    assert report["ok"]
    assert listing(dump) == golden_listing()
    assert len(golden_listing()["pipes"]) == 128
    left = {path.name for path in (tmp_path / "run").iterdir()}
    recorded_in = {"collector.log", "am-dbg-dump.sqlite"}
    assert left == {"amctl.log", "browser.log", "traces.jsonl", *recorded_in}


async def test_a_collector_killed_in_mid_run_costs_nothing(tmp_path: Path) -> None:
    slow = ("--set", "HASH_ITERATIONS=1500000", "--set", "JOB_TIMEOUT=60s")
    folder = tmp_path / "run"
    async with started(folder, *HEADLESS, *NO_FAULTS, *slow, "-v") as run:
        await run.line("round 1 begins")
        (pid,) = [pid for pid, line in processes_with(str(folder)).items() if " collect " in line]
        os.kill(pid, signal.SIGKILL)
        await run.line("the collector was ended by SIGKILL; it is started again")
        done = await run.end()
    assert (done["exit"], done["ok"]) == (0, True)
    assert (done["recorded"]["lost"], done["recorded"]["restarts"]) == (0, 1)
    dump = folder / "am-dbg-dump.sqlite"
    assert json.loads(amctl("dump", "verify", str(dump), "--json"))["ok"]
    assert listing(dump) == golden_listing()


async def test_without_recording_nothing_is_written(tmp_path: Path) -> None:
    done = await finish(tmp_path / "run", *HEADLESS, *NO_FAULTS, "--no-dbg", "--no-otel")
    assert (done["exit"], done["recorded"], done["traced"]) == (0, None, None)
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"amctl.log", "browser.log"}
