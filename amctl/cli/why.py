"""`amctl why`: who is to blame that a state is as it is."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import GlobalOptions, global_options
from amctl.cli.outcomes import document
from amctl.cli.views.why import told
from amctl.repl.errors import UsageError
from amctl.repl.parsing import parse_duration

if TYPE_CHECKING:
    from amctl.cli._operating import Reach
    from amctl.repl.why.report import Report

__all__ = ["app", "why"]

app = typer.Typer(add_completion=False)


@app.command()
def why(
    ctx: typer.Context,
    machine: Annotated[str, typer.Argument(metavar="MACH", help="A machine's id, or `.`.")],
    state: Annotated[
        str | None, typer.Argument(metavar="STATE", help="Of it.", show_default=False)
    ] = None,
    removal: Annotated[
        bool, typer.Option("--remove/--add", help="Why does it stay, not: why doesn't it come.")
    ] = False,
    dump: Annotated[
        str | None,
        typer.Option("--dump", metavar="[FILE]", help="Ask a recording. Default: the last run's."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="MOMENT", help="Of it: an address, a time, MACHINE:STATE."),
    ] = None,
    depth: Annotated[
        int, typer.Option("--depth", metavar="N", min=0, help="How many links to follow.")
    ] = 12,
    patience: Annotated[
        float | None,
        typer.Option(metavar="DUR", parser=parse_duration, help="For each answer. Default: 3s."),
    ] = None,
    addr: Annotated[
        str | None,
        typer.Option("--addr", metavar="ADDR", help="One machine: host:port or host:port/path."),
    ] = None,
    dir: Annotated[
        str | None,
        typer.Option("-d", "--dir", metavar="DIR", help="Folder of *.addr files."),
    ] = None,
    file: Annotated[
        str | None, typer.Option("-f", "--file", metavar="FILE", help="File with one address.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Say why a state isn't active, was refused or waits; or what made it active.

    It follows what the state requires, what keeps it out and which pipes feed it, over all machines
    in reach. With --dump it asks a recording: `why --dump MACH STATE` that of the last run,
    `why --dump FILE MACH STATE` another one.

    Example: amctl why orchestrator WorkersReady
    """
    options = global_options(ctx)
    if dump is not None:
        words = (None, dump, machine) if state is None else (dump, machine, state)
        if removal:
            raise UsageError("a recording can't tell why a state stays", "leave --remove out")
        report = _recorded(ctx, options, *words, at=at, depth=depth)
    else:
        if state is None or at is not None:
            raise _misused(state)
        op, wait = "remove" if removal else "add", 3.0 if patience is None else patience
        reach = _reach(addr, dir, file)
        report = _live(options, reach, machine, state, op, depth=depth, patience=wait)
    print(document(report.data) if as_json else told(report.lines))
    return int(ExitCode.DONE)


def _misused(state: str | None) -> UsageError:
    if state is None:
        return UsageError("no state is named", "amctl why MACH STATE")
    return UsageError("only a recording has moments", "--at goes with --dump")


def _reach(addr: str | None, dir: str | None, file: str | None) -> Reach:
    from amctl.cli._operating import Reach

    given = [one for one in (addr, dir, file) if one is not None]
    if len(given) > 1:
        raise UsageError("--addr, --dir and --file exclude each other", "give one of them")
    target = given[0] if given else None
    return Reach(target, file=file is not None, dir=dir is not None, watch=False)


def _live(
    options: GlobalOptions,
    reach: Reach,
    machine: str,
    state: str,
    op: str,
    *,
    depth: int,
    patience: float,
) -> Report:
    from amctl.cli._operating import reaching
    from amctl.repl.why.asking import why_live

    async def main() -> Report:
        async with reaching(options, reach) as context:
            return await why_live(context.fleet, machine, state, op, depth=depth, patience=patience)

    return asyncio.run(main())


def _recorded(
    ctx: typer.Context,
    options: GlobalOptions,
    file: str | None,
    machine: str,
    state: str,
    *,
    at: str | None,
    depth: int,
) -> Report:
    from amctl.cli.dumps import resolve
    from amctl.dump.opening import open_dump
    from amctl.repl.why.asking import why_recorded

    with closing(open_dump(resolve(file, ctx), say=options.say)) as dump:
        return asyncio.run(why_recorded(dump, machine, state, at=at, depth=depth, say=options.say))
