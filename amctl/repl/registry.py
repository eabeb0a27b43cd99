"""The one list of commands, and the way from a line to what it answers.

Prompt, one-shot commands, scripts and completion all use `registry`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from amctl.repl.commands.checking import CHECKING
from amctl.repl.commands.mutating import MUTATING
from amctl.repl.commands.session import SESSION
from amctl.repl.commands.waiting import WAITING
from amctl.repl.errors import ReplError, UsageError
from amctl.repl.outcome import Outcome
from amctl.repl.parsing import parse, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amctl.repl.command import Command, Context

__all__ = ["Registry", "failure", "parse", "registry", "run_line", "run_words"]


class Registry(Mapping[str, "Command"]):
    """Commands by name, in the order of their help.

    Args:
        commands: The first ones.
    """

    def __init__(self, commands: Iterable[Command] = ()) -> None:
        self._commands: dict[str, Command] = {}
        for command in commands:
            self.register(command)

    def __getitem__(self, name: str) -> Command:
        return self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)

    def register(self, command: Command) -> None:
        """Add a command at the end. Raises ValueError if its name is taken."""
        if command.name in self._commands:
            raise ValueError(f"there is a command {command.name!r} already")
        self._commands[command.name] = command

    def find(self, name: str) -> Command:
        """The command of that name.

        Raises:
            UsageError: There is none; with the nearest name.
        """
        if name in self._commands:
            return self._commands[name]
        close = get_close_matches(name, self._commands, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "see: amctl repl -- help"
        raise UsageError(f"there is no command {name!r}", hint)

    def needs_machines(self, words: Sequence[str]) -> bool:
        """Whether a command line, once it is understood, has to do with machines at all.

        Raises:
            UsageError: It can't be understood; there is no need to connect to find out.
        """
        command = self.find(words[0])
        return not (command.offline or parse(command, words[1:])["help"])

    async def run_line(self, context: Context, text: str) -> Outcome:
        """Run one line; an empty one, or a mere comment, is done at once.

        Cancelling it is safe: whatever it waits for is given up, what was sent stays sent.
        """
        try:
            words = split(text)
        except UsageError as error:
            return failure(error, typed=True)
        return await self.run_words(context, words) if words else Outcome()

    async def run_words(self, context: Context, words: Sequence[str]) -> Outcome:
        """Run a command and its words. Errors become an outcome; only bugs are raised."""
        try:
            command = self.find(words[0])
            values = parse(command, words[1:])
            if values["help"]:
                command, values = self.find("help"), {"command": command.name, "json": False}
            elif command.interactive and "exit" not in context.extra:
                raise UsageError(
                    f"{command.name!r} is of use at a prompt only", "start one: amctl repl"
                )
            if not command.offline:
                _note(context, command)
            outcome = await command.run(replace(context, registry=self), values)
        except ReplError as error:
            return failure(error, typed="exit" in context.extra)
        return as_json(outcome) if values["json"] else outcome


def _note(context: Context, command: Command) -> None:
    """Tell the REPL's machine what is done, as an event such as CmdAdd: recordings show it."""
    event = "Cmd" + command.name.title().replace("-", "")
    machine = context.fleet.machine
    if machine.has(event):
        machine.add(event)


def failure(error: ReplError, *, typed: bool = False) -> Outcome:
    """What a command answers that could not do its work.

    Args:
        error: Why not.
        typed: Whether it was typed at the prompt, or in a script, so that hints have to fit there.
    """
    hint = error.hint_at_prompt if typed else error.hint
    return Outcome(error.verdict, problems=(str(error),), hint=hint)


def as_json(outcome: Outcome) -> Outcome:
    """The same answer with its data in place of its lines."""
    text = json.dumps(outcome.data, ensure_ascii=False, default=_plain)
    return replace(outcome, lines=(text,))


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    return value.hex() if isinstance(value, bytes) else str(value)


registry = Registry((*MUTATING, *WAITING, *CHECKING, *SESSION))
"""All commands."""


async def run_line(context: Context, text: str) -> Outcome:
    """Run one line with the standard commands, see `Registry.run_line`."""
    return await registry.run_line(context, text)


async def run_words(context: Context, words: Sequence[str]) -> Outcome:
    """Run a command and its words with the standard commands, see `Registry.run_words`."""
    return await registry.run_words(context, words)
