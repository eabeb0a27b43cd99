"""The REPL at a terminal, key by key: completion, history, colours, small screens."""

from __future__ import annotations

import asyncio
import io
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from amctl.repl.command import Context
from amctl.repl.history import JsonHistory
from amctl.repl.outcome import Verdict
from amctl.repl.shell import run_shell
from tests.support.sitting import (
    ABOUT,
    BACKTAB,
    CTRL_C,
    CTRL_D,
    CTRL_G,
    CTRL_R,
    ENTER,
    ESCAPE,
    RIGHT,
    TAB,
    UP,
    Commands,
    Terminal,
    sitting,
    two_machines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amctl.rpc.answers import About
    from tests.support.shell_fleet import ShellFleet


@pytest.fixture(autouse=True)
def hangup() -> Iterator[None]:
    """A shell that ended by SIGHUP wants to hear no more of it: the tests do."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def fleet() -> ShellFleet:
    return two_machines()


# -- completion


async def test_tab_types_the_only_candidate_and_a_blank(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("AD\tal\tst\t" + ENTER)
        await person.until("=> executed")
        assert person.commands.ran == [["alpha", "Start"]]


async def test_tab_shows_all_if_ambiguous_and_types_what_they_share(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("add alpha wo" + TAB)
        await person.until("add MACH STATES... [OPTION...]")
        await person.until("states")
        await person.until("Work    -- inactive t0; multi")
        await person.until("Working -- inactive t0")
        await person.type(" " + ENTER)
        assert person.commands.ran == [["alpha", "Work"]]


async def test_an_empty_line_shows_all_commands_in_groups(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type(TAB)
        for text in ("mutating commands", "add", "-- Add states.", "checking commands", "repl"):
            await person.until(text)


async def test_tab_walks_through_the_menu_and_enter_takes_only_the_word(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("add " + TAB + TAB + TAB + TAB + BACKTAB + ENTER)
        assert person.commands.ran == []
        await person.type("Work" + ENTER)
        assert person.commands.ran == [["beta", "Work"]]


@pytest.mark.parametrize("key", [ESCAPE, CTRL_G])
async def test_escape_closes_the_menu_and_leaves_the_line(
    fleet: ShellFleet, tmp_path: Path, key: str
) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("add " + TAB + TAB)
        await person.type(key)
        await asyncio.sleep(2)
        await person.type("beta Work" + ENTER)
        assert person.commands.ran == [["beta", "Work"]]


async def test_i4_not_connected_is_said_once(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        for peer in fleet.peers:
            fleet.lose(peer, "")
        await person.rest()
        await person.type("add " + TAB)
        await person.until("-- not connected: there are no machines to complete")
        await person.type(TAB + TAB)
        assert person.terminal.text.count("there are no machines") == 1
        fleet.regain(fleet.peers[0])
        await person.until("alpha is back")
        fleet.lose(fleet.peers[0], "")
        await person.type(TAB)
        assert person.terminal.text.count("there are no machines") == 2


async def test_arguments_are_asked_for_when_a_machine_arrives(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    async with sitting(fleet, tmp_path) as person:
        assert fleet.peers[0].asked == 1
        await person.type("add alpha Work --arg " + TAB + "--val f" + TAB)
        await person.type(ENTER)
        await person.until("Work.dry --val false")


async def test_tab_never_waits_for_an_answer_but_offers_again(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    answers = asyncio.Event()

    async def about(*, fresh: bool = False) -> About:
        await answers.wait()
        return ABOUT

    fleet.peers[0].about = about  # type: ignore[method-assign]
    async with sitting(fleet, tmp_path) as person:
        await person.type("add alpha Work --arg " + TAB)
        await person.until("-- asking alpha what it takes")
        answers.set()
        await person.until("Work.dry")


# -- history


async def test_i2_history_by_arrow_by_search_and_by_suggestion(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("add alpha Work" + ENTER)
        await person.type("add beta Start" + ENTER)
        await person.type(UP + UP + ENTER)
        await person.type(CTRL_R + "start" + ENTER + ENTER)
        assert [words[0] for words in person.commands.ran] == ["alpha", "beta", "alpha", "beta"]
    async with sitting(fleet, tmp_path) as person:
        await person.type("add al")
        await person.type(RIGHT + ENTER)
        assert person.commands.ran == [["alpha", "Work"]]


# -- terminals


ESCAPES = re.compile(r"\x1b\[([0-9;]*)m")


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


def colours(text: str) -> set[str]:
    """Codes that set a colour, not just bold or reverse."""
    codes = {code for found in ESCAPES.findall(text) for code in found.split(";") if code}
    return {code for code in codes if int(code) >= 30 and code not in ("39", "49")}


async def coloured(fleet: ShellFleet, folder: Path, **options: Any) -> str:
    tty = Tty()
    screen = Vt100_Output(tty, lambda: Size(24, 80), term="xterm", enable_cpr=False)
    with create_pipe_input() as keys, create_app_session(keys, screen):
        commands = Commands()
        running = run_shell(
            Context(fleet),  # type: ignore[arg-type]
            commands.registry(),
            history=JsonHistory(folder / "history"),
            input=keys,
            output=screen,
            **options,
        )
        shell = asyncio.ensure_future(running)
        for text in ("add " + TAB + TAB, CTRL_C, "text" + ENTER, "fail" + ENTER, CTRL_D):
            keys.send_text(text)
            await asyncio.sleep(1)
        await shell
    return tty.getvalue()


async def test_colours_are_there_unless_they_are_unwanted(
    fleet: ShellFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    found = await coloured(fleet, tmp_path)
    assert {"33", "31", "32", "90"} <= colours(found)
    assert "\x1b[0;33mamctl> " in found
    assert not colours(await coloured(fleet, tmp_path, color=False))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colours(await coloured(fleet, tmp_path))


@pytest.mark.parametrize(
    ("ready", "code"), [(2, "33"), (1, "35"), (0, "31")], ids=["all", "some", "none"]
)
async def test_the_prompts_colour_tells_how_connections_are(
    fleet: ShellFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ready: int, code: str
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for peer in fleet.peers[ready:]:
        fleet.lose(peer, "")
    assert f"\x1b[0;{code}mamctl> " in await coloured(fleet, tmp_path)


@pytest.mark.parametrize("size", [(20, 6), (9, 3), (4, 2), (1, 1), (200, 60)])
async def test_any_size_of_terminal_will_do(
    fleet: ShellFleet, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with sitting(fleet, tmp_path, Terminal(*size)) as person:
        await person.type(TAB + TAB + TAB + CTRL_G)
        await person.type(CTRL_C + "slow" + ENTER)
        await asyncio.sleep(2)
        person.commands.release.set()
        await person.rest()
        fleet.lose(fleet.peers[0], "refused")
        await person.type("add beta Work" + ENTER)
        assert person.commands.ran == [["beta", "Work"]]


async def test_a_dumb_terminal_has_a_prompt_and_no_more(
    fleet: ShellFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    async with sitting(fleet, tmp_path) as person:
        await person.until("amctl> ")
        await person.type("add alpha Work" + ENTER)
        await person.until("=> executed")
        await person.type(CTRL_D)
        assert (await person.end()).verdict is Verdict.DONE


async def test_inputrc_may_ask_for_vi(
    fleet: ShellFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputrc = tmp_path / "inputrc"
    inputrc.write_text("# mine\nset bell-style none\nset editing-mode vi\n")
    monkeypatch.setenv("INPUTRC", str(inputrc))
    async with sitting(fleet, tmp_path) as person:
        await person.type("add alpha xWork" + ESCAPE)
        await asyncio.sleep(2)
        await person.type("bx" + ENTER)
        assert person.commands.ran == [["alpha", "Work"]]
