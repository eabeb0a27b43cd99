"""`amctl vis`: pictures and listings of the network, from recordings."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amctl.cli._vis_files import STDOUT, Target, put, refuse_foreign, show, targets
from amctl.cli._vis_flags import Flags, PictureFormat, ThemeChoice, choosing, collect, drawing
from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import GlobalOptions, global_options

if TYPE_CHECKING:
    from amctl.dump.model import Dump
    from amctl.graph.machurl import MachUrl
    from amctl.graph.model import Graph
    from amctl.graph.moments import Moment
    from amctl.vis.theme import Choice
    from amctl.vis.view import View

__all__ = ["app"]

app = typer.Typer(add_completion=False, invoke_without_command=True, rich_markup_mode=None)

_NAME = "am-vis"
_PICTURES = tuple(one.value for one in PictureFormat)
_LISTINGS = ("md", "xml", "json")
_SEQUENCES = {"svg": "svg", "mmd": "mermaid", "mermaid": "mermaid"}
"""Suffix -> format; any other is text."""

_Dump = Annotated[
    str | None, typer.Argument(metavar="DUMP", help="Path or URL. Default: the last run's.")
]
_Url = Annotated[
    str | None,
    typer.Argument(metavar="MACHURL", help="mach://ID, mach://ID/TX/STEP, mach://ID?t=TIME"),
]


_At = Annotated[
    str | None,
    typer.Option("--at", metavar="MOMENT", help="An address, a wall time, or MACHINE:STATE."),
]


class SequenceFormat(StrEnum):
    """What a sequence may be written as."""

    svg = "svg"
    text = "text"
    mermaid = "mermaid"


@app.callback()
@drawing
def vis(ctx: typer.Context, flags: Flags) -> None:
    """Pictures and listings of the whole network, from a recording or a run.

    The flags may stand before or behind a command's name.

    Example: amctl vis render-dump --bird --format html
    """
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command("render-dump")
@drawing
def render_dump(
    ctx: typer.Context,
    flags: Flags,
    dump: _Dump = None,
    url: _Url = None,
    at: _At = None,
) -> int:
    """Draw a recording, or one machine of it.

    An address requests a machine, and names a moment of its life; what is around it is drawn up to
    --render-distance. Without one the whole network is drawn, at the moment --at; MACHINE:STATE is
    the last time that the state became active, `end` is the recording's end. Default: its end, or
    the moment before all machines were taken down.

    Example: amctl vis render-dump --bird -d 1 mach://orchestrator
    """
    options = global_options(ctx)
    _check(flags)
    source, address = _sorted_out(dump, url)
    with closing(_open(ctx, source, options)) as opened:
        graph = _graph(opened, address, options, at, alive=True)
        title = _title(opened, address, at)
        view = _view(graph, flags, [address.machine] if address else [], title, options)
        _draw(opened, view, flags, options)
    return int(ExitCode.DONE)


@app.command()
@drawing
def live(
    ctx: typer.Context,
    flags: Flags,
    pattern: Annotated[
        str, typer.Argument(metavar="PAT", help="Machines: rs-*,!rs-repl-*, parent:ID, tag:X.")
    ] = "all",
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", help="Draw again whenever something happened.")
    ] = False,
    interval: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="How often --watch looks.")
    ] = 1.0,
) -> int:
    """Draw what is running, as its collector has it.

    When the run has ended, --watch keeps its last picture and waits for the next one.

    Example: amctl vis live --bird 'orchestrator,rc-*' --watch
    """
    options = global_options(ctx)
    _check(flags)
    before: tuple[object, ...] = ()
    while True:
        with closing(_open_running(ctx, options)) as opened:
            now = opened.name, opened.meta.get("run"), opened.count(), len(opened.pipes())
            if now != before:
                before = now
                if not _has_ended(opened, options, waits=watch):
                    _draw_live(opened, pattern, flags, options)
        if not watch:
            return int(ExitCode.DONE)
        time.sleep(interval)


@app.command("inspect-dump")
@choosing
def inspect_dump(
    ctx: typer.Context,
    flags: Flags,
    dump: _Dump = None,
    url: _Url = None,
    at: _At = None,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
    as_xml: Annotated[bool, typer.Option("--xml/--no-xml", help="XML, nested.")] = False,
) -> int:
    """List machines, states, RPC and pipes.

    As Markdown on stdout; -o writes NAME.md and NAME.xml. An address lists one machine, and those
    within --render-distance of it, at its moment.

    Example: amctl vis inspect-dump --json
    """
    options = global_options(ctx)
    source, address = _sorted_out(dump, url)
    asked = [name for name, wanted in (("json", as_json), ("xml", as_xml)) if wanted]
    output = flags.output or STDOUT
    wanted = targets(output, asked, _LISTINGS, ["md"] if output == STDOUT else ["md", "xml"])
    with closing(_open(ctx, source, options)) as opened:
        graph = _listed(_graph(opened, address, options, at), address, flags)
    for target in wanted:
        put(target, _listing(graph, target.format).encode(), options)
    return int(ExitCode.DONE)


@app.command()
def tx(
    ctx: typer.Context,
    dump: Annotated[str, typer.Argument(metavar="DUMP", help="Path or URL; may be left out.")],
    url: _Url = None,
    format: Annotated[
        SequenceFormat | None,
        typer.Option(help="Default: by the suffix of -o, or text.", show_default=False),
    ] = None,
    brief: Annotated[
        bool, typer.Option("--brief/--no-brief", help="Rows that repeat, once.")
    ] = False,
    group: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only states of this group.")
    ] = None,
    theme: Annotated[
        ThemeChoice | None, typer.Option(help="Default: auto, the viewer's.", show_default=False)
    ] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output-filename", metavar="FILE", help="Not to stdout.")
    ] = None,
) -> int:
    """Draw the steps of one transition.

    It is the machine's last one if the address names no moment.

    Example: amctl vis tx mach://orchestrator -o tx.svg
    """
    options = global_options(ctx)
    flags = collect(ctx, {"output": output, "theme": theme})
    source, address = _sorted_out(dump, url)
    if address is None:
        raise typer.BadParameter("which transition? Give its address: mach://MACHINE/TX")
    target = _sequence_target(flags, format)
    with closing(_open(ctx, source, options)) as opened:
        found = _sequence(opened, address, options)
    chosen = {"brief": brief, "group": group or address.group or None}
    put(target, _sequence_text(found, target.format, chosen, flags.theme).encode(), options)
    return int(ExitCode.DONE)


# -- recordings


def _sorted_out(dump: str | None, url: str | None) -> tuple[str | None, MachUrl | None]:
    """DUMP may be left out, also before an address."""
    from amctl.graph.machurl import SCHEME, parse_machurl

    if dump is not None and url is None and dump.lower().startswith(SCHEME):
        dump, url = None, dump
    return dump, None if url is None else parse_machurl(url)


def _open(ctx: typer.Context, source: str | None, options: GlobalOptions) -> Dump:
    from amctl.cli.dumps import resolve
    from amctl.dump.opening import open_dump

    return open_dump(resolve(source, ctx), say=options.say)


def _open_running(ctx: typer.Context, options: GlobalOptions) -> Dump:
    from amctl.dump.errors import DumpNotFoundError
    from amctl.vis.errors import NothingRunsError

    try:
        return _open(ctx, None, options)
    except DumpNotFoundError as error:
        raise NothingRunsError(f"there is no recording {error.name}") from error


def _has_ended(dump: Dump, options: GlobalOptions, *, waits: bool) -> bool:
    """Whether all machines of a run were taken down: then the last picture of it stays."""
    from amctl.graph.moments import moment_before_the_end
    from amctl.vis.errors import NothingRunsError

    if moment_before_the_end(dump) is None:
        return False
    if not waits:
        raise NothingRunsError(f"the run recorded in {dump.name} has ended")
    options.say("the run has ended; waiting for the next one")
    return True


def _graph(
    dump: Dump,
    address: MachUrl | None,
    options: GlobalOptions,
    at: str | None = None,
    *,
    alive: bool = False,
) -> Graph:
    from amctl.graph.build import build_graph
    from amctl.graph.moments import END, moment_at, moment_before_the_end

    moment = _moment(dump, address, options) if address else None
    if at is not None:
        if moment is not None:
            raise typer.BadParameter(f"the address and --at {at} name a moment: choose one")
        moment = None if at == END else moment_at(dump, at)
    elif alive and moment is None and (moment := moment_before_the_end(dump)) is not None:
        options.say("as it was before all machines were taken down; the end: --at end")
    graph = build_graph(dump, moment)
    known = [machine for machine in graph.machines.values() if machine.known]
    options.say(
        f"read {len(known)} machines, {sum(len(m.states) for m in known)} states, "
        f"{len(graph.pipes)} pipes and {len(graph.rpc)} RPC connections from {dump.name}"
    )
    lost = sum(gap.count for gap in dump.gaps())
    if lost:
        options.say(f"warning: {lost} messages are known to be missing in {dump.name}")
    return graph


def _moment(dump: Dump, address: MachUrl, options: GlobalOptions) -> Moment | None:
    from amctl.graph.moments import moment_of

    moment = moment_of(dump, address)
    if moment is not None and not moment.is_exact:
        options.say(
            f"warning: {address.machine} never had machine time {address.time}; "
            "its first transition stands for it"
        )
    return moment


def _title(dump: Dump, address: MachUrl | None = None, at: str | None = None) -> str:
    name = dump.name.rstrip("/").rpartition("/")[2] or dump.name
    return ", ".join([name, *([str(address)] if address else []), *([f"at {at}"] if at else [])])


# -- pictures


def _check(flags: Flags) -> None:
    """Complain of flags before anything is read.

    Raises:
        BadParameter: Flags contradict each other, or the output can't be what they ask for.
    """
    _ = flags.options
    _targets(flags)


def _targets(flags: Flags) -> list[Target]:
    return targets(flags.output or _NAME, flags.formats, _PICTURES, ["svg"])


def _only(graph: Graph, flags: Flags, options: GlobalOptions) -> list[str] | None:
    from amctl.graph.errors import UnknownStateError

    only = [name.strip() for name in flags.text("allowlist").split(",") if name.strip()]
    known = {state.name for machine in graph.machines.values() for state in machine.states}
    unknown = [name for name in only if name not in known]
    if unknown:
        error = UnknownStateError(unknown, sorted(known))
        if len(unknown) == len(only):
            raise error
        options.say(f"warning: {error}; {error.hint}".rstrip("; "))
    return only or None


def _view(
    graph: Graph, flags: Flags, requested: list[str], title: str, options: GlobalOptions
) -> View:
    from amctl.graph.patterns import matching
    from amctl.vis.select import select

    if flags.text("machs"):
        requested = [*requested, *matching(graph, flags.text("machs"))]
    skip = flags.text("skip_machs")
    return select(
        graph,
        flags.options,
        requested,
        title=title,
        skip=matching(graph, skip) if skip else (),
        only=_only(graph, flags, options),
    )


def _draw(dump: Dump, view: View, flags: Flags, options: GlobalOptions) -> None:
    from amctl.vis.draw import draw

    wanted = _targets(flags)
    picture = draw(view)
    for target in wanted:
        put(target, _picture(dump, view, picture, target.format, flags.theme), options)
    if flags.opens:
        show(wanted, options)


def _picture(dump: Dump, view: View, picture: Any, format: str, theme: Choice) -> bytes:
    if format != "html":
        from amctl.vis.render import render

        return render(picture, format, theme)  # type: ignore[arg-type]  # checked by the enums
    from amctl.vis.history import history
    from amctl.vis.page import page

    moments = history(dump, (*view.full, *view.half))
    return page(view, picture, moments, view.title, theme).encode()


def _draw_live(dump: Dump, pattern: str, flags: Flags, options: GlobalOptions) -> None:
    from amctl.graph.patterns import matching

    graph = _graph(dump, None, options)
    chosen = matching(graph, pattern)
    known = [machine for machine in graph.machines.values() if machine.known]
    newest = max((machine.time_ns for machine in known), default=0)
    if newest:
        age = max(time.time_ns() - newest, 0) / 1e9
        options.say(f"its newest transition happened {_age(age)} ago")
    requested = [] if len(chosen) == len(known) else chosen
    _draw(dump, _view(graph, flags, requested, _title(dump), options), flags, options)


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    for unit, name in ((60, "min"), (3600, "h")):
        if seconds < unit * 100:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} days"


# -- listings


def _listed(graph: Graph, address: MachUrl | None, flags: Flags) -> Graph:
    from amctl.graph.assemble import restricted
    from amctl.graph.patterns import matching
    from amctl.vis.select import full_machines

    requested = [address.machine] if address else []
    if flags.text("machs"):
        requested += matching(graph, flags.text("machs"))
    skip = matching(graph, flags.text("skip_machs")) if flags.text("skip_machs") else []
    if not requested and not skip:
        return graph
    return restricted(graph, full_machines(graph, flags.options, requested, skip))


def _listing(graph: Graph, format: str) -> str:
    from amctl.graph.listing import as_json, as_markdown, as_xml

    if format == "json":
        return json.dumps(as_json(graph)) + "\n"
    return as_xml(graph) if format == "xml" else as_markdown(graph)


# -- sequences


def _sequence_target(flags: Flags, format: SequenceFormat | None) -> Target:
    from pathlib import Path

    path = None if flags.output in ("", STDOUT) else Path(flags.output)
    suffix = path.suffix[1:].lower() if path else ""
    before = [one for one in flags.formats if one in [each.value for each in SequenceFormat]]
    asked = format.value if format else (*before, "")[0]
    if not asked:
        refuse_foreign(suffix, (*_SEQUENCES, "txt", "md"))
    return Target(asked or _SEQUENCES.get(suffix, "text"), path)


def _sequence(dump: Dump, address: MachUrl, options: GlobalOptions) -> Any:
    from amctl.dump.errors import UnknownTransitionError
    from amctl.graph.moments import find_position
    from amctl.vis.sequence import sequence

    tx_id = address.tx
    if not tx_id:
        _moment(dump, address, options)
        found = find_position(dump, address)
        if found is None:
            raise UnknownTransitionError(dump.name, address.machine, "any")
        tx_id = found[1].id
    return sequence(dump, address.machine, tx_id)


def _sequence_text(found: Any, format: str, chosen: dict[str, Any], theme: Choice) -> str:
    if format == "svg":
        from amctl.vis.sequence_svg import render_svg

        return render_svg(found, theme=None if theme == "auto" else theme, **chosen)
    if format == "mermaid":
        from amctl.vis.sequence_mermaid import render_mermaid

        return render_mermaid(found, **chosen)
    import shutil

    from amctl.vis.sequence_text import render_text

    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    width = shutil.get_terminal_size((100, 24)).columns
    return render_text(found, width=width, ascii=not encoding.startswith("utf"), **chosen)
