"""Browsers: found, started privately, ended with everything they made."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from amctl.run import browser as room
from amctl.run.browser import Browser, can_open, find_browser, launch, pick_mode
from amctl.run.errors import NoBrowserError
from tests.support.house import ROOT

FAKE = """#!/bin/sh
for word in "$@"; do
    case $word in --user-data-dir=*) profile=${word#--user-data-dir=} ;; esac
done
sleep 1000 &
echo $! >"$profile/child"
echo "$@" >"$(dirname "$0")/ready"
wait
"""


@pytest.fixture
def fake_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A browser that has a child, as real ones do, and does nothing."""
    program = tmp_path / "chromium"
    program.write_text(FAKE)
    program.chmod(0o755)
    os.mkfifo(tmp_path / "ready")
    monkeypatch.setattr(room, "which", lambda name: str(program) if name == "chromium" else None)
    return program


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def until_gone(pid: int) -> None:
    """A process that was killed ends in the system's time."""
    async with asyncio.timeout(10):
        while is_alive(pid):  # noqa: ASYNC110 - nobody tells of another one's child
            await asyncio.sleep(0.01)


async def words_of(fake: Path) -> str:
    """What it was started with; waits until it runs."""
    return await asyncio.to_thread((fake.parent / "ready").read_text)


@pytest.mark.realtime
async def test_closing_leaves_neither_processes_nor_files(fake_browser: Path) -> None:
    opened = await launch("http://localhost:1/", headless=True)
    words = await words_of(fake_browser)
    child = int((opened.profile / "child").read_text())
    assert "--headless=new" in words
    assert words.split()[-1] == "http://localhost:1/"
    assert is_alive(child)
    await opened.close()
    await until_gone(child)
    assert not opened.profile.exists()
    await opened.close()


@pytest.mark.realtime
async def test_a_hard_exit_kills_without_waiting(fake_browser: Path) -> None:
    opened = await launch("http://localhost:1/", headless=True)
    await words_of(fake_browser)
    opened.kill()
    assert await opened.wait() == -9
    assert not opened.profile.exists()


@pytest.mark.realtime
async def test_no_browser_is_said_with_what_was_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "find_browser", lambda: None)
    with pytest.raises(NoBrowserError, match=r"chromium.*firefox") as caught:
        pick_mode(None)
    assert "amctl setup" in caught.value.hint
    with pytest.raises(NoBrowserError, match="now there is none"):
        await launch("http://localhost:1/", headless=True)


def test_the_page_is_opened_as_wished_or_as_well_as_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "find_browser", lambda: Browser("chromium", Path("/c")))
    for shown in (True, False):
        monkeypatch.setattr(room, "can_open", lambda: shown)  # noqa: B023  # called at once
        assert pick_mode(None) == ("open" if shown else "headless")
        assert (pick_mode("headless"), pick_mode("none")) == ("headless", "none")
    with pytest.raises(NoBrowserError, match="no display"):
        pick_mode("open")


@pytest.mark.realtime
async def test_a_browser_that_cannot_start_leaves_no_profile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(room, "find_browser", lambda: Browser("chromium", tmp_path / "nothing"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(NoBrowserError, match="No such file"):
        await launch("http://localhost:1/", headless=True)
    assert list(tmp_path.iterdir()) == []


def test_root_goes_without_the_sandbox_and_nobody_else() -> None:
    chromium = Browser("chromium", Path("/c"))
    for root in (True, False):
        command = chromium.command("u", Path("/p"), headless=True, root=root)
        assert ("--no-sandbox" in command) is root


def test_firefox_gets_its_own_words() -> None:
    command = Browser("firefox", Path("/f")).command("u", Path("/p"), headless=True, root=False)
    assert command == ["/f", "--no-remote", "--profile", "/p", "--headless", "u"]


def test_chromium_comes_before_firefox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "which", lambda name: f"/b/{name}" if "o" in name else None)
    found = find_browser()
    assert found is not None
    assert found.family == "chromium"
    monkeypatch.setattr(room, "which", lambda name: f"/b/{name}" if "fire" in name else None)
    found = find_browser()
    assert found is not None
    assert found.family == "firefox"


def test_a_window_needs_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "find_browser", lambda: Browser("chromium", Path("/c")))
    monkeypatch.setattr("sys.platform", "linux")
    assert not can_open({})
    assert can_open({"DISPLAY": ":0"})


def test_there_is_a_debugging_port_only_if_asked_for() -> None:
    chromium, firefox = Browser("chromium", Path("/c")), Browser("firefox", Path("/f"))
    for door in (True, False):
        command = chromium.command("u", Path("/p"), headless=True, root=False, door=door)
        assert ("--remote-debugging-port=0" in command) is door
        assert not any("address" in word or "allow-origins" in word for word in command)
    command = firefox.command("u", Path("/p"), headless=True, root=False, door=True)
    assert not any("remote-debugging" in word for word in command)


@pytest.mark.realtime
@pytest.mark.parametrize("is_hard", [False, True])
async def test_the_debugging_ports_address_lives_as_long_as_the_browser(
    fake_browser: Path, tmp_path: Path, is_hard: bool
) -> None:
    folder = tmp_path / "run"
    opened = await launch("http://localhost:1/", headless=True, door=folder)
    assert "--remote-debugging-port=0" in await words_of(fake_browser)
    (opened.profile / "DevToolsActivePort").write_text("4711\n/devtools/browser/ab\n")
    async with asyncio.timeout(10):
        while not (folder / "devtools").exists():  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.01)
    if is_hard:
        opened.kill()
        assert not (folder / "devtools").exists()
    await opened.close()
    assert not (folder / "devtools").exists()


@pytest.mark.realtime
async def test_a_folder_that_cant_be_written_costs_only_the_debugging_port(
    fake_browser: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    opened = await launch("http://localhost:1/", headless=True, door=tmp_path / "file")
    await words_of(fake_browser)
    (opened.profile / "DevToolsActivePort").write_text("4711\n/devtools/browser/ab\n")
    await asyncio.wait({opened._keeping}, timeout=10)  # type: ignore[arg-type, type-var]
    await opened.close()
    assert "nobody could be told of the browser's debugging port" in caplog.text


KILLED = """
import asyncio, os, signal, sys
from amctl.run import browser as room

async def main():
    room.which = lambda name: sys.argv[1] if name == "chromium" else None
    opened = await room.launch("http://localhost:1/", headless=True)
    open(os.path.join(os.path.dirname(sys.argv[1]), "ready")).read()
    print(opened.profile, flush=True)
    print((opened.profile / "child").read_text(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.realtime
async def test_nothing_of_it_outlives_a_run_that_is_killed(fake_browser: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(fake_browser), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == -9
    profile, child = out.decode().split()
    await until_gone(int(child))
    async with asyncio.timeout(10):
        while Path(profile).exists():  # noqa: ASYNC110 - nobody tells of that either
            await asyncio.sleep(0.01)
