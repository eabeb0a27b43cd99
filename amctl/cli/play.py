"""`amctl play`: playbooks on running machines, for real or on copies of them."""

from __future__ import annotations

from typing import Annotated

import typer

from amctl.cli.options import global_options

__all__ = ["app", "play"]

app = typer.Typer(add_completion=False)

_Words = list[str] | None


@app.command()
def play(
    ctx: typer.Context,
    files: Annotated[_Words, typer.Argument(metavar="FILE...", help="Playbooks, in order.")] = None,
    limit: Annotated[
        str, typer.Option("-l", "--limit", metavar="PAT", help="Only these machines.")
    ] = "",
    extra_vars: Annotated[
        _Words,
        typer.Option("-e", "--extra-vars", metavar="K=V|@FILE|JSON", help="Variables; repeatable."),
    ] = None,
    tags: Annotated[
        _Words, typer.Option("-t", "--tags", metavar="TAG", help="Only tasks with one of these.")
    ] = None,
    skip_tags: Annotated[
        _Words, typer.Option("--skip-tags", metavar="TAG", help="No tasks with one of these.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Simulate it; nothing is sent.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff/--no-diff", help="Show clocks that moved.")] = False,
    step: Annotated[
        bool, typer.Option("--step/--no-step", help="Ask before each task: y, n, c.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("-y/ ", "--yes/--no-yes", help="Say yes to every pause that asks.")
    ] = False,
    list_tasks: Annotated[
        bool, typer.Option("--list-tasks/--no-list-tasks", help="List its tasks, run nothing.")
    ] = False,
    list_machines: Annotated[
        bool, typer.Option("--list-machines/--no-list-machines", help="List whom it would touch.")
    ] = False,
    detailed_exitcode: Annotated[
        bool,
        typer.Option("--detailed-exitcode/--no-detailed-exitcode", help="Exit 10 on changes."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
    junit: Annotated[
        str, typer.Option(metavar="FILE", help="Write the results as JUnit's XML, too.")
    ] = "",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Instead of stdout.")
    ] = "",
    schema: Annotated[
        bool, typer.Option("--schema/--no-schema", help="Print the JSON Schema of playbooks.")
    ] = False,
    addr: Annotated[
        str | None,
        typer.Option("--addr", metavar="ADDR", help="One machine: host:port or host:port/path."),
    ] = None,
    dir: Annotated[
        str | None,
        typer.Option(
            "-d", "--dir", metavar="DIR", help="Folder of *.addr files. Default: REPL_DIR."
        ),
    ] = None,
    file: Annotated[
        str | None, typer.Option("-f", "--file", metavar="FILE", help="File with one address.")
    ] = None,
    req_all: Annotated[
        bool,
        typer.Option("--req-all/--no-req-all", help="Fail unless all addresses are connected."),
    ] = False,
    allow_remote: Annotated[
        bool,
        typer.Option("--allow-remote/--no-allow-remote", help="Dial other computers, too."),
    ] = False,
) -> int:
    """Run playbooks: YAML files that say what is to be done with which machines.

    Example: amctl play docs/playbooks/restart.yml --check --diff
    """
    from amctl.cli import _play_run as work

    if schema:
        return work.print_schema(output)
    call = work.PlayCall(
        files=files or (),
        reach=work.reach_of(addr, dir, file, req_all=req_all, allow_remote=allow_remote),
        limit=limit,
        extra=extra_vars or (),
        tagged=work.tagged(tags or (), skip_tags or ()),
        check=check,
        diff=diff,
        step=step,
        yes=yes,
        list_tasks=list_tasks,
        list_machines=list_machines,
        detailed=detailed_exitcode,
        as_json=as_json,
        junit=junit,
        output=output,
    )
    return work.play(global_options(ctx), call)
