"""`amctl traces`: recorded spans, with no server."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from amctl.cli import _traces_work as work
from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import global_options

__all__ = ["app"]

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

_Trace = Annotated[
    str | None,
    typer.Argument(metavar="TRACE", help="The beginning of its id. Default: the last one."),
]
_File = Annotated[
    str | None,
    typer.Argument(metavar="FILE", help="A file, or a run's folder. Default: the last run's."),
]
_Json = Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")]


class TraceFormat(StrEnum):
    """What a trace may be written as."""

    otlp = "otlp"
    perfetto = "perfetto"
    jaeger = "jaeger"


@app.callback()
def traces() -> None:
    """Traces that a run recorded: in the terminal, as a page, or for another tool.

    Files are OTLP JSON (lines, or one object) or Jaeger's JSON, also gzipped.

    Example: amctl traces show --service 'browser*'
    """


@app.command("list")
def list_(
    ctx: typer.Context,
    file: _File = None,
    everything: Annotated[
        bool, typer.Option("--all/--no-all", help="Those of a folder's earlier runs too.")
    ] = False,
    as_json: _Json = False,
) -> int:
    """List the traces of a file, the newest first.

    Example: amctl traces list --all
    """
    options = global_options(ctx)
    found, notes = work.files(ctx, file).summaries(everything=everything)
    print(*notes, sep="\n", end="\n" * bool(notes), file=sys.stderr)
    if as_json:
        print(json.dumps([one.to_json() for one in found]))
    else:
        from amctl.cli.views.traces import list_lines, put_lines

        put_lines(list_lines(found, whole=not options.stdout().is_terminal), options)
    return int(ExitCode.DONE)


@app.command()
def show(
    ctx: typer.Context,
    trace: _Trace = None,
    file: _File = None,
    service: Annotated[
        str | None, typer.Option(metavar="PAT", help="Only these services: browser*,!browser2")
    ] = None,
    machine: Annotated[
        str | None, typer.Option("-m", "--machine", metavar="PAT", help="Only these machines.")
    ] = None,
    grep: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX",
            help="Found in a name, attribute or event. Small letters match both.",
        ),
    ] = None,
    errors: Annotated[bool, typer.Option("--errors/--no-errors", help="Only what failed.")] = False,
    min: Annotated[
        str | None, typer.Option("--min", metavar="DUR", help="Only what took as long: 5ms, 1s.")
    ] = None,
    depth: Annotated[
        int, typer.Option(metavar="N", min=0, help="So many levels; 0: all of them.")
    ] = 0,
    transitions: Annotated[
        bool, typer.Option("--transitions/--no-transitions", help="With transitions.")
    ] = True,
    everything: Annotated[
        bool, typer.Option("--all/--no-all", help="Fold nothing: every single span.")
    ] = False,
    links: Annotated[
        bool, typer.Option("--links/--no-links", help="All links, not only causes elsewhere.")
    ] = False,
    width: Annotated[
        int | None, typer.Option(metavar="N", min=20, help="Columns. Default: the terminal's.")
    ] = None,
    as_json: _Json = False,
) -> int:
    """Show a trace as a tree with bars; idle time is left out of them.

    Refused auto transitions and long lists of transitions are folded, unless single spans are
    looked for.

    Example: amctl traces show --grep retrying
    """
    asked = work.Asked(
        service, machine, grep, errors, min, depth, transitions, everything, links, width
    )
    made = work.waterfall(work.load(ctx, trace, file), asked)
    if as_json:
        from amctl.traces.document import document

        print(json.dumps(document(made)))
    else:
        from amctl.cli.views.traces import put_lines, show_lines

        put_lines(show_lines(made), global_options(ctx))
    return int(ExitCode.DONE)


@app.command("open")
def open_(
    ctx: typer.Context,
    trace: _Trace = None,
    file: _File = None,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="The page; - is stdout.")
    ] = "",
    show_it: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="In a browser. Default: if there is a display."),
    ] = None,
) -> int:
    """Make one HTML file of a trace, which needs no network, and open it.

    Time with idle gaps pressed together, search, zoom, details, and arrows from causes to what they
    caused.

    Example: amctl traces open -o trace.html
    """
    from amctl.traces.page import page

    found, options = work.load(ctx, trace, file), global_options(ctx)
    path = output or f"trace-{found.trace_id[:12]}.html"
    work.put(path, page(found, f"trace {found.trace_id[:12]}").encode(), options)
    work.open_page(path, options, show_it)
    return int(ExitCode.DONE)


@app.command()
def export(
    ctx: typer.Context,
    trace: _Trace = None,
    file: _File = None,
    format: Annotated[
        TraceFormat,
        typer.Option("--format", help="otlp and jaeger: for Jaeger's upload. perfetto: its UI."),
    ] = TraceFormat.otlp,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Default: stdout.")
    ] = "-",
) -> int:
    """Write a trace for another tool, as one JSON document.

    otlp is OpenTelemetry's, which Jaeger's UI uploads, too; nothing is lost in it. perfetto is for
    ui.perfetto.dev and chrome://tracing: a process for each service, tracks for each machine.

    Example: amctl traces export --format perfetto -o trace.json
    """
    found = work.load(ctx, trace, file)
    work.put(output, work.export(found, format.value), global_options(ctx))
    return int(ExitCode.DONE)
