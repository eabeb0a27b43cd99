"""A run from its first part to its last: every way out leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from amctl.run import browser
from amctl.run import recording as recording_room
from amctl.run import supervisor as room
from amctl.run.errors import (
    AddressError,
    BrowserDiedError,
    ExposedAddressError,
    FolderTakenError,
    NoBrowserError,
    PortTakenError,
    RunFolderError,
    WorkflowLoadError,
)
from amctl.run.recording import Recording
from amctl.run.report import Report, StartOptions
from amctl.run.settings import load_settings
from amctl.run.signals import Stopper
from amctl.run.spans import tracing as tracing_room
from amctl.run.supervisor import supervise
from tests.run.spans.made import request
from tests.support import fake_nodes
from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amctl.telemetry.recorder import Recorder

pytestmark = pytest.mark.realtime


class Watcher:
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int]] = []
        self.awaited_round = 1
        self.working = asyncio.Event()
        self.saw_the_end = False

    def say(self, text: str, *, level: int = 0) -> None:
        self.said.append((text, level))

    def let_go(self) -> None:
        self.said.append(("let go", 0))

    async def watch(self, recorder: Recorder) -> None:
        closed = asyncio.Event()

        def look() -> None:
            if recorder.run.round >= self.awaited_round:
                self.working.set()
            if recorder.is_closed:
                closed.set()

        recorder.subscribe(look)
        await closed.wait()
        self.saw_the_end = True


class Stage:
    """A project in a folder of its own, with the fake nodes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.watcher = Watcher()

    def settings(self, *sets: str) -> Any:
        base = ["RELAY_ADDR=127.0.0.1:0", "NODES_PACKAGE=tests.support.fake_nodes"]
        return load_settings(
            None,
            [*base, "AM_DBG_ADDR=", "EXIT_ON_COMPLETED=1", *sets],
            environ={},
            home=self.home,
        )

    async def run(self, workflow: str, *sets: str, **options: Any) -> Report:
        chosen = {"nodes": "local", "began": time.monotonic(), **options}
        return await supervise(
            self.settings(f"WORKFLOW={workflow}", *sets),
            StartOptions(**chosen),
            self.watcher,
            lambda: {"files": []},
        )

    @property
    def workflow(self) -> fake_nodes.FakeWorkflow:
        return fake_nodes.made[-1]

    def log(self) -> str:
        return (self.home / "tmp" / "amctl.log").read_text()

    def left_behind(self) -> set[str]:
        return {path.name for path in (self.home / "tmp").rglob("*")}


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web").mkdir()
    yield Stage(tmp_path)
    assert fake_nodes.made == [] or fake_nodes.made.pop()
    fake_nodes.made.clear()


ALL = ["orchestrator up", "nodes up", "workers dismissed in 2 s", "nodes down"]


async def test_a_verified_run_comes_up_and_goes_down_in_order(stage: Stage) -> None:
    report = await stage.run("ok")
    assert (report.ending, report.ok) == ("verified", True)
    assert stage.workflow.happened == ALL
    assert stage.watcher.saw_the_end
    assert stage.left_behind() == {"amctl.log"}
    lines = stage.log().splitlines()
    assert re.search(r"run r of fake, seed 7, at http://127\.0\.0\.1:\d+$", lines[0])
    assert re.search(r"verified after \d+ ms$", lines[-1])
    document = report.as_json()
    assert document["results"] == {"a": fake_nodes.DIGEST}
    assert (document["rounds"], document["interrupted"], document["executions"]) == (1, 1, 1)
    assert 0 <= document["ready_ms"] <= document["done_ms"]
    assert document["nodes"]["a"]["state"] == "verified"


async def test_rounds_that_ran_out_are_a_failure(stage: Stage) -> None:
    report = await stage.run("wrong")
    assert (report.ending, report.ok) == ("gave_up", False)
    assert stage.workflow.happened == ALL


async def test_a_timeout_counts_from_the_commands_beginning(stage: Stage) -> None:
    report = await stage.run("hang", timeout=0.05, began=time.monotonic() - 1)
    assert (report.ending, report.ok) == ("timeout", False)
    assert report.snapshot.run.phase == "stopped"
    assert stage.workflow.happened == ALL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_t11_a_signal_dismisses_all_workers(stage: Stage, number: signal.Signals) -> None:
    running = asyncio.ensure_future(stage.run("hang"))
    await stage.watcher.working.wait()
    os.kill(os.getpid(), number)
    report = await running
    assert (report.ending, report.ok) == ("interrupted", False)
    assert stage.workflow.happened == ALL
    assert stage.left_behind() == {"amctl.log"}


