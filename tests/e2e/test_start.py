"""`amctl start` in a real Chromium: from the command to a verified result, and every way out."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path

import pytest

from amctl.run.recording import DUMP_FILE
from nodes.dag import load_dag
from nodes.jobs import expected_results
from tests.support.browser_threads import in_chromium
from tests.support.house import ROOT
from tests.support.started import finish, started

pytestmark = [*in_chromium, pytest.mark.timeout(150)]

HEADLESS = ("--browser", "headless", "--timeout", "90s")
NO_FAULTS = ("--set", "SUCCESS_RATE=1000000")
SLOW = ("--set", "HASH_ITERATIONS=20000000")
RESULTS = {
    "browser3": "798084a3599272353ed165b1ef2717344a89246ca3756680059b7b1340053007"
    "b7af049916f67388bea5cdc007dbf7368522d808bd5a6ad68b57612b5fc804b2",
    "browser4": "7f8db768c3ff3bd492c68f48006f6e5d77981501df604eb77b9577e87acd5ee8"
    "6772cb00b6f621ce9209d1e74c770d95e2b78d658c0e0f399989bb98421f6e95",
}


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Browsers' profiles stand in a folder of the test; afterwards it is empty."""
    with tempfile.TemporaryDirectory(prefix="am-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield
        assert [path.name for path in Path(folder).iterdir()] == []
        assert processes_with(folder) == {}
    left = {path.name for path in (tmp_path / "run").iterdir()}
    recorded = {name for name in left if name.startswith("am-dbg-dump")}
    traced = {name for name in left if fnmatch(name, "traces*.jsonl")}
    assert left - recorded - traced <= {"amctl.log", "browser.log", "collector.log"}
    assert {name for name in recorded if not name.endswith(".sqlite")} == set()


def processes_with(word: str) -> dict[int, str]:
    """Living processes whose command line holds a word."""
    found = {}
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in line:
            found[int(pid)] = line
    return found


async def test_t2_without_faults_one_round_is_verified(tmp_path: Path) -> None:
    done = await finish(tmp_path / "run", *HEADLESS, *NO_FAULTS)
    assert (done["exit"], done["ok"], done["rounds"], done["executions"]) == (0, True, 1, 4)
    assert {id: done["results"][id] for id in RESULTS} == RESULTS
    assert 0 < done["ready_ms"] < done["done_ms"]
    assert set(done["nodes"]) == {"browser1", "browser2", "browser3", "browser4"}


async def test_a_seed_decides_rounds_and_executions(tmp_path: Path) -> None:
    first, second = [
        await finish(tmp_path / "run", *HEADLESS, "--seed", "1", "--set", "SUCCESS_RATE=4")
        for _ in range(2)
    ]
    assert first["exit"] == second["exit"] == 0
    assert (first["rounds"], first["executions"]) == (second["rounds"], second["executions"])
    assert first["executions"] > 4, "this seed draws faults"


async def test_a_browser_killed_in_mid_round_is_started_again(tmp_path: Path) -> None:
    slow = ("--set", "HASH_ITERATIONS=1500000", "--set", "JOB_TIMEOUT=60s")
    async with started(tmp_path / "run", *HEADLESS, *NO_FAULTS, *slow, "-v") as run:
        await run.line("round 1 begins")
        profile = f"--user-data-dir={os.environ['TMPDIR']}"
        lines = processes_with(profile).items()
        (pid,) = [pid for pid, line in lines if "--type=" not in line and "http" in line]
        os.kill(pid, signal.SIGKILL)
        await run.line("ended by SIGKILL before the work was done; it is started again")
        done = await run.end()
    assert (done["exit"], done["ok"]) == (0, True)
    assert (done["rounds"], done["interrupted"], done["executions"]) == (1, 1, 4)


async def test_t13_rounds_that_run_out_exit_1(tmp_path: Path) -> None:
    wrong = ("--set", "SUCCESS_RATE=1", "--set", "MAX_ROUNDS=2")
    done = await finish(tmp_path / "run", *HEADLESS, *wrong)
    assert (done["exit"], done["ok"], done["rounds"]) == (1, False, 2)


async def test_another_dag_runs_as_its_file_says(tmp_path: Path) -> None:
    seven = ROOT / "tests" / "dags" / "seven.json"
    dag = load_dag(str(seven), ROOT)
    words = ("--set", f"WORKFLOW={seven}", "--set", "SUCCESS_RATE=20")
    done = await finish(tmp_path / "run", *HEADLESS, *words)
    assert (done["exit"], done["ok"]) == (0, True)
    expected = {id: digest.hex() for id, digest in expected_results(dag).items()}
    assert done["results"] == expected
    assert set(done["nodes"]) == set(dag.ids)


async def test_t11_ctrl_c_disposes_all_workers_and_exits_130(tmp_path: Path) -> None:
    async with started(tmp_path / "run", *HEADLESS, *SLOW, "-v") as run:
        await run.line("round 1 begins")
        began = time.monotonic()
        run.interrupt()
        done = await run.end()
        took = time.monotonic() - began
    assert (done["exit"], done["ok"], done["ending"]) == (130, False, "interrupted")
    assert "did not say that it is disposed of" not in run.log()
    # Two seconds for the workers, the rest for ending collector and browser on a busy machine.
    assert took < 12


def collector_has_ended(dump: Path) -> None:
    """Wait for a collector that was only asked to end: it holds a lock as long as it writes."""
    with (
        contextlib.suppress(FileNotFoundError),
        dump.with_name(f".{dump.name}.lock").open() as file,
    ):
        fcntl.flock(file, fcntl.LOCK_EX)


async def test_a_second_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    async with started(tmp_path / "run", *HEADLESS, *SLOW, "-v") as run:
        await run.line("round 1 begins")
        run.interrupt()
        run.interrupt()
        await run.process.wait()
        assert run.process.returncode in (130, 0)
    await asyncio.to_thread(collector_has_ended, tmp_path / "run" / DUMP_FILE)
    # what only the orderly way out removes; the lock is let go of by the system
    for path in (tmp_path / "run").iterdir():
        if path.suffix in (".addr", ".lock"):
            path.unlink()
