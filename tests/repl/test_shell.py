"""The REPL at a terminal, key by key: real line editor, real registry, made-up machines."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from prompt_toolkit.output.vt100 import Vt100_Output

from amctl.machine import Machine, State, States
from amctl.repl.command import Command, Context, Kind, Param
from amctl.repl.commands.session import SESSION
from amctl.repl.history import JsonHistory
from amctl.repl.outcome import Outcome, Verdict
from amctl.repl.registry import Registry, registry
from amctl.repl.shell import BANNER, run_shell
from amctl.rpc.answers import About, ArgField, ArgType
from tests.support.house import ROOT
from tests.support.shell_fleet import ShellFleet, ShellPeer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from prompt_toolkit.input.base import PipeInput

CTRL_C, CTRL_D, CTRL_G, CTRL_R, TAB, ENTER = "\x03", "\x04", "\x07", "\x12", "\t", "\r"
BACKTAB, UP, RIGHT, ESCAPE = "\x1b[Z", "\x1b[A", "\x1b[C", "\x1b"


class WorkStates(States):
    Start = State()
    Work = State(multi=True)
    Working = State()


ABOUT = About("alpha", args=(ArgType("Work", "work", (ArgField("dry", "bool", "False"),)),))


class Commands:
    """What the tests' shell can do."""

    def __init__(self) -> None:
        self.ran: list[list[str]] = []
        self.release = asyncio.Event()
        self.was_cancelled = False
        self.is_stubborn = False

    async def add(self, context: Context, values: Mapping[str, Any]) -> Outcome:
        self.ran.append([values["mach"], *values["states"]])
        return Outcome(lines=("executed",))

    async def text(self, context: Context, values: Mapping[str, Any]) -> Outcome:
        return Outcome(lines=("  one\n    two\n", "   three", "bell \a and \x1b[31mred"))

    async def fail(self, context: Context, values: Mapping[str, Any]) -> Outcome:
        return Outcome(Verdict.FAILED, problems=("it went\nwrong",), hint="do it better")

    async def refuse(self, context: Context, values: Mapping[str, Any]) -> Outcome:
        return Outcome(Verdict.CANCELED)

    async def bug(self, context: Context, values: Mapping[str, Any]) -> Outcome:
        raise RuntimeError("oops")

    async def slow(self, context: Context, values: Mapping[str, Any]) -> Outcome:
        context.say("waiting for\x1b Godot")
        while True:
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                self.was_cancelled = True
                if not self.is_stubborn:
                    raise
            else:
                return Outcome(lines=("came",))

    def registry(self) -> Registry:
        mach = Param("mach", Kind.PATTERN, "Machines.", required=True)
        states = Param("states", Kind.TO_ADD, "States.", many=True, required=True)
        arg = Param("arg", Kind.ARG_NAME, "An argument.", ("--arg",), many=True)
        val = Param("val", Kind.TEXT, "Its value.", ("--val",), many=True)
        own = [Command("add", "mutating", "Add states.", self.add, (mach, states, arg, val))]
        more = ("text", "fail", "refuse", "bug", "slow")
        own += [Command(n, "checking", f"A {n}.", getattr(self, n)) for n in more]
        return Registry([*own, *SESSION])