async def test_a_second_ctrl_c_leaves_at_once_and_the_terminal_usable(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    monkeypatch.setattr(room, "Stopper", lambda: Stopper(left.append))
    running = asyncio.ensure_future(stage.run("hang"))
    await stage.watcher.working.wait()
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGINT)
    await running
    assert left == [130]
    assert stage.watcher.said[-1] == ("let go", 0)


async def test_t12_without_exit_on_completed_it_stays_until_it_is_ended(stage: Stage) -> None:
    stage.watcher.awaited_round = 3
    running = asyncio.ensure_future(stage.run("ok,ok,hang", "EXIT_ON_COMPLETED=0", timeout=60))
    await stage.watcher.working.wait()
    os.kill(os.getpid(), signal.SIGINT)
    report = await running
    assert report.ending == "interrupted"
    assert report.ok, "what it was for has been done"
    assert report.snapshot.run.message == "Stopped by Ctrl-C"


async def test_a_ctrl_c_that_overtakes_the_news_of_an_end_does_not_lose_it(stage: Stage) -> None:
    running = asyncio.ensure_future(stage.run("hang"))
    await stage.watcher.working.wait()
    stage.workflow.outcome = fake_nodes.FakeOutcome(ok=True)
    os.kill(os.getpid(), signal.SIGINT)
    report = await running
    assert (report.ending, report.ok) == ("interrupted", True)


async def test_workers_that_do_not_go_are_left(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "GRACE", -0.4)
    report = await stage.run("ok,stubborn")
    assert report.ok
    assert "took more than" in (stage.home / "tmp" / "amctl.log").read_text(encoding="utf-8")


async def test_a_port_in_use_is_one_error_and_nothing_is_left(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"127.0.0.1:{port}"):
            await stage.run("ok", f"RELAY_ADDR=127.0.0.1:{port}")
    assert stage.workflow.happened == []
    assert stage.left_behind() == {"amctl.log"}


async def test_an_address_of_another_machine_is_named(stage: Stage) -> None:
    with pytest.raises(AddressError, match=r"RELAY_ADDR 192\.0\.2\.1:0: "):
        await stage.run("ok", "RELAY_ADDR=192.0.2.1:0", "RELAY_ALLOW_PLAIN=1")


async def test_an_address_that_others_reach_is_refused_unless_forced(stage: Stage) -> None:
    with pytest.raises(ExposedAddressError, match=r"RELAY_ADDR 0\.0\.0\.0:0 is reachable") as told:
        await stage.run("ok", "RELAY_ADDR=0.0.0.0:0")
    assert "RELAY_ALLOW_PLAIN=1" in told.value.hint
    await stage.run("ok", "RELAY_ADDR=0.0.0.0:0", "RELAY_ALLOW_PLAIN=1")


async def test_a_run_that_finds_the_port_taken_leaves_the_others_files(stage: Stage) -> None:
    (stage.home / "tmp").mkdir()
    (stage.home / "tmp" / "token").write_text("theirs")
    (stage.home / "tmp" / "amctl.log").write_text("theirs too\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"RELAY_ADDR=127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(PortTakenError):
            await stage.run("ok", address)
    assert (stage.home / "tmp" / "token").read_text() == "theirs"
    assert stage.log().startswith("theirs too\n")


async def test_a_second_run_in_the_same_folder_is_turned_away(stage: Stage) -> None:
    running = asyncio.ensure_future(stage.run("hang"))
    await stage.watcher.working.wait()
    token = (stage.home / "tmp" / "token").read_text()
    with pytest.raises(FolderTakenError, match="tmp: another run is using it"):
        await stage.run("ok")
    assert (stage.home / "tmp" / "token").read_text() == token
    os.kill(os.getpid(), signal.SIGTERM)
    report = await running
    assert report.snapshot.run.message == "Stopped by SIGTERM"


async def test_a_token_that_cant_be_written_stops_the_run(stage: Stage) -> None:
    (stage.home / "tmp" / "token").mkdir(parents=True)
    with pytest.raises(RunFolderError):
        await stage.run("ok")
    assert stage.workflow.happened == []


async def test_an_orchestrator_that_cant_start_takes_everything_down(stage: Stage) -> None:
    with pytest.raises(AddressError, match=r"ORCHESTRATOR_REPL_ADDR.*can't start"):
        await stage.run("no-start")
    assert stage.workflow.happened == ["workers dismissed in 2 s"]
    assert stage.left_behind() == {"amctl.log"}


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (["NODES_PACKAGE=no_such_package"], "no such package"),
        (["NODES_PACKAGE=json"], "no function workflow"),
        (["WORKFLOW=bad-dag"], "'c', which isn't there"),
    ],
)
async def test_nodes_that_cant_be_loaded_are_named(
    stage: Stage, sets: list[str], words: str
) -> None:
    with pytest.raises(WorkflowLoadError, match=words):
        await stage.run("ok", *sets)


