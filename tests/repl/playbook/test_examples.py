"""The example playbooks on a real run, with processes, sockets and clocks of the outside."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.repl.playbook.staged import write
from tests.support.house import ROOT
from tests.support.started import started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.started import Started

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.timeout(180)]

LOCAL = ("--nodes", "local", "--stay", "--no-dbg", "--set", "SUCCESS_RATE=1000000", "-v")
PLAYBOOKS = ROOT / "docs" / "playbooks"


async def amctl_play(run: Started, path: Path, *words: str) -> tuple[int, Any, str]:
    """Run `amctl play --json`: exit code, document, stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "amctl.cli.main", "play", str(path), "-d", str(run.repl_dir),
        "--json", *words,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out) if out else None, err.decode()


async def test_restart_soak_and_drain_on_a_real_run(tmp_path: Path) -> None:
    async with started(tmp_path / "run", *LOCAL) as run:
        await run.line("round 1 begins")
        code, told, err = await amctl_play(run, PLAYBOOKS / "restart.yml", "--check")
        assert (code, err) == (0, "")
        statuses = [result["status"] for result in told["results"]]
        assert statuses == ["ok", *["unknown"] * 5]
        assert told["results"][1]["reason"].startswith("StartWorkState may cause more")

        code, done, err = await amctl_play(run, PLAYBOOKS / "restart.yml")
        assert (code, err) == (0, "")
        (row,) = done["recap"]
        assert (row["machine"], row["ok"], row["changed"]) == ("orchestrator", 5, 1)
        assert row["time"][1] > row["time"][0]

        code, done, err = await amctl_play(run, PLAYBOOKS / "soak.yml")
        assert (code, err) == (0, "")
        assert done["recap"][0]["changed"] == 20
        assert done["recap"][0]["ok"] == 22

        await broken_on_purpose(run, tmp_path)

        code, done, err = await amctl_play(run, PLAYBOOKS / "drain.yml")
        assert code == 1
        assert "drain.yml:14:7: sure on browser1: failed: there is no terminal to ask" in err
        code, done, err = await amctl_play(run, PLAYBOOKS / "drain.yml", "-y")
        assert (code, err) == (0, "note" if "note" in err else "")
        assert done["results"][-1]["machine"] == "orchestrator"
        gone = write(tmp_path, "- {machines: browser1, tasks: [{add: Start}]}")
        code, _, err = await amctl_play(run, gone)
        assert code == 4
        assert "error: machine 'browser1' is not connected" in err


async def broken_on_purpose(run: Started, folder: Path) -> None:
    """What goes wrong has its place, its reason and its exit code, over real connections too."""
    cases = [
        ("{add: [StartWrk]}", 7, "7:14: machine 'orchestrator' has no state 'StartWrk'"),
        ("{add: [Browser1Ready, Sccess]}", 7, "7:29: machine 'orchestrator' has no state"),
        ("{add: StartWork, args: {StartWork.reson: x}}", 7, "have no field 'reson'"),
        ("{when: [Failed], timeout: 200ms}", 6, "7:7: when Failed on orchestrator: timeout"),
        ("{add: [Succeeded, Failed]}", 5, "7:7: add Succeeded Failed on orchestrator: canceled"),
        ("{assert: {active: [Failed]}}", 1, "7:7: assert on orchestrator: failed: Failed is"),
    ]
    head = (
        "- machines: orchestrator\n  tasks:\n    - when: Ready\n    # here\n    # it\n    # comes\n"
    )
    for task, wanted, words in cases:
        path = write(folder, f"{head}    - {task}\n    - {{add: StartWork}}\n")
        code, _, err = await amctl_play(run, path)
        assert code == wanted, (task, err)
        assert words in err, (task, err)
