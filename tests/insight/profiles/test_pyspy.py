"""py-spy: what it is told, what it says, and that it really works here."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from amctl.insight.errors import NotPermittedError
from amctl.insight.profiles import pyspy
from amctl.insight.profiles.model import HANDLER, Frame
from amctl.insight.profiles.pyspy import parse, record
from amctl.run.programs import which

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RAW = """\
main (a.py:1);Machine.add (/x/amctl/machine/core.py:9);H.AState (/nodes/worker.py:7);burn (b:3) 30
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
        Frame("H.AState", "nodes/worker.py", 7),
        Frame("burn", "b", 3),
    ]
    assert (heavy.microseconds, heavy.seen) == (300_000, 30)
    assert found.samples == 33
    assert found.idle == pytest.approx(0.67)
    assert Frame("odd frame without place") in found.frames


def test_no_samples_are_a_profile_too() -> None:
    found = parse("", "x", 1.0, 100)
    assert (found.stacks, found.idle) == ((), 1.0)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """A py-spy that does as a shell script says; its words are in `words`."""

    def made(script: str) -> str:
        path = tmp_path / "py-spy"
        path.write_text(f'#!/bin/sh\necho "$@" >"{tmp_path}/words"\n{script}\n')
        path.chmod(0o755)
        return str(path)

    return made


@pytest.mark.realtime
async def test_it_is_told_whom_how_long_and_how_often(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / "raw").write_text(RAW)
    took = program(f'while [ "$1" != --output ]; do shift; done; cp {tmp_path}/raw "$2"')
    found = await record(took, 42, "x", seconds=1.6, hz=50)
    words = (tmp_path / "words").read_text().split()
    assert words[:3] == ["record", "--pid", "42"]
    assert words[words.index("--duration") + 1] == "2"
    assert words[words.index("--rate") + 1] == "50"
    assert (found.seconds, found.samples) == (2.0, 33)


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo odd; echo Error: Permission Denied >&2; exit 1", "Permission Denied"),
        ("exit 1", "said nothing"),
        ("exit 0", "said nothing"),
    ],
)
async def test_what_it_cant_do_is_told(
    program: Callable[[str], str], script: str, said: str
) -> None:
    with pytest.raises(NotPermittedError, match=said) as caught:
        await record(program(script), 42, "x", seconds=2.0, hz=50)
    assert "--how signal" in caught.value.hint


@pytest.mark.realtime
async def test_a_program_that_isnt_there_is_told() -> None:
    with pytest.raises(NotPermittedError, match="can't be started"):
        await record("/nowhere/py-spy", 42, "x", seconds=1.0, hz=50)


@pytest.mark.realtime
async def test_one_that_never_ends_is_ended(
    program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyspy, "_MARGIN", -0.9)
    with pytest.raises(NotPermittedError, match="didn't end"):
        await record(program("exec sleep 1000"), 42, "x", seconds=1.0, hz=50)


@pytest.mark.realtime
async def test_giving_up_ends_it(program: Callable[[str], str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pid")
    took = program(f"echo $$ >{tmp_path}/pid; exec sleep 1000")
    task = asyncio.ensure_future(record(took, 42, "x", seconds=1.0, hz=50))
    pid = int(await asyncio.to_thread((tmp_path / "pid").read_text))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.skipif(which("py-spy") is None, reason="needs py-spy")
async def test_a_busy_process_is_seen() -> None:
    code = "def burn():\n    while True: sum(range(1000))\nprint(flush=True)\nburn()"
    busy = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)  # noqa: ASYNC220 - at once
    try:
        assert busy.stdout is not None
        busy.stdout.readline()
        found = await record(which("py-spy") or "", busy.pid, "x", seconds=1.0, hz=50)
    except NotPermittedError as error:
        pytest.skip(f"this machine doesn't permit it: {error}")
    finally:
        busy.kill()
        busy.communicate()
    assert any(weight.frame.name == "burn" for weight in found.weights())