class Terminal(DummyOutput):
    """Remembers what was written, movements aside."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.text = ""
        self.size = Size(rows, columns)
        self.is_gone = False

    def write(self, data: str) -> None:
        if self.is_gone:
            raise OSError(5, "Input/output error")
        self.text += data

    write_raw = write

    def get_size(self) -> Size:
        return self.size

    def get_rows_below_cursor_position(self) -> int:
        return self.size.rows


class Person:
    """Somebody at a shell."""

    def __init__(self, keys: PipeInput, terminal: Terminal, commands: Commands) -> None:
        self.keys, self.terminal, self.commands = keys, terminal, commands
        self.fleet = ShellFleet()
        self.shell: asyncio.Task[Outcome] | None = None
        self._read = 0

    async def type(self, text: str) -> None:
        """Press keys, and let the shell come to rest."""
        self.keys.send_text(text)
        await self.rest()

    async def rest(self) -> None:
        """Long enough for whatever is under way, and less than a command's patience."""
        await asyncio.sleep(0.1)

    async def until(self, text: str) -> str:
        """Wait for a text that was not waited for yet; all that came before it."""
        for _ in range(2000):
            found = self.terminal.text.find(text, self._read)
            if found >= 0:
                before = self.terminal.text[self._read : found]
                self._read = found + len(text)
                return before
            await asyncio.sleep(0.01)
        raise AssertionError(f"{text!r} never came: {self.terminal.text[self._read :]!r}")

    async def end(self) -> Outcome:
        """Wait until the shell has ended."""
        assert self.shell is not None
        return await asyncio.wait_for(self.shell, 60)


