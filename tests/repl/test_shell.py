"""The REPL at a terminal: lines, answers, ends, machines that come and go."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine
from amctl.repl.outcome import Outcome, Verdict
from amctl.repl.registry import registry
from amctl.repl.shell import BANNER
from tests.support.house import ROOT
from tests.support.shell_fleet import ShellFleet, ShellPeer
from tests.support.sitting import (
    CTRL_C,
    CTRL_D,
    ENTER,
    TAB,
    Terminal,
    WorkStates,
    sitting,
    two_machines,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def hangup() -> Iterator[None]:
    """A shell that ended by SIGHUP wants to hear no more of it: the tests do."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def fleet() -> ShellFleet:
    return two_machines()


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


async def test_answers_are_folded_between_words(fleet: ShellFleet, tmp_path: Path) -> None:
    async with sitting(fleet, tmp_path, Terminal(44)) as person:
        await person.type("cheatsheet" + ENTER)
        await person.until("=> machines: ID  .  all  browser*  a,b,!c\r\n")
        await person.until("=>               re:REGEX  tag:X  parent:ID\r\n")


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
        signal.raise_signal(signal.SIGHUP)  # comes late, and must not disturb what is left to do


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


def test_the_manual_names_every_command() -> None:
    commands = (ROOT / "docs" / "repl.md").read_text(encoding="utf-8").split("## ")[2]
    assert [name for name in registry if f"`{name}`" not in commands] == []
