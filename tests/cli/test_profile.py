"""`amctl profile`: what it asks, prints and writes, and how it ends, without a network."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from amctl.cli import _operating as operating
from amctl.cli import _profile_work as room
from amctl.cli.exitcodes import ExitCode
from amctl.cli.main import run
from amctl.insight.errors import NotPermittedError
from amctl.insight.profiles.model import Frame, Profile, Stack
from amctl.machine import Machine
from amctl.repl.command import Context
from amctl.repl.errors import NothingRunsError
from amctl.rpc.errors import CallRefusedError, NotConnectedError
from amctl.rpc.wire.codes import Code
from amctl.run.devtools import cpu
from amctl.telemetry.profiling.answering import offer
from tests.insight.profiles.test_model import ANSWER
from tests.support.fake_fleet import FakeFleet, FakePeer, fleet_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from amctl.cli._operating import Reach
    from amctl.cli.options import GlobalOptions

    Printed = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.realtime
INFO = {"machine": "browser3", "thread": "browser3", "pid": 0, "how": ["calls"], "running": False}


class ThreadPeer(FakePeer):
    """A machine in a browser's thread."""

    fails_at = ""
    error: Exception | None = None

    def told(self) -> list[str]:
        """What it was asked to do."""
        return [word for word in self.asked if word != "profile"]

    async def ask(self, question: str, **params: Any) -> Any:
        """As such a thread answers."""
        self.asked.append(params["do"])
        await asyncio.sleep(0)
        if params["do"] == self.fails_at and self.error is not None:
            raise self.error
        return INFO | ANSWER | {"taken": "calls"}


class World:
    """The machines in reach."""

    def __init__(self) -> None:
        self.thread = ThreadPeer(Machine("browser3", {"A": {}}), 1)
        self.fleet = FakeFleet([fleet_of("orchestrator").peers[0], self.thread])
        self.nothing: NothingRunsError | None = None
        self.reach: Reach | None = None

    @contextlib.asynccontextmanager
    async def reaching(self, options: GlobalOptions, reach: Reach) -> AsyncIterator[Context]:
        self.reach = reach
        if self.nothing is not None:
            raise self.nothing
        yield Context(self.fleet, say=lambda text: options.say(text, level=1))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPL_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(room, "which", lambda name: None)
    monkeypatch.setattr(room, "_BEAT", 0.01)
    monkeypatch.setattr(room, "_PATIENCE", 0.05)
    made = World()
    monkeypatch.setattr(operating, "reaching", made.reaching)
    offer()
    return made


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    def amctl(*argv: str, most: str = "50ms") -> tuple[int, str, str]:
        code = run(["profile", *argv, "--seconds", most])
        out, err = capsys.readouterr()
        return code, out, err

    return amctl


# -- what is taken


def test_a_process_is_sampled_inside_if_py_spy_isnt_there(world: World, printed: Printed) -> None:
    code, out, err = printed("--hz", "200", "-d", "there")
    assert code == ExitCode.DONE
    assert out.split() == ["profile-orchestrator.html", "profile-orchestrator.speedscope.json"]
    assert "by thread" in err
    assert world.reach is not None
    assert (world.reach.target, world.reach.dir, world.reach.watch) == ("there", True, False)


def test_a_thread_is_sampled_by_its_calls(world: World, printed: Printed, tmp_path: Path) -> None:
    code, out, err = printed("browser3", "-o", str(tmp_path / "x.html"))
    assert (code, world.thread.told()) == (ExitCode.DONE, ["info", "start", "stop"])
    assert out.split() == [str(tmp_path / name) for name in ("x.html", "x.speedscope.json")]
    assert "browser3: busy 1.05 of 2.0 s (52 %), 10 samples by calls" in err
    assert "m AState" in err
    assert "m AState" in (tmp_path / "x.html").read_text()


def test_quiet_prints_the_files_alone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-q", "profile", "browser3", "-s", "50ms"]) == 0
    out, err = capsys.readouterr()
    assert (len(out.split()), err) == (2, "")


