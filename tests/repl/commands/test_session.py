"""connect, script, cheatsheet, exit, help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.repl.commands.session import help_lines, overview
from amctl.repl.outcome import Verdict
from amctl.repl.registry import registry, run_line
from tests.support.fake_fleet import FakeFleet, context, fleet_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fleet() -> FakeFleet:
    return fleet_of()


async def test_connect_dials_again_at_a_prompt(fleet: FakeFleet) -> None:
    assert not (await run_line(context(fleet), "connect")).ok
    here = context(fleet, extra={"exit": lambda: None})
    assert (await run_line(here, "connect")).lines == ("executed",)
    assert fleet.reconnects == 1


async def test_exit_leaves(fleet: FakeFleet) -> None:
    left: list[bool] = []
    outcome = await run_line(context(fleet, extra={"exit": lambda: left.append(True)}), "exit")
    assert (outcome.ok, outcome.lines, left) == (True, (), [True])


async def test_script_runs_a_file(fleet: FakeFleet, tmp_path: Path) -> None:
    path = tmp_path / "a b"
    path.write_text("add . Foo\nadd . Needy\nadd . Start\n", encoding="utf-8")
    outcome = await run_line(context(fleet), f"script '{path}'")
    assert outcome.verdict is Verdict.CANCELED
    assert sorted(fleet.peers[0].net.active) == ["Foo"]
    outcome = await run_line(context(fleet), f"script '{path}' -k")
    assert outcome.verdict is Verdict.CANCELED
    assert sorted(fleet.peers[0].net.active) == ["Foo", "Start"]
    assert len(outcome.data) == 3


async def test_a_script_that_isnt_there_is_said(fleet: FakeFleet) -> None:
    outcome = await run_line(context(fleet), "script nowhere/a")
    assert outcome.verdict is Verdict.BAD_INPUT
    assert outcome.problems == ("script 'nowhere/a' can't be read: no such file or directory",)


async def test_the_cheatsheet_fits_one_screen(fleet: FakeFleet) -> None:
    lines = (await run_line(context(fleet), "cheatsheet")).lines
    assert len(lines) <= 23
    assert [line for line in lines if len(line) > 80] == []


async def test_help_lists_all_commands_by_group(fleet: FakeFleet) -> None:
    """Test 18 of the spec, as far as it is about help."""
    outcome = await run_line(context(fleet), "help")
    heads = [line for line in outcome.lines if not line.startswith(" ")]
    assert heads[:-1] == [f"{g} commands" for g in ("mutating", "waiting", "checking", "repl")]
    assert {row["name"] for row in outcome.data} == set(registry)
    assert all(len(line) <= 80 for line in outcome.lines)


async def test_help_of_one_command(fleet: FakeFleet) -> None:
    outcome = await run_line(context(fleet), "help list")
    assert outcome.lines[2] == "usage: list [OPTION...]"
    assert any(line.startswith("  -a, --active STATE ...") for line in outcome.lines)
    assert outcome.lines[-1] == "example: list -a Ready -r 'browser.*'"
    assert outcome.data["params"][0]["flags"] == ["-z", "--states"]
    assert (await run_line(context(fleet), "help lst")).hint == "did you mean 'list'?"


def test_every_command_is_explained() -> None:
    for command in registry.values():
        assert command.summary
        assert not command.summary.endswith(".")
        assert all(param.help.endswith(".") for param in command.params)
        assert help_lines(command)[-1].startswith("example: ")
    assert len(overview(registry)) == len(registry) + 5
