"""`amctl mach`: one command on running machines, for people and scripts."""

from __future__ import annotations

from typing import Annotated

import typer

from amctl.cli import _mach_run as work
from amctl.cli._mach_flags import Call, located, mirroring

__all__ = ["app"]

app = typer.Typer(add_completion=False, invoke_without_command=True, rich_markup_mode=None)


@app.callback()
@located
def mach(ctx: typer.Context) -> None:
    """Look at running machines, change them, wait for them.

    PAT is a machine's id, globs such as browser*,!browser3, `.` for the first one, `all`, re:REGEX,
    tag:X, parent:ID, state:Ready. Machines are found by the address files of the last run. Where
    machines are may also stand before a command's name.

    Example: amctl mach list
    """
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command("list")
@mirroring("list", looking=True)
def list_(
    ctx: typer.Context,
    call: Call,
    pattern: Annotated[
        str, typer.Argument(metavar="PAT", help="Only these machines.", show_default=False)
    ] = "all",
    inner: Annotated[
        bool,
        typer.Option("--all/--no-all", help="Every machine of each process.", show_default=False),
    ] = False,
) -> int:
    """List machines with their time and active states.

    C is connected, D is not; R is Ready, S is Start. States whose names begin with Err, and
    Exception, stand first.

    Example: amctl mach list 'browser*' --active Ready
    """
    return work.look(ctx, call, work.list_job(pattern, inner=inner))


@app.command("show")
@mirroring("mach", looking=True, default="all")
def show(ctx: typer.Context, call: Call) -> int:
    """Show what machines are: states, parent, tags, connections, pipes, arguments they take.

    Example: amctl mach show orchestrator
    """
    return work.look(ctx, call, work.show_job())


@app.command("inspect")
@mirroring("inspect", looking=True, default="all")
def inspect(ctx: typer.Context, call: Call) -> int:
    """Show all states of machines with their ticks, properties and relations.

    Example: amctl mach inspect browser1
    """
    return work.look(ctx, call, work.inspect_job())


@app.command("time")
@mirroring("time", looking=True, default="all")
def time(ctx: typer.Context, call: Call) -> int:
    """Show machines' time: the tick of every state.

    Example: amctl mach time orchestrator --sum
    """
    return work.look(ctx, call, work.time_job())


@app.command("add")
@mirroring("add")
def add(ctx: typer.Context, call: Call) -> int:
    """Add states; canceled ends with exit code 5.

    Example: amctl mach add orchestrator StartWork --arg StartWork.reason --val again --diff
    """
    return work.act(ctx, call)


@app.command("remove")
@mirroring("remove")
def remove(ctx: typer.Context, call: Call) -> int:
    """Remove states; canceled ends with exit code 5.

    Example: amctl mach remove 'browser*' Working --check
    """
    return work.act(ctx, call)


@app.command("set")
@mirroring("set")
def set_(ctx: typer.Context, call: Call) -> int:
    """Make these states the only active ones.

    Example: amctl mach set browser1 Start Ready --check --diff
    """
    return work.act(ctx, call)


@app.command("toggle")
@mirroring("toggle")
def toggle(ctx: typer.Context, call: Call) -> int:
    """Remove the states if all are active, else add them.

    Example: amctl mach toggle orchestrator WorkDelivered --check
    """
    return work.act(ctx, call)


@app.command("can")
@mirroring("can")
def can(ctx: typer.Context, call: Call) -> int:
    """Ask whether states could be added or removed: exit code 0 is yes, 5 is no.

    Relations and handlers are asked; nothing changes.

    Example: amctl mach can add orchestrator StartWork
    """
    return work.act(ctx, call)


@app.command("when")
@mirroring("when")
def when(ctx: typer.Context, call: Call) -> int:
    """Wait until states are active, all at once, and show their ticks; exit code 6 is too late.

    Example: amctl mach when orchestrator WorkDelivered --timeout 2m
    """
    return work.act(ctx, call)


@app.command("when-not")
@mirroring("when-not")
def when_not(ctx: typer.Context, call: Call) -> int:
    """Wait until states are inactive, all at once, and show their ticks; exit code 6 is too late.

    Example: amctl mach when-not all Exception --timeout 10s
    """
    return work.act(ctx, call)


@app.command("when-time")
@mirroring("when-time")
def when_time(ctx: typer.Context, call: Call) -> int:
    """Wait until states have reached their ticks, the n-th --time for the n-th --state.

    Example: amctl mach when-time orchestrator -s StartWork -t 3 --timeout 1m
    """
    return work.act(ctx, call)
