"""`amctl repl` as a person sits at it: a real terminal, a real run in a real Chromium."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_start import NO_FAULTS
from tests.support.browser_threads import CHROMIUM, needs_runtime
from tests.support.house import ROOT
from tests.support.started import started
from tests.support.tmux import at_terminal, needs_tmux

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from tests.support.tmux import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(200), needs_tmux]

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: run amctl setup")
STAYS = (*NO_FAULTS, "--stay", "--timeout", "180s", "-v")
BROWSER = ("--browser", "headless", *STAYS)
LOCAL = ("--nodes", "local", *STAYS)
SCRIPT = """\
# one more round, and what the leaf of the graph has come to
add orchestrator StartWork
when orchestrator WorkDelivered --timeout 60s
time browser3 --sum
"""


def repl(
    folder: Path, home: Path, *words: str, columns: int = 80, rows: int = 24, **environ: str
) -> AbstractAsyncContextManager[Terminal]:
    """`amctl repl -d FOLDER` for somebody whose home is empty."""
    home.mkdir(exist_ok=True)
    return at_terminal(
        [sys.executable, "-m", "amctl.cli.main", "repl", "-d", str(folder), *words],
        keep=home / "screens",
        cwd=home,
        columns=columns,
        rows=rows,
        environ={"HOME": str(home), "PYTHONPATH": str(ROOT), "NO_COLOR": "", **environ},
    )


async def gone(pid: int) -> None:
    """Wait until a process has ended; whether somebody has asked how doesn't count."""
    async with asyncio.timeout(30):
        while True:
            try:
                if not Path(f"/proc/{pid}/cmdline").read_bytes():
                    return
            except OSError:
                return
            await asyncio.sleep(0.05)


@needs_runtime
@needs_chromium
async def test_a_run_is_steered_from_the_prompt(tmp_path: Path) -> None:
    folder, home = tmp_path / "run", tmp_path / "home"
    async with started(folder, *BROWSER) as run:
        await run.line("results equal their known hashes")
        async with repl(folder, home, columns=120, rows=40) as person:
            await person.until(r"^Welcome to amctl! Tab to start, help, or Ctrl\+D to exit\.$")
            await person.until(r"5 of 5 connected")
            await look_around(person)
            await begin_a_round(person)
            await inspect_through_a_tunnel(person)
            await run_a_script(person, home)
            await on_a_small_screen(person)
            await person.type("exit", "<Enter>")
            assert await person.ended() == 0
        assert run.process.returncode is None, "the run goes on"
        run.interrupt()
        await run.end()
    history = (home / ".amctl_history").read_text()
    assert '"block": "add orchestrator StartWork"' in history
    assert (home / ".amctl_history").stat().st_mode & 0o777 == 0o600


async def look_around(person: Terminal) -> None:
    """`list`, and the menu of all commands."""
    await person.type("list", "<Enter>")
    await person.until(r"^=> 5\. browser4 t\d+$")
    await person.until(r"^amctl> *$")
    await person.until(r"^5 of 5 connected")
    screen = await person.keep("list")
    assert re.search(r"^amctl> list$", screen, re.M)
    assert re.search(r"^=> 1\. orchestrator t\d+$", screen, re.M)
    assert re.search(r"^=>    CR: \(Ready:\d+ WorkersReady:\d+ ", screen, re.M)
    assert len(re.findall(r"^=> \d\. \S+ t\d+$", screen, re.M)) == 5
    coloured = await person.screen(colours=True)
    assert "\x1b[33mamctl> " in coloured
    assert "\x1b[90m=> " in coloured
    await person.type("<Tab>")
    await person.until(r"^mutating commands")
    screen = await person.keep("commands")
    assert re.search(r"^add +-- Add states", screen, re.M)
    assert re.search(r"^waiting commands", screen, re.M)
    assert re.search(r"^when-not +-- ", screen, re.M)
    await person.type("<C-g>")


async def begin_a_round(person: Terminal) -> None:
    """`add` by Tab alone, and `when`."""
    await person.type("add orch", "<Tab>")
    await person.until(r"^amctl> add orchestrator ?$")
    await person.type("<Tab>")
    await person.until(r"^StartWork +-- inactive t\d+; require NetworkReady")
    await person.keep("states")
    await person.type("startw", "<Tab>")
    await person.until(r"^amctl> add orchestrator StartWork ?$")
    await person.type("<Enter>")
    await person.until(r"^=> executed$")
    await person.type("when orchestrator WorkDelivered", "<Enter>")
    await person.until(r"amctl> when orchestrator WorkDelivered\n=> \d+$")
    screen = await person.keep("when")
    assert re.search(r"^amctl> add orchestrator StartWork\n=> executed$", screen, re.M)


