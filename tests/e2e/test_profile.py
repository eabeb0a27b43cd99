"""`amctl profile` on a real run: handlers are on the samples, whoever looks."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from amctl.cli.exitcodes import ExitCode
from amctl.run.programs import which
from tests.support.browser_threads import in_chromium
from tests.support.house import ROOT
from tests.support.started import SECONDS, started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.started import Started

LONG_WORK = (
    *("--set", "HASH_ITERATIONS=1000000000", "--set", "JOB_TIMEOUT=300s"),
    *("--set", "SUCCESS_RATE=1000000", "--set", "FAULT_SEED=1"),
)
"""Its first round doesn't end within any test."""


async def profile(run: Started, *words: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, document and stderr of `amctl profile --json WORDS`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "amctl.cli.main", "profile", "--json", "-d", str(run.repl_dir)),
        *words,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    return process.returncode or 0, json.loads(out or b"{}"), err.decode()


async def busy(run: Started, handler: str, *words: str) -> dict[str, Any]:
    """The document of a profile with that handler: until it runs, profiles are taken again."""
    said = ""
    for _ in range(60):
        code, found, said = await profile(run, *words)
        if "py-spy can't look" in said:
            pytest.skip(f"this machine doesn't permit it: {said}")
        if code == 0 and handler in {one["name"] for one in found["handlers"]}:
            return found
        # nothing, or not yet that machine, is there while the run starts
        assert code in (ExitCode.DONE, ExitCode.UNREACHABLE, ExitCode.NOTHING_MATCHED), said
    raise AssertionError(f"{handler} never ran: {said}")


@pytest.mark.timeout(240)
class TestBrowser:
    pytestmark = in_chromium

    async def test_handlers_are_on_the_samples_of_page_and_worker(self, tmp_path: Path) -> None:
        words = ("--browser", "headless", "--set", "BROWSER_DEBUG=1", *LONG_WORK)
        async with started(tmp_path / "run", *words) as run:
            for machine in ("browser1", "browser2"):
                handler, name = f"{machine} WorkingState", str(tmp_path / machine)
                found = await busy(run, handler, machine, "--cpu-profile", "-s", "1", "-o", name)
                assert found["how"] == "signal"
                assert found["functions"][0]["name"] == "burn"
                own = json.loads((tmp_path / f"{machine}.cpuprofile").read_text())
                assert len(own["samples"]) == len(own["timeDeltas"]) > 0
                assert handler in (tmp_path / f"{machine}.html").read_text()
            door = run.repl_dir / "devtools"
            assert door.stat().st_mode & 0o777 == 0o600
            run.interrupt()
            assert (await run.end())["exit"] == 130
            assert not door.exists()


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_a_process_is_seen_from_inside(tmp_path: Path) -> None:
    async with started(tmp_path / "run", "--nodes", "local", *LONG_WORK) as run:
        for how in ("signal", "thread", "calls"):
            words = ("--how", how, "-s", "1", "-o", str(tmp_path / how))
            # the workers are machines of the same process here
            assert (await busy(run, "browser1 WorkingState", *words))["how"] == how


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.skipif(which("py-spy") is None, reason="needs py-spy")
async def test_a_process_is_seen_from_outside(tmp_path: Path) -> None:
    async with started(tmp_path / "run", "--nodes", "local", *LONG_WORK) as run:
        words = ("--how", "py-spy", "-s", "1", "-o", str(tmp_path / "x"))
        assert (await busy(run, "WorkingState", *words))["how"] == "py-spy"