async def test_a_run_is_traced_into_its_folder(stage: Stage) -> None:
    running = asyncio.ensure_future(stage.run("hang", "AM_OTEL_TRACE=1"))
    await stage.watcher.working.wait()
    assert stage.workflow.traced_to is not None
    await stage.workflow.traced_to(json.dumps(request("a", "b")))
    relay = stage.workflow.relay
    assert relay is not None
    headers = {"Authorization": f"Bearer {relay.token}"}
    async with httpx.AsyncClient(base_url=relay.url) as http:
        assert (await http.post("/v1/traces", json=request("c"))).status_code == 401
        answer = await http.post("/v1/traces", json=request("c"), headers=headers)
        assert answer.status_code == 200
    os.kill(os.getpid(), signal.SIGINT)
    report = await running
    assert report.traced is not None
    assert (report.traced.spans, report.traced.path) == (3, "tmp/traces.jsonl")
    assert report.as_json()["traced"]["trace_id"] == "ab" * 16
    lights = {light.id: light for light in stage.workflow.recorder.snapshot().lights}
    assert (lights["traces"].state, lights["traces"].detail) == ("up", "tmp/traces.jsonl")
    assert len((stage.home / "tmp" / "traces.jsonl").read_text().splitlines()) == 2


async def test_without_tracing_there_is_no_door_and_no_file(stage: Stage) -> None:
    report = await stage.run("ok")
    assert report.traced is None
    assert stage.workflow.traced_to is None
    assert not (stage.home / "tmp" / "traces.jsonl").exists()


async def test_the_trace_in_jaeger_is_linked_if_that_is_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        tracing_room.RunTracing.__init__, "__kwdefaults__", {"jaeger": lambda place: True}
    )
    await stage.run("ok", "AM_OTEL_TRACE=1")
    url = f"http://localhost:16686/trace/{'ab' * 16}"
    assert (f"the trace, in Jaeger: {url}", 0) in stage.watcher.said