def test_json_is_one_document(world: World, printed: Printed) -> None:
    code, out, err = printed("browser3", "--json")
    found = json.loads(out)
    assert (code, err) == (ExitCode.DONE, "")
    assert (found["target"], found["how"], found["busy"]) == ("browser3", "calls", 1.05)
    assert [handler["name"] for handler in found["handlers"]] == ["m AState"]
    assert found["functions"][0] == {
        "name": "burn", "file": "b.py", "line": 2, "own_us": 900_000, "total_us": 900_000,
    }  # fmt: skip
    assert found["files"] == ["profile-browser3.html", "profile-browser3.speedscope.json"]


def test_py_spy_looks_from_outside_where_it_may(
    world: World, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    async def record(program: str, pid: int, target: str, **rest: Any) -> Profile:
        asked.append((program, pid, target, rest))
        return Profile(target, "py-spy", 1.0, (Frame("f"),), (Stack((0,), 10, 1),))

    monkeypatch.setattr(room, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(room, "record", record)
    code, _, err = printed("orchestrator", "--hz", "50")
    assert (code, "by py-spy" in err) == (ExitCode.DONE, True)
    assert asked == [("/bin/py-spy", os.getpid(), "orchestrator", {"seconds": 0.05, "hz": 50})]

    async def forbidden(*_: Any, **__: Any) -> Profile:
        raise NotPermittedError("orchestrator", "Permission denied")

    monkeypatch.setattr(room, "record", forbidden)
    code, _, err = printed("orchestrator")
    assert (code, "by thread" in err) == (ExitCode.DONE, True), "then from inside"
    code, _, err = printed("orchestrator", "--how", "py-spy")
    assert code == ExitCode.FAILED
    assert "Permission denied" in err
    assert "--how signal" in err


def test_the_page_is_shown_if_asked_for(
    world: World, printed: Printed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    assert printed("browser3", "--open")[0] == 0
    assert shown == [(tmp_path / "profile-browser3.html").as_uri()]


# -- Chromium's own


def test_chromiums_own_profile_stands_beside(
    world: World, printed: Printed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    @contextlib.asynccontextmanager
    async def cpu_profile(address: str, thread: str) -> AsyncIterator[Any]:
        asked.extend((address, thread))

        class Taking:
            async def stop(self) -> dict[str, Any]:
                return {"nodes": []}

        yield Taking()
        asked.append("closed")

    monkeypatch.setattr(cpu, "cpu_profile", cpu_profile)
    (tmp_path / "run").mkdir()
    address = "ws://127.0.0.1:1/devtools/browser/x"
    (tmp_path / "run" / "devtools").write_text(address)
    code, out, _ = printed("browser3", "--cpu-profile")
    assert (code, asked) == (ExitCode.DONE, [address, "browser3", "closed"])
    assert out.split()[2] == "profile-browser3.cpuprofile"
    assert json.loads((tmp_path / "profile-browser3.cpuprofile").read_text()) == {"nodes": []}


def test_without_a_debugging_door_it_says_how_to_get_one(world: World, printed: Printed) -> None:
    code, out, err = printed("browser3", "--cpu-profile")
    assert (code, out) == (ExitCode.FAILED, "")
    assert "no debugging door" in err
    assert "hint: start the run with one" in err
    assert world.thread.told() == ["info"], "nothing was begun"


def test_chromium_has_no_profile_of_a_process(world: World, printed: Printed) -> None:
    code, _, err = printed("orchestrator", "--cpu-profile")
    assert code == ExitCode.USAGE
    assert "orchestrator is in no browser" in err


# -- what can't be


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["browser33"], ExitCode.NOTHING_MATCHED, "did you mean 'browser3'?"),
        (["all"], ExitCode.USAGE, "'all' fits 2 machines: orchestrator, browser3"),
        (["browser3", "--how", "py-spy"], ExitCode.USAGE, "is a browser thread"),
        (["browser3", "--how", "thread"], ExitCode.USAGE, "ways to do it: calls"),
        (["--how", "py-spy"], ExitCode.FAILED, "it isn't installed"),
        (["--how", "magic"], ExitCode.USAGE, "magic"),
        (["--hz", "5000"], ExitCode.USAGE, "hz"),
        (["browser3", "-o", "missing/x"], ExitCode.FAILED, "missing/x.html can't be written"),
    ],
    ids=str,
)
def test_what_cant_be_done_is_told(
    world: World, printed: Printed, words: list[str], code: ExitCode, said: str
) -> None:
    found, out, err = printed(*words)
    assert (found, out) == (code, "")
    assert said in " ".join(err.replace("\N{BOX DRAWINGS LIGHT VERTICAL}", " ").split())
    assert "report" not in err


@pytest.mark.parametrize("text", ["soon", "0", "2h"])
def test_odd_times_are_refused(world: World, printed: Printed, text: str) -> None:
    code, _, err = printed(most=text)
    assert code == ExitCode.USAGE
    assert text in err


def test_nothing_running_says_how_to_start(world: World, printed: Printed) -> None:
    world.nothing = NothingRunsError("run", "no *.addr files")
    code, out, err = printed()
    assert (code, out) == (ExitCode.UNREACHABLE, "")
    assert "amctl start" in err


def test_a_busy_machine_is_waited_for_but_not_for_ever(world: World, printed: Printed) -> None:
    world.thread.is_ready = False
    code, _, err = printed("browser3")
    assert code == ExitCode.UNREACHABLE
    assert "not connected" in err


def test_a_process_without_profiles_says_what_it_takes(world: World, printed: Printed) -> None:
    world.thread.fails_at = "info"
    world.thread.error = CallRefusedError("rc-1", "profile", Code.UNSUPPORTED, "no question")
    code, _, err = printed("browser3")
    assert code == ExitCode.FAILED
    assert "the process of machine 'browser3' offers no profiles" in err
    assert "answering.offer()" in err


def test_a_profile_that_is_being_taken_is_left_alone(world: World, printed: Printed) -> None:
    world.thread.fails_at = "start"
    text = "a profile is being taken already; it ends within 8 s"
    world.thread.error = CallRefusedError("rc-1", "profile", Code.BUSY, text)
    code, _, err = printed("browser3")
    assert (code, text in err) == (ExitCode.FAILED, True)
    assert world.thread.told() == ["info", "start"], "it isn't ours to stop"


def test_a_machine_that_is_lost_meanwhile_is_told(
    world: World, printed: Printed, tmp_path: Path
) -> None:
    world.thread.fails_at = "stop"
    world.thread.error = NotConnectedError("rc-1", "profile")
    code, out, err = printed("browser3")
    assert (code, out) == (ExitCode.UNREACHABLE, "")
    assert err.startswith("error: ")
    assert list(tmp_path.glob("profile-*")) == []


def test_an_answer_that_doesnt_hold_together_is_bad_input(
    world: World, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWER, "stacks", [[[99], 1, 1]])
    code, _, err = printed("browser3")
    assert code == ExitCode.BAD_INPUT
    assert "the profile of browser3 can't be read" in err


def test_a_hostile_id_names_no_other_folder(world: World, printed: Printed, tmp_path: Path) -> None:
    world.thread.net = Machine("../../up", {"A": {}})
    code, out, _ = printed("../../up")
    assert (code, out.split()[0]) == (ExitCode.DONE, "profile-.._.._up.html")


# -- giving up


@pytest.mark.parametrize("lost", [False, True])
def test_ctrl_c_takes_back_what_was_begun(
    world: World, printed: Printed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lost: bool
) -> None:
    async def press(seconds: float, progress: Any) -> None:
        threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
        await asyncio.sleep(30)

    monkeypatch.setattr(room, "_pass", press)
    if lost:
        world.thread.fails_at, world.thread.error = "stop", NotConnectedError("rc-1", "profile")
    code, out, _ = printed("browser3", most="60s")
    assert (code, out) == (ExitCode.INTERRUPTED, "")
    assert world.thread.told() == ["info", "start", "stop"]
    assert list(tmp_path.glob("profile-*")) == []


# -- what it costs


@pytest.mark.slow
def test_its_help_loads_no_network() -> None:
    program = (
        "import sys; from amctl.cli.main import run; run(['profile', '-h']); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "amctl.cli.profile" in loaded
    assert not {"amctl.rpc", "amctl.run", "amctl.insight", "websockets"} & loaded
