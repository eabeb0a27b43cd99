"""From a line to an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from amctl.repl.command import Command, Context, Kind, Param
from amctl.repl.outcome import Outcome, Verdict
from amctl.repl.registry import Registry, registry, run_line, run_words
from tests.support.fake_fleet import context, fleet_of

if TYPE_CHECKING:
    from collections.abc import Mapping


async def echo(context: Context, values: Mapping[str, Any]) -> Outcome:
    return Outcome(lines=(" ".join(values["words"]),), data=list(values["words"]))


ECHO = Command("echo", "repl", "Say it again", echo, (Param("words", Kind.TEXT, "", many=True),))


def test_commands_stand_in_the_order_of_their_help() -> None:
    names = list(registry)
    assert names[:2] == ["add", "remove"]
    assert names[-1] == "help"
    assert {"list", "inspect", "when", "when-not", "when-time", "script", "exit"} <= set(names)


def test_a_name_can_be_taken_once() -> None:
    with pytest.raises(ValueError, match="'echo'"):
        Registry((ECHO, ECHO))


async def test_a_line_becomes_words_and_they_an_answer() -> None:
    own = Registry((ECHO,))
    outcome = await own.run_line(context(fleet_of()), "echo 'a b' c # and no more")
    assert outcome == Outcome(lines=("a b c",), data=["a b", "c"])


@pytest.mark.parametrize("line", ["", "   ", "# nothing"])
async def test_a_line_of_nothing_does_nothing(line: str) -> None:
    assert await run_line(context(fleet_of()), line) == Outcome()


async def test_an_unknown_command_has_a_near_one() -> None:
    outcome = await run_line(context(fleet_of()), "ad . Foo")
    assert outcome.verdict is Verdict.USAGE
    assert outcome.problems == ("there is no command 'ad'",)
    assert outcome.hint == "did you mean 'add'?"


async def test_a_quote_that_is_not_closed_is_said() -> None:
    outcome = await run_line(context(fleet_of()), "add . 'Foo")
    assert outcome.verdict is Verdict.USAGE
    assert "no closing quotation" in outcome.problems[0]


@pytest.mark.parametrize("command", [c for c in registry.values() if not c.interactive])
async def test_every_command_takes_json_and_help(command: Command) -> None:
    """X5. What can't be done without words is asked for help only."""
    here = context(fleet_of())
    helped = await run_words(here, [command.name, "--help"])
    assert helped.ok
    assert any(line.startswith("usage: ") for line in helped.lines)
    outcome = await run_words(here, [command.name, "--json"])
    if outcome.ok:
        (text,) = outcome.lines
        assert json.loads(text) == json.loads(json.dumps(outcome.data))


async def test_the_example_of_every_command_can_be_parsed() -> None:
    own = registry
    for command in own.values():
        assert command.example.split()[0] == command.name
        outcome = await own.run_line(context(fleet_of()), f"{command.example} --help")
        assert outcome.ok


async def test_commands_of_a_prompt_are_refused_elsewhere() -> None:
    outcome = await run_line(context(fleet_of()), "exit")
    assert outcome.verdict is Verdict.USAGE
    left: list[bool] = []
    here = context(fleet_of(), extra={"exit": lambda: left.append(True)})
    assert (await run_line(here, "exit")).ok
    assert left == [True]


async def test_repeated_flags_do_not_leak_into_the_next_line() -> None:
    """6.3"""
    here = context(fleet_of())
    await run_line(here, "add worker1 Foo")
    first = await run_line(here, "list -a Foo -l 1")
    second = await run_line(here, "list")
    third = await run_line(here, "list -a Foo -a Foo")
    assert [len(o.data) for o in (first, second, third)] == [1, 3, 1]


async def test_hints_name_commands_as_they_are_typed_there() -> None:
    """In a shell with what stands before them, at the prompt and in scripts without."""
    shell, prompt = context(fleet_of()), context(fleet_of(), extra={"exit": lambda: None})
    for line, typed, words in (
        ("add . Qqqq", "list them: inspect worker0", "list them: amctl mach inspect worker0"),
        ("add quux Foo", "list them: list", "list them: amctl mach list"),
        ("quux", "see: help", "see: amctl repl -- help"),
        ("list --quux", "see: help list", "see: amctl repl -- help list"),
        ("can x . Foo", "as in: can add . Ready", "as in: amctl mach can add . Ready"),
    ):
        assert (await run_line(prompt, line)).hint == typed
        assert (await run_line(shell, line)).hint == words