async def inspect_through_a_tunnel(person: Terminal) -> None:
    """Every state of a thread of the browser, in full."""
    await person.type("inspect bro", "<Tab>")
    await person.until(r"^amctl> inspect browser$")
    await person.type("3", "<Enter>")
    await person.until(r"^=> mach://browser3$", scrolled=True)
    # The thread tells its clock in its own time, so it may not have told yet that it is done.
    await person.until(r"^=> [01] Completed\n=> +\|Tick +\d+", scrolled=True)
    await person.keep("inspect")


async def run_a_script(person: Terminal, home: Path) -> None:
    """Its file by Tab; each line's answer in its order."""
    (home / "morning.amctl").write_text(SCRIPT)
    await person.type("<C-l>", "script mor", "<Tab>")
    await person.until(r"^amctl> script morning\.amctl ?$")
    await person.type("<Enter>")
    await person.until(r"^=> executed\n=> \d+\n=> \d+$")
    await person.keep("script")


async def on_a_small_screen(person: Terminal) -> None:
    """The same prompt after the window has shrunk."""
    await person.resize(80, 24)
    await person.type("<C-l>", "remove browser3 ", "<Tab>")
    await person.until(r"^remove MACH STATE")
    await person.until(r"^Start +-- active t\d+; require RpcReady")
    screen = await person.keep("small")
    assert "5 of 5 connected" in screen.splitlines()[23]
    assert max(map(len, screen.splitlines())) <= 80
    await person.type("<C-g>", "<C-c>")
    await person.type("remove brwser3 Ready", "<Enter>")
    await person.until(r"^err> no machine matches 'brwser3'$")
    await person.until(r"^err> hint: did you mean 'browser3'\?$")
    assert "\x1b[1m\x1b[31merr> " in await person.screen(colours=True)


async def test_machines_come_and_go_and_the_line_stays(tmp_path: Path) -> None:
    folder, home = tmp_path / "run", tmp_path / "home"
    folder.mkdir()
    async with repl(folder, home) as person:
        await person.until(r"^-- nothing is connected yet; start something: amctl start --stay$")
        await person.until(r"0 of 0 connected")
        await person.type("add ", "<Tab>", "<Tab>")
        await person.until(r"^-- not connected: there are no machines to complete$")
        async with started(folder, *LOCAL) as run:
            await person.until(r"^-- orchestrator is connected$")
            await run.line("results equal their known hashes")
            await person.type("orchestrator St")
            await person.keep("come")
            run.interrupt()
            await run.end()
        await person.until(r"^-- orchestrator is gone")
        await person.until(r"^amctl> add orchestrator St$")
        await person.until(r"0 of 0 connected")
        screen = await person.keep("gone")
        assert screen.count("there are no machines to complete") == 1
        await person.type("<C-u>", "<C-c>")
        await person.until(r"^-- Ctrl\+D or `exit` leaves$")
        await person.type("<C-d>")
        assert await person.ended() == 0


async def test_a_wait_shows_that_it_goes_on_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    folder, home = tmp_path / "run", tmp_path / "home"
    async with started(folder, *LOCAL) as run:
        await run.line("results equal their known hashes")
        async with repl(folder, home, "--no-color") as person:
            await person.until(r"connected")
            await person.type("when orchestrator Failed", "<Enter>")
            await person.until(r"^. waiting for Failed.*  \d+ s  Ctrl-C cancels$")
            await person.keep("waiting")
            await person.type("<C-c>")
            await person.until(r"^err> canceled by Ctrl\+C$")
            await person.until(r"^amctl> *$")
            screen = await person.screen(colours=True)
            assert not re.search(r"\x1b\[[0-9;]*[39][0-7]m", screen.replace("\x1b[39m", ""))
            pid = await person.pid()
            await person.tmux("kill-server")
        async with repl(folder, home) as person:
            await person.until(r"connected")
            await gone(pid)
            await person.type("<Up>")
            await person.until(r"^amctl> when orchestrator Failed$")
            os.kill(await person.pid(), signal.SIGTERM)
            assert await person.ended() == 130
        run.interrupt()
        await run.end()