@pytest.fixture(autouse=True)
def hangup() -> Iterator[None]:
    """A shell that ended by SIGHUP wants to hear no more of it: the tests do."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def fleet() -> ShellFleet:
    alpha, beta = Machine("alpha", WorkStates), Machine("beta", WorkStates)
    return ShellFleet([ShellPeer(alpha, told=ABOUT), ShellPeer(beta)])


@contextlib.asynccontextmanager
async def sitting(
    fleet: ShellFleet, folder: Path, terminal: Any = None, **options: Any
) -> AsyncIterator[Person]:
    """A shell with somebody in front of it; it has shown its prompt."""
    terminal = terminal or Terminal()
    with create_pipe_input() as keys, create_app_session(keys, terminal):
        person = Person(keys, terminal, Commands())
        person.fleet = fleet
        running = run_shell(
            Context(fleet),  # type: ignore[arg-type]
            person.commands.registry(),
            history=JsonHistory(folder / "history"),
            input=keys,
            output=terminal,
            **options,
        )
        person.shell = asyncio.ensure_future(running)
        try:
            await person.rest()
            yield person
        finally:
            person.commands.release.set()
            if not person.shell.done():
                person.keys.send_text(CTRL_C + CTRL_D)
            with contextlib.suppress(asyncio.CancelledError):
                await person.shell


# -- lines and answers


async def test_i1_banner_and_prompt(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.until(BANNER)
        await person.until("amctl> ")
        await person.until("2 of 2 connected")
    assert BANNER == "Welcome to amctl! Tab to start, help, or Ctrl+D to exit."


async def test_results_stand_behind_arrows(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("add alpha Work" + ENTER)
        await person.until("=> executed")
        assert person.commands.ran == [["alpha", "Work"]]


async def test_several_lines_are_dedented_and_each_has_its_prefix(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("text" + ENTER)
        await person.until("=> one")
        await person.until("=>   two")
        await person.until("=>    three")
        await person.until("=> bell \N{REPLACEMENT CHARACTER} and \N{REPLACEMENT CHARACTER}[31mred")


async def test_errors_stand_behind_err_with_their_hint(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("fail" + ENTER)
        for text in ("err> it went", "err> wrong", "err> hint: do it better"):
            await person.until(text)
        await person.type("refuse" + ENTER)
        await person.until("err> canceled")
        await person.type("lits" + ENTER)
        await person.until("err> there is no command 'lits'")
        await person.type("add 'x" + ENTER)
        await person.until("err> no closing quotation")


async def test_a_bug_in_a_command_does_not_end_the_shell(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("bug" + ENTER)
        await person.until("err> this is a bug of ours: RuntimeError: oops")
        await person.type("add alpha Work" + ENTER)
        await person.until("=> executed")


async def test_help_and_cheatsheet_come_from_the_registry(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("help" + ENTER)
        await person.until("=> mutating commands")
        await person.type("help slow" + ENTER)
        await person.until("=> A slow.")
        await person.type("cheatsheet" + ENTER)
        await person.until("=> machines: ID")


async def test_a_script_shows_each_line_when_it_has_run(fleet: ShellFleet, tmp_path: Path) -> None:
    script = tmp_path / "lines"
    script.write_text("add alpha Work\nslow\nadd alpha Start\n")
    async with sitting(fleet, tmp_path) as person:
        await person.type(f"script {script}" + ENTER)
        await person.until("=> executed")
        assert person.commands.ran == [["alpha", "Work"]]
        person.commands.release.set()
        await person.until("=> came")
        await person.until("=> executed")


async def test_blank_lines_and_comments_do_nothing(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type(ENTER + "   " + ENTER + "# add alpha Work" + ENTER)
        assert person.commands.ran == []
        assert "err>" not in person.terminal.text


async def test_pasted_lines_run_in_turn_until_one_fails(fleet: ShellFleet, tmp_path: Path) -> None:
    pasted = "add alpha Work\n\nadd beta Work\nfail\nadd alpha Start\n"
    async with sitting(fleet, tmp_path) as person:
        await person.type(f"\x1b[200~{pasted}\x1b[201~")
        assert person.commands.ran == []
        await person.type(ENTER)
        await person.until("err> it went")
        await person.until("-- 1 pasted line did not run")
        assert person.commands.ran == [["alpha", "Work"], ["beta", "Work"]]


# -- leaving


async def test_i3_ctrl_d_ends_it(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        assert fleet.machine.is_("ReplMode")
        await person.type(CTRL_D)
        assert await person.end() == Outcome()
    assert fleet.machine.not_("ReplMode")


async def test_exit_ends_it(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("exit" + ENTER)
        assert (await person.end()).verdict is Verdict.DONE


async def test_ctrl_d_in_a_line_deletes_as_readline_does(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("xtext\x01" + CTRL_D + ENTER)
        await person.until("=> one")


async def test_a_closed_input_ends_it(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        person.keys.close()
        assert (await person.end()).verdict is Verdict.DONE


async def test_a_terminal_that_went_away_ends_it(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        person.terminal.is_gone = True
        signal.raise_signal(signal.SIGHUP)
        assert (await person.end()).verdict is Verdict.INTERRUPTED


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
async def test_a_signal_ends_it_while_a_command_runs(
    fleet: ShellFleet, tmp_path: Path, number: signal.Signals
) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("slow" + ENTER)
        signal.raise_signal(number)
        assert (await person.end()).verdict is Verdict.INTERRUPTED
        assert person.commands.was_cancelled


async def test_its_machines_and_signals_are_as_before(fleet: ShellFleet, tmp_path: Path) -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    async with sitting(fleet, tmp_path) as person:
        await person.type(CTRL_D)
        await person.end()
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
    fleet.peers[0].net.add("Work")
    fleet.lose(fleet.peers[0], "gone")
    assert "gone" not in person.terminal.text


# -- Ctrl-C


async def test_ctrl_c_on_an_empty_line_says_how_to_leave(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type(CTRL_C)
        await person.until("-- Ctrl+D or `exit` leaves")
        await person.until("amctl> ")


async def test_ctrl_c_drops_the_line(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("add alpha Work" + CTRL_C)
        await person.type("add beta Work" + ENTER)
        await person.until("=> executed")
        assert person.commands.ran == [["beta", "Work"]]
        assert "leaves" not in person.terminal.text


async def test_ctrl_c_cancels_a_command_and_the_prompt_is_back(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("slow" + ENTER)
        signal.raise_signal(signal.SIGINT)
        await person.until("err> canceled by Ctrl+C")
        assert person.commands.was_cancelled
        await person.type("add alpha Work" + ENTER)
        await person.until("=> executed")


async def test_a_second_ctrl_c_leaves_a_stubborn_command_behind(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    async with sitting(fleet, tmp_path) as person:
        person.commands.is_stubborn = True
        await person.type("slow" + ENTER)
        signal.raise_signal(signal.SIGINT)
        await person.rest()
        assert person.commands.was_cancelled
        signal.raise_signal(signal.SIGINT)
        await person.until("err> left behind: it may still be running")
        await person.type("add alpha Work" + ENTER)
        await person.until("=> executed")


# -- a command that takes its time


async def test_a_long_wait_shows_what_it_is_and_how_long(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("slow" + ENTER)
        assert "Godot" not in person.terminal.text, "a short one shows nothing"
        await person.until("waiting for\N{REPLACEMENT CHARACTER} Godot  0 s  Ctrl-C cancels")
        await person.until("Godot  2 s")
        person.commands.release.set()
        await person.until("=> came")


async def test_machines_that_come_and_go_are_told_while_a_command_runs(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    async with sitting(fleet, tmp_path) as person:
        await person.type("slow" + ENTER)
        await person.until("Godot")
        fleet.lose(fleet.peers[1], "refused")
        await person.until("-- beta is gone: refused")
        await person.until("Godot")


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


# -- machines come and go


async def test_machines_that_come_and_go_are_told_above_the_line(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    beta = fleet.peers[1]
    async with sitting(fleet, tmp_path) as person:
        await person.type("add gam")
        fleet.lose(beta, "connection refused")
        await person.until("-- beta is gone: connection refused")
        await person.until("1 of 2 connected")
        fleet.regain(beta)
        await person.until("-- beta is back")
        gamma = ShellPeer(Machine("gamma", WorkStates))
        fleet.add(gamma)
        await person.until("-- gamma is connected")
        await person.until("3 of 3 connected")
        fleet.remove(beta)
        await person.until("-- beta is gone: its address was taken away")
        await person.until("2 of 2 connected")
        fleet.lose(gamma, "")
        await person.until("-- gamma is gone")
        fleet.regain(gamma)
        await person.until("-- gamma is back")
        await person.type(TAB + "Work" + ENTER)
        assert person.commands.ran == [["gamma", "Work"]], "the line is as it was"


async def test_with_nothing_there_it_waits_and_says_how_to_start(tmp_path: Path) -> None:
    fleet = ShellFleet()
    async with sitting(fleet, tmp_path) as person:
        await person.until("-- nothing is connected yet; start something: amctl start --stay")
        await person.until("0 of 0 connected")
        fleet.add(ShellPeer(Machine("alpha", WorkStates)))
        await person.until("-- alpha is connected")


async def test_who_is_not_connected_at_the_beginning_is_named(
    fleet: ShellFleet, tmp_path: Path
) -> None:
    fleet.lose(fleet.peers[1], "connection refused")
    never = [Machine(f"m{number}", WorkStates) for number in range(6)]
    for machine in never:
        fleet.add(ShellPeer(machine, is_ready=False, was_ready=False))
    async with sitting(fleet, tmp_path) as person:
        await person.until("-- beta is not connected: connection refused")
        await person.until("-- m0-repl.addr is not connected yet")
        await person.until("-- and 2 more are not; see: status")


async def test_the_toolbar_tells_what_changed_last(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path) as person:
        fleet.peers[0].net.add("Work")
        fleet.peers[1].net.add(["Start", "Working"])
        await person.until("· beta +Start +Working t2")


async def test_an_address_that_moves_is_traced_again(fleet: ShellFleet, tmp_path: Path) -> None:
    alpha = fleet.peers[0]
    async with sitting(fleet, tmp_path) as person:
        fleet.lose(alpha, "")
        alpha.net = Machine("alpha", WorkStates)
        fleet.regain(alpha)
        alpha.net.add("Working")
        await person.until("alpha +Working t1")


async def test_errors_of_the_log_stand_above_the_prompt(
    fleet: ShellFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    async with sitting(fleet, tmp_path) as person:
        logging.getLogger("amctl.x").warning("a warning")
        logging.getLogger("amctl.x").error("it broke\nTraceback")
        await person.until("-- amctl.x: it broke")
        assert "a warning" not in person.terminal.text
        assert "Traceback" not in person.terminal.text


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


def test_the_manual_names_every_command() -> None:
    commands = (ROOT / "docs" / "repl.md").read_text(encoding="utf-8").split("## ")[2]
    assert [name for name in registry if f"`{name}`" not in commands] == []
