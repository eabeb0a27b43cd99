"""`amctl dump`: recordings, and what is in them."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from amctl.cli import _dump_work as work
from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import global_options

__all__ = ["app"]

app = typer.Typer(add_completion=False, invoke_without_command=True, rich_markup_mode=None)


class DumpFormat(StrEnum):
    """What a recording may be written as."""

    sqlite = "sqlite"
    gob = "gob.br"
    jsonl_zst = "jsonl.zst"
    jsonl = "jsonl"
    md = "md"
    html = "html"


_Dump = Annotated[
    str | None, typer.Argument(metavar="DUMP", help="Path or URL. Default: the last run's.")
]
_Json = Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")]
_Force = Annotated[bool, typer.Option("--force/--no-force", help="Replace what is there.")]
_Format = Annotated[
    DumpFormat | None,
    typer.Option("--format", help="Default: by the ending of FILE.", show_default=False),
]
_Machines = Annotated[
    list[str] | None,
    typer.Option(
        "-m", "--machine", metavar="PAT", help="Only these: rs-*,!rs-repl-*, parent:ID, tag:X."
    ),
]
_From = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="2.5s since the beginning, or a date with time."),
]
_Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="The first moment that is too late.")
]


@app.callback()
def dump(ctx: typer.Context) -> None:
    """Recordings of runs, in every format: what is in them, and where they differ.

    Example: amctl dump list
    """
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command("list")
def list_(ctx: typer.Context, dump: _Dump = None, as_json: _Json = False) -> int:
    """List the machines of a recording.

    With their states, transitions, span of time, and what is active at the end.

    Example: amctl dump list tmp/am-dbg-dump.sqlite
    """
    from amctl.dump.listing import list_dump

    with work.opened(ctx, dump) as recording:
        listing = list_dump(recording)
    if as_json:
        print(json.dumps(listing.to_json()))
    else:
        from amctl.cli.views.recordings import listing_lines, show_lines

        options = global_options(ctx)
        show_lines(listing_lines(listing, whole=not options.stdout().is_terminal), options)
    return int(ExitCode.DONE)


@app.command()
def inspect(
    ctx: typer.Context,
    dump: Annotated[
        str | None, typer.Argument(metavar="DUMP", help="Path or URL; may be left out.")
    ] = None,
    what: Annotated[
        str | None,
        typer.Argument(metavar="MACHINE", help="A PAT, or mach://ID/TX for all about one."),
    ] = None,
    limit: Annotated[
        int, typer.Option("-n", "--limit", metavar="N", min=0, help="At most so many; 0: all.")
    ] = 100,
    since: _From = None,
    until: _Until = None,
    grep: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX", help="Found in its line, ids, or log. Small letters match both."
        ),
    ] = None,
    steps: Annotated[bool, typer.Option("--steps/--no-steps", help="With their steps.")] = False,
    logs: Annotated[bool, typer.Option("--logs/--no-logs", help="With their log.")] = False,
    as_json: _Json = False,
    as_lines: Annotated[
        bool, typer.Option("--jsonl/--no-jsonl", help="A JSON document for each.")
    ] = False,
) -> int:
    """List transitions, or tell all about one.

    Example: amctl dump inspect tmp/am-dbg-dump.sqlite orchestrator --grep canceled --logs
    """
    if dump is not None and what is None and not work.is_dump(dump):
        dump, what = None, dump
    with work.opened(ctx, dump) as recording:
        asked = work.Asked(recording, what, since, until, grep)
        shown = work.Shown(limit=limit, steps=steps, logs=logs, as_json=as_json, as_lines=as_lines)
        work.inspect(asked, shown, global_options(ctx))
    return int(ExitCode.DONE)


@app.command("find")
def find_(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(metavar="[DUMP] MACHINE EXPR", help="EXPR is like Working & !Failed."),
    ],
    back: Annotated[
        bool, typer.Option("--back/--no-back", help="Backwards: the newest one first.")
    ] = False,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="ADDRESS", help="mach://ID/TX or a time, itself left out."),
    ] = None,
    limit: Annotated[
        int, typer.Option("-n", "--limit", metavar="N", min=0, help="At most so many; 0: all.")
    ] = 1,
    as_json: _Json = False,
) -> int:
    """Find where an expression over states became true (exit 3 if nowhere).

    `Working & !Failed`, `Ready:>3` (its tick), `(A | B) & worker1.Ready` (of another machine).

    Example: amctl dump find tmp/am-dbg-dump.sqlite orchestrator 'Ready | Start' --back
    """
    from contextlib import closing

    from amctl.cli._dump_find import Sought, find
    from amctl.cli.dumps import resolve
    from amctl.debugger.store import Store

    if not 2 <= len(words) <= 3:
        raise typer.BadParameter("it takes [DUMP] MACHINE EXPR; quote an EXPR with blanks")
    options = global_options(ctx)
    source = resolve(words[0] if len(words) == 3 else None, ctx)
    sought = Sought(words[-2], words[-1], back, start, limit)
    with closing(Store.open(source, say=options.say)) as store:
        found = find(store, sought, options, as_json=as_json)
    return int(ExitCode.DONE if found else ExitCode.NOTHING_MATCHED)


@app.command()
def export(
    ctx: typer.Context,
    dump: _Dump = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="Default: stdout.")
    ] = None,
    format: _Format = None,
    machines: _Machines = None,
    since: _From = None,
    until: _Until = None,
    limit: Annotated[
        int | None,
        typer.Option("-n", "--limit", metavar="N", min=0, help="Transitions that md, html show."),
    ] = None,
    force: _Force = False,
) -> int:
    """Write a recording in another format.

    All of it, or some machines and a span of time.

    sqlite, gob.br (the original's), jsonl.zst and jsonl can be read again; md and html are reports.

    Example: amctl dump export -o run.html
    """
    with work.opened(ctx, dump) as recording:
        part = work.Part.of(recording, machines, since, until)
        to = work.Output(output, format.value if format else None, force=force, limit=limit)
        work.export(recording, part, to, global_options(ctx))
    return int(ExitCode.DONE)


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Path or URL, of any format.")],
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Default: NAME.sqlite here."),
    ] = None,
    force: _Force = False,
) -> int:
    """Turn any recording into SQLite.

    That is quick to look into, at any place.

    Example: amctl dump import am-dbg-dump.gob.br -o run.sqlite
    """
    to = work.Output(work.sqlite_output(output, file), "sqlite", force=force)
    with work.opened(ctx, file) as recording:
        work.export(recording, work.Part(), to, global_options(ctx))
    return int(ExitCode.DONE)


@app.command()
def merge(
    ctx: typer.Context,
    dumps: Annotated[list[str], typer.Argument(metavar="DUMP...", help="Paths or URLs.")],
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="The new file.")],
    format: _Format = None,
    force: _Force = False,
    as_json: _Json = False,
) -> int:
    """Make one recording of several of a run.

    They are of several collectors, or the files of a rotation. What more than one of them holds
    stands in it once. What can't be of one run is told.

    Example: amctl dump merge 1.sqlite 2.sqlite -o all.sqlite
    """
    to = work.Output(output, format.value if format else None, force=force)
    report = work.merge(ctx, dumps, to)
    if as_json:
        print(json.dumps(report))
    return int(ExitCode.DONE)


@app.command()
def verify(ctx: typer.Context, dump: _Dump = None, as_json: _Json = False) -> int:
    """Read it to the end, and tell damage (exit 7).

    What is known to be missing is told, too.

    Example: amctl dump verify --json
    """
    report = work.verify(ctx, dump)
    if as_json:
        print(json.dumps(report))
    else:
        print(*work.verdict(report), sep="\n")
    return int(ExitCode.DONE if report["ok"] else ExitCode.BAD_INPUT)


@app.command()
def diff(
    ctx: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A", help="Path or URL.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Path or URL.")],
    as_json: _Json = False,
) -> int:
    """Name where two recordings part (exit 1).

    The first place of all in the time of A, then that of each machine.

    Compared is what was called, what came of it, and the clocks; not ids, times, and what was only
    queued.

    Example: amctl dump diff before.sqlite after.sqlite
    """
    from amctl.cli.views.recordings import diff_lines, show_lines

    with work.opened(ctx, a) as one, work.opened(ctx, b) as other:
        found = work.compare(one, other, global_options(ctx))
    if as_json:
        print(json.dumps(work.diff_json(found)))
    else:
        show_lines(diff_lines(found), global_options(ctx))
    return int(ExitCode.DONE if found.is_equal else ExitCode.FAILED)
