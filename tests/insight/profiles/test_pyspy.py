"""py-spy: what it is told, what it says, and that it really works here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from amctl.insight.errors import NotPermittedError
from amctl.insight.profiles.model import HANDLER, Frame
from amctl.insight.profiles.pyspy import parse, record
from amctl.run.programs import which

RAW = """\
main (a.py:1);Machine.add (/x/amctl/machine/core.py:9);AState (/nodes/worker.py:7);burn (b.py:3) 30
main (a.py:1);Runner.run (asyncio/runners.py:118);EpollSelector.select (selectors.py:468) 5
<module> (<string>:1) 2
odd frame without place 1
not a line
"""


def test_handlers_get_a_frame_and_waits_are_idle() -> None:
    found = parse(RAW, "x", 1.0, 100)
    heavy, *_ = found.stacks
    named = [found.frames[index] for index in heavy.frames]
    assert named == [
        Frame("main", "a.py", 1),
        Frame("Machine.add", "amctl/machine/core.py", 9),
        Frame("AState", HANDLER),
        Frame("AState", "nodes/worker.py", 7),
        Frame("burn", "b.py", 3),
    ]
    assert (heavy.microseconds, heavy.seen) == (300_000, 30)
    assert found.samples == 33
    assert found.idle == pytest.approx(0.67)
    assert Frame("odd frame without place") in found.frames


def test_no_samples_are_a_profile_too() -> None:
    found = parse("", "x", 1.0, 100)
    assert (found.stacks, found.idle) == ((), 1.0)


def test_it_is_told_whom_how_long_and_how_often() -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        Path(command[command.index("--output") + 1]).write_text(RAW)
        return subprocess.CompletedProcess(command, 0, "", "")

    record("/bin/py-spy", 42, "x", seconds=2.0, hz=50, run=run)
    (command,) = asked
    assert command[:4] == ["/bin/py-spy", "record", "--pid", "42"]
    assert command[command.index("--duration") + 1] == "2"
    assert command[command.index("--rate") + 1] == "50"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ((1, "Error: Permission Denied\n"), "Permission Denied"),
        ((1, ""), "said nothing"),
        (OSError("no such program"), "no such program"),
        (subprocess.TimeoutExpired("py-spy", 22), "timed out"),
    ],
)
def test_what_it_cant_do_is_told(outcome: Any, said: str) -> None:
    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        if isinstance(outcome, Exception):
            raise outcome
        return subprocess.CompletedProcess(command, outcome[0], "", outcome[1])

    with pytest.raises(NotPermittedError, match=said) as caught:
        record("py-spy", 42, "x", seconds=2.0, hz=50, run=run)
    assert "--how thread" in caught.value.hint


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.skipif(which("py-spy") is None, reason="needs py-spy")
def test_a_busy_process_is_seen() -> None:
    code = "def burn():\n    while True: sum(range(1000))\nprint(flush=True)\nburn()"
    busy = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert busy.stdout is not None
        busy.stdout.readline()
        found = record(which("py-spy") or "", busy.pid, "x", seconds=1.0, hz=50)
    except NotPermittedError as error:
        pytest.skip(f"this machine doesn't permit it: {error}")
    finally:
        busy.kill()
        busy.communicate()
    assert any(weight.frame.name == "burn" for weight in found.weights())
