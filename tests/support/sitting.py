"""Somebody at the REPL's prompt: real line editor, real registry, made-up machines."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from amctl.machine import Machine, State, States
from amctl.repl.command import Command, Context, Kind, Param
from amctl.repl.commands.session import SESSION
from amctl.repl.history import JsonHistory
from amctl.repl.outcome import Outcome, Verdict
from amctl.repl.registry import Registry
from amctl.repl.shell import run_shell
from amctl.rpc.answers import About, ArgField, ArgType
from tests.support.shell_fleet import ShellFleet, ShellPeer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from prompt_toolkit.input.base import PipeInput

__all__ = [
    "ABOUT",
    "BACKTAB",
    "CTRL_C",
    "CTRL_D",
    "CTRL_G",
    "CTRL_R",
    "ENTER",
    "ESCAPE",
    "RIGHT",
    "TAB",
    "UP",
    "Commands",
    "Person",
    "Terminal",
    "WorkStates",
    "sitting",
    "two_machines",
]

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


def two_machines() -> ShellFleet:
    """`alpha`, which tells what it takes, and `beta`."""
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
