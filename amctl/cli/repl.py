"""`amctl repl`: a prompt on a terminal, else commands and scripts on running machines."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from amctl.cli.options import global_options

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from amctl.cli.options import GlobalOptions
    from amctl.repl.command import Context
    from amctl.repl.outcome import Outcome

__all__ = ["ReplGroup", "app"]

_WORDS = "amctl.repl.words"


class ReplGroup(TyperGroup):
    """Keeps what stands behind the first `--`: a command of the REPL, with flags of its own."""

    allow_interspersed_args = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        if at < len(args):
            ctx.meta[_WORDS] = args[at + 1 :]
        return super().parse_args(ctx, args[:at])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """There are none here: a second word is a command that lacks its `--`."""
        raise _no_dashes(f"{args[0]!r} is a word too many", " ".join(args))


def _flag(help: str, *names: str) -> Any:
    return typer.Option(*names, help=help, show_default=False)


app = typer.Typer(
    cls=ReplGroup, add_completion=False, invoke_without_command=True, rich_markup_mode=None
)


@app.callback(
    subcommand_metavar="[-- COMMAND...]",
    epilog="Behind `--` stands one command: amctl repl -- help tells them all.",
)
def repl(
    ctx: typer.Context,
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="ADDR|FILE|DIR", help="Where machines are. Default: the settings' REPL_DIR."
        ),
    ] = None,
    file: Annotated[
        bool, _flag("It is a file with one address.", "-f/ ", "--file/--no-file")
    ] = False,
    folder: Annotated[
        bool, _flag("It is a folder of *.addr files.", "-d/ ", "--dir/--no-dir")
    ] = False,
    watch: Annotated[
        bool, _flag("Follow files that come and go.", "-w/ ", "--watch/--no-watch")
    ] = True,
    req_all: Annotated[
        bool, _flag("Fail unless all are connected.", "-a/ ", "--req-all/--no-req-all")
    ] = False,
    am_dbg_addr: Annotated[
        str, typer.Option(metavar="ADDR", help="Send telemetry of this end to a debugger.")
    ] = "",
    log_level: Annotated[
        int, typer.Option(metavar="N", min=0, max=5, help="Of that telemetry, 0 to 5.")
    ] = 0,
    allow_remote: Annotated[
        bool, _flag("Dial other computers, too.", "--allow-remote/--no-allow-remote")
    ] = False,
    script: Annotated[
        str | None, typer.Option(metavar="FILE", help="Run the lines of a file; - is stdin.")
    ] = None,
    as_json: Annotated[bool, _flag("One JSON document.", "--json/--no-json")] = False,
) -> int:
    """Operate running machines: at a prompt, by one command, or by a script.

    Without a command it is a prompt on a terminal; else standard input is run as a script.

    Example: amctl repl -d tmp -- add . Start
    """
    from amctl.cli._operating import Reach, operate
    from amctl.cli.outcomes import show

    options, words = global_options(ctx), ctx.meta.get(_WORDS)
    prompt = _wants_prompt(words, script, as_json=as_json)
    _check_target(target)
    if words and (outcome := _offline(words)) is not None:
        return show(outcome, as_json=as_json)
    reach = Reach(
        target,
        file,
        folder,
        watch,
        all=req_all,
        empty=prompt,
        dbg_addr=am_dbg_addr,
        log_level=log_level,
        allow_remote=allow_remote,
    )
    work = _prompt(options) if prompt else _work(words, script, as_json=as_json)
    return show(operate(options, reach, work), as_json=as_json)


def _check_target(target: str | None) -> None:
    """See that nobody meant a command. Raises UsageError."""
    from amctl.repl.registry import registry

    if target and target in registry and not Path(target).exists():
        raise _no_dashes(f"{target!r} is a command, no address", target)


def _no_dashes(problem: str, command: str) -> Exception:
    from amctl.repl.errors import UsageError

    return UsageError(problem, f"a command stands behind --: amctl repl -- {command}")


def _wants_prompt(words: list[str] | None, script: str | None, *, as_json: bool) -> bool:
    """Whether somebody is to type the commands.

    Raises:
        UsageError: What is wanted contradicts itself.
    """
    from amctl.repl.errors import UsageError

    if words is not None and script is not None:
        raise UsageError("--script and a command exclude each other", "leave out one of them")
    if words == []:
        raise UsageError("there is no command behind --", "see: amctl repl -- help")
    if words is not None or script is not None or not sys.stdin.isatty():
        return False
    if as_json:
        raise UsageError("--json needs a command or a script", "as in: amctl repl --json -- list")
    return True


def _offline(words: list[str]) -> Outcome | None:
    """The answer of a command that needs no machine; None for others.

    Raises:
        UsageError: The command can't be understood, as is found before anything is dialled.
    """
    from amctl.cli._operating import NoFleet
    from amctl.repl.command import Context
    from amctl.repl.registry import registry

    if registry.needs_machines(words):
        return None
    return asyncio.run(registry.run_words(Context(NoFleet()), words))


def _work(
    words: list[str] | None, script: str | None, *, as_json: bool
) -> Callable[[Context], Awaitable[Outcome]]:
    """A command, or a script whose answers are shown as they come."""

    async def work(context: Context) -> Outcome:
        from amctl.cli.outcomes import show
        from amctl.repl.errors import ReplError
        from amctl.repl.registry import failure, registry
        from amctl.repl.scripts import STDIN, run_script

        context = context if as_json else replace(context, show=show)
        if words is not None:
            return await registry.run_words(context, words)
        try:
            return await run_script(context, registry, script or STDIN)
        except ReplError as error:
            return failure(error)

    return work


def _prompt(options: GlobalOptions) -> Callable[[Context], Awaitable[Outcome]]:
    async def work(context: Context) -> Outcome:
        from amctl.repl.registry import registry
        from amctl.repl.shell import run_shell

        return await run_shell(context, registry, color=options.color)

    return work
