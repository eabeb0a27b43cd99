"""Commands about the REPL itself: connect, script, cheatsheet, exit, help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.repl.command import Command, Kind, Param
from amctl.repl.outcome import Outcome
from amctl.repl.parsing import options_of, usage_line
from amctl.repl.scripts import run_script

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.repl.command import Context
    from amctl.repl.registry import Registry

__all__ = ["SESSION", "help_lines", "overview"]

GROUPS = ("mutating", "waiting", "checking", "repl")

_PATTERNS = (
    "machines: ID  .  all  browser*  a,b,!c  re:REGEX  tag:X  parent:ID  state:Ready",
    "durations: 500ms 30s 2m   arguments: --arg Type.field --val V, --args-json JSON",
    "every command: --json --help     scripts: # comments, quotes as in a shell",
)


def _commands(context: Context) -> Registry:
    assert context.registry is not None, "run_words fills it"
    return context.registry


async def _connect(context: Context, values: Mapping[str, Any]) -> Outcome:
    context.fleet.reconnect()
    return Outcome(lines=("executed",), data={"result": "executed"})


async def _script(context: Context, values: Mapping[str, Any]) -> Outcome:
    return await run_script(
        context, _commands(context), values["file"], keep_going=values["keep_going"]
    )


async def _exit(context: Context, values: Mapping[str, Any]) -> Outcome:
    context.extra["exit"]()
    return Outcome()


async def _help(context: Context, values: Mapping[str, Any]) -> Outcome:
    commands = _commands(context)
    name = values["command"]
    if name:
        command = commands.find(name)
        return Outcome(lines=tuple(help_lines(command)), data=_described(command))
    return Outcome(lines=tuple(overview(commands)), data=[_described(c) for c in commands.values()])


async def _cheatsheet(context: Context, values: Mapping[str, Any]) -> Outcome:
    commands = _commands(context)
    shown = [c for c in commands.values() if c.example and c.name not in ("help", "cheatsheet")]
    width = max(len(command.example) for command in shown)
    lines = [f"{command.example:<{width}}  {command.summary}" for command in shown]
    return Outcome(lines=(*lines, *_PATTERNS), data=[*lines, *_PATTERNS])


def overview(commands: Mapping[str, Command]) -> list[str]:
    """All commands by group, a line each."""
    width = max(map(len, commands))
    groups = dict.fromkeys((*GROUPS, *(command.group for command in commands.values())))
    lines: list[str] = []
    for group in groups:
        rows = [command for command in commands.values() if command.group == group]
        if rows:
            lines.append(f"{group} commands")
            lines += [f"  {command.name:<{width}}  {command.summary}" for command in rows]
    return [*lines, "help COMMAND tells more of one"]


def help_lines(command: Command) -> list[str]:
    """Usage, words, options and an example of a command."""
    lines = [command.summary, "", f"usage: {usage_line(command)}"]
    rows = [
        (param.name.upper().replace("_", "-"), param.help)
        for param in command.params
        if not param.flags
    ]
    rows += [(_spelling(param), param.help) for param in options_of(command)]
    width = max(len(left) for left, _ in rows)
    lines += ["", *(f"  {left:<{width}}  {help}" for left, help in rows)]
    return [*lines, "", f"example: {command.example}"] if command.example else lines


def _spelling(param: Param) -> str:
    value = "" if param.kind is Kind.SWITCH else f" {_metavar(param)}"
    return f"{', '.join(param.flags)}{value}{' ...' if param.many else ''}"


def _metavar(param: Param) -> str:
    return {
        Kind.NUMBER: "N",
        Kind.DURATION: "DUR",
        Kind.FILE: "FILE",
        Kind.STATE: "STATE",
        Kind.MACHINE: "ID",
        Kind.ARG_NAME: "NAME",
    }.get(param.kind, "TEXT")


def _described(command: Command) -> dict[str, Any]:
    return {
        "name": command.name,
        "group": command.group,
        "summary": command.summary,
        "usage": usage_line(command),
        "example": command.example,
        "interactive": command.interactive,
        "params": [
            {
                "name": param.name,
                "flags": list(param.flags),
                "kind": param.kind.name.lower(),
                "many": param.many,
                "required": param.required,
                "default": param.default,
                "help": param.help,
            }
            for param in command.params
        ],
    }


SESSION = (
    Command(
        "connect",
        "repl",
        "Try to connect to all machines again",
        _connect,
        (),
        "connect",
        interactive=True,
    ),
    Command(
        "script",
        "repl",
        "Run a file's lines as commands; - is stdin",
        _script,
        (
            Param("file", Kind.FILE, "Where the lines stand.", required=True),
            Param(
                "keep_going",
                Kind.SWITCH,
                "Go on after errors.",
                ("-k", "--keep-going"),
                default=False,
            ),
        ),
        "script morning.amctl",
    ),
    Command(
        "cheatsheet",
        "repl",
        "Show examples on one screen",
        _cheatsheet,
        (),
        "cheatsheet",
        offline=True,
    ),
    Command("exit", "repl", "Leave the REPL", _exit, (), "exit", interactive=True),
    Command(
        "help",
        "repl",
        "Show all commands, or one",
        _help,
        (Param("command", Kind.COMMAND, "Which one."),),
        "help add",
        offline=True,
    ),
)
"""Commands of the group `repl`."""
