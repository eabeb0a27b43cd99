"""`amctl start` ends as it would without trouble, whatever happens to its links."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import pytest

from amctl.cli.exitcodes import ExitCode
from tests.chaos.cut_start import CASES, MISDEEDS
from tests.support.house import ROOT
from tests.support.started import SECONDS

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS = {
    "verified": (ExitCode.DONE, True, "verified"),
    "gave up": (ExitCode.FAILED, False, "gave_up"),
    "timeout": (ExitCode.TIMED_OUT, False, "timeout"),
    "interrupted": (ExitCode.INTERRUPTED, False, "interrupted"),
}


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.timeout(240)
async def test_exit_codes_are_kept_while_links_are_cut(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.cut_start", str(tmp_path), *CASES),
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(2 * SECONDS):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    told = [json.loads(line) for line in out.splitlines()]
    ends = {one["case"]: (one["exit"], one["ok"], one["ending"]) for one in told}
    assert ends == ENDINGS, err.decode()
    misdeeds = {one["case"]: one["misdeeds"] for one in told}
    assert misdeeds["verified"] > 0
    assert misdeeds["interrupted"] == MISDEEDS