def collector(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Let runs have the scripted collector."""
    script = str(ROOT / "tests" / "support" / "fake_collector.py")
    made = partial(Recording, command=(sys.executable, script, how))
    monkeypatch.setattr(room, "Recording", made)


@pytest.mark.slow
async def test_a_run_is_recorded_by_a_collector_of_its_own(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector(monkeypatch, "ok")
    running = asyncio.ensure_future(stage.run("hang", "AM_DBG_ADDR=127.0.0.1:9"))
    await stage.watcher.working.wait()
    assert stage.workflow.recorded_to is not None
    dial, token = stage.workflow.recorded_to
    got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    connection = await dial()
    connection.start(got.set_result, lambda _: None, lambda: None)
    assert (await got).decode() == f"{token}127.0.0.1:9"
    connection.close()
    lights = {light.id: light for light in stage.workflow.recorder.snapshot().lights}
    assert (lights["debugger"].state, lights["debugger"].detail) == (
        "up",
        "tmp/am-dbg-dump.sqlite",
    )
    os.kill(os.getpid(), signal.SIGINT)
    await running
    assert (stage.home / "tmp" / "collector.log").read_text() == "bye\n"


@pytest.mark.slow
async def test_a_run_that_can_not_be_recorded_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector(monkeypatch, "never")
    monkeypatch.setattr(recording_room, "_BACKOFF", ())
    report = await stage.run("ok", "AM_DBG_ADDR=1")
    assert report.ok
    text = "this run is not recorded: the collector can't start, see tmp/collector.log"
    assert (text, 0) in stage.watcher.said
    assert text in stage.log()
    lights = {light.id: light for light in stage.workflow.recorder.snapshot().lights}
    assert (lights["debugger"].state, lights["debugger"].detail) == ("down", "not recorded")


async def test_without_a_browser_the_page_is_served_to_whoever_has_the_address(
    stage: Stage,
) -> None:
    running = asyncio.ensure_future(stage.run("hang", nodes="browser", browser="none"))
    await stage.watcher.working.wait()
    (asked, _), *_ = stage.watcher.said
    url = asked.rsplit(" ", 1)[1]
    token = (stage.home / "tmp" / "token").read_text()
    base = url.split("/?")[0]
    async with httpx.AsyncClient(base_url=base) as http:
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await http.get("/boot.json")).status_code == 401
        answer = await http.get("/boot.json", headers=bearer)
        assert answer.json()["plan"] == {"nodes": ["a"]}
        assert (await http.head("/events", headers=bearer)).status_code == 200
        for node in ("a", "page"):
            report = {"node": node, "level": "error", "text": "oh"}
            assert (await http.post("/log", headers=bearer, json=report)).status_code == 204
    said = [(event.node, event.text) for event in stage.workflow.recorder.snapshot().events]
    assert said[-2:] == [("a", "oh"), (None, "page: oh")]
    os.kill(os.getpid(), signal.SIGINT)
    await running


def scripted(folder: Path, script: str) -> browser.Browser:
    """A browser that does what a shell script says."""
    program = folder / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return browser.Browser("chromium", program)


async def test_a_browser_that_ends_early_ends_the_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(browser, "find_browser", lambda: scripted(tmp_path, "echo no luck\nexit 3"))
    with pytest.raises(BrowserDiedError, match="chromium ended with code 3") as caught:
        await stage.run("absent", nodes="browser", browser="headless")
    assert stage.left_behind() == {"amctl.log", "browser.log"}
    assert caught.value.hint.endswith("in tmp/browser.log")
    assert (stage.home / "tmp" / "browser.log").read_text() == "no luck\n"
    assert stage.workflow.recorder.run.message.startswith("Chromium ended with code 3")
    assert "no luck" not in stage.log()


async def test_a_browser_that_dies_in_mid_run_is_started_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = "test -e died && exec sleep 1000; touch died; kill -9 $$"
    monkeypatch.setattr(browser, "find_browser", lambda: scripted(tmp_path, script))
    report = await stage.run("hang,ok", nodes="browser", browser="headless")
    assert (report.ending, report.ok) == ("verified", True)
    fate = "chromium was ended by SIGKILL before the work was done"
    assert [text for text, level in stage.watcher.said if not level] == [
        f"{fate}; it is started again"
    ]
    assert fate in [event.text for event in report.snapshot.events]
    assert f"{fate} (what it said is in tmp/browser.log)" in stage.log()


async def test_a_browser_that_dies_again_and_again_ends_the_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(browser, "find_browser", lambda: scripted(tmp_path, "echo .; exit 1"))
    with pytest.raises(BrowserDiedError, match="chromium ended with code 1"):
        await stage.run("hang", nodes="browser", browser="headless")
    assert (stage.home / "tmp" / "browser.log").read_text() == ".\n" * 3, "each one's words"


async def test_a_page_that_is_gone_for_good_ends_the_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(browser, "find_browser", lambda: scripted(tmp_path, "exec sleep 1000"))
    monkeypatch.setattr(room, "PATIENCE", 0.01)
    monkeypatch.setattr(room, "RESTARTS", 0)
    running = asyncio.ensure_future(stage.run("hang", nodes="browser", browser="headless"))
    await stage.watcher.working.wait()
    stage.workflow.recorder.lost("a")
    with pytest.raises(BrowserDiedError, match="page in chromium has ended"):
        await running


async def test_no_browser_is_one_error(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "find_browser", lambda: None)
    for mode in ("headless", "open"):
        with pytest.raises(NoBrowserError):
            await stage.run("hang", nodes="browser", browser=mode)
    assert fake_nodes.made == [], "nothing was started"
    assert stage.left_behind() == {"amctl.log"}
