"""`amctl dbg`: the debugger in the terminal."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from amctl.cli import _dbg_work as work
from amctl.cli.options import global_options

__all__ = ["app", "dbg"]

app = typer.Typer(add_completion=False)


class View(StrEnum):
    """What the main part of the screen shows."""

    tree_log = "tree-log"
    tree_matrix = "tree-matrix"
    matrix = "matrix"


class ThemeName(StrEnum):
    """For which kind of screen."""

    dark = "dark"
    light = "light"


class DiagTx(StrEnum):
    """What of a transition is drawn."""

    off = "off"
    called = "called"
    mutated = "mutated"
    touched = "touched"
    relations = "relations"


class DiagGroup(StrEnum):
    """What becomes of states outside of the selected group."""

    off = "off"
    hide = "hide"
    skip = "skip"


def _option(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, show_default=False, **more)


@app.command()
def dbg(
    ctx: typer.Context,
    url: Annotated[
        str | None,
        typer.Argument(metavar="MACHURL", help="Where to begin: mach://ID/TX/STEP or ?t=TIME."),
    ] = None,
    source: Annotated[
        str | None, _option("-i", "--import-data", metavar="DUMP", help="Default: the last run's.")
    ] = None,
    listen: Annotated[
        str | None, _option("-l", "--listen-addr", metavar="ADDR", help="Record what comes here.")
    ] = None,
    folder: Annotated[
        str | None, _option("-d", "--dir", metavar="DIR", help="Where files are written.")
    ] = None,
    view: Annotated[View, _option("--view", help="What the screen shows.")] = View.tree_log,
    reader: Annotated[
        bool, _option("-r/ ", "--view-reader/--no-view-reader", help="Reader.")
    ] = True,
    tail: Annotated[
        bool | None,
        _option("--view-tail/--no-view-tail", help="Stay at the newest. Default: without MACHURL."),
    ] = None,
    rain: Annotated[bool, _option("--view-rain/--no-view-rain", help="Rain.")] = False,
    narrow: Annotated[
        bool | None, _option("--view-narrow/--no-view-narrow", help="No list of machines.")
    ] = None,
    wrap: Annotated[
        bool, _option("--view-log-wrap/--no-view-log-wrap", help="Long lines go on below.")
    ] = False,
    timelines: Annotated[
        int, _option("--view-timelines", metavar="N", min=0, max=2, help="0, 1 or 2.")
    ] = 1,
    theme: Annotated[ThemeName, _option("--view-theme", help="Colours.")] = ThemeName.dark,
    log_level: Annotated[
        int, _option("--filter-log-level", metavar="N", min=0, max=5, help="0 none, 5 all.")
    ] = 2,
    auto: Annotated[
        bool | None, _option("--filter-auto/--no-filter-auto", help="Hide auto transitions.")
    ] = None,
    auto_canceled: Annotated[
        bool | None,
        _option("--filter-auto-canceled/--no-filter-auto-canceled", help="... canceled ones."),
    ] = None,
    canceled: Annotated[
        bool | None, _option("--filter-canceled/--no-filter-canceled", help="Hide canceled ones.")
    ] = None,
    queued: Annotated[
        bool | None, _option("--filter-queued/--no-filter-queued", help="Hide queued ones.")
    ] = None,
    empty: Annotated[
        bool | None, _option("--filter-empty/--no-filter-empty", help="... that moved nothing.")
    ] = None,
    health: Annotated[
        bool | None, _option("--filter-health/--no-filter-health", help="Hide heartbeats.")
    ] = None,
    checks: Annotated[
        bool | None, _option("--filter-checks/--no-filter-checks", help="Hide dry runs.")
    ] = None,
    group: Annotated[
        bool | None, _option("--filter-group/--no-filter-group", help="Hide other groups'.")
    ] = None,
    disconn: Annotated[
        bool | None, _option("--filter-disconn/--no-filter-disconn", help="Hide machines gone.")
    ] = None,
    rpc_machs: Annotated[
        bool | None, _option("--filter-rpc-machs/--no-filter-rpc-machs", help="Hide RPC's own.")
    ] = None,
    out_tx: Annotated[bool, _option("--output-tx/--no-output-tx", help="tx.md")] = True,
    out_log: Annotated[bool, _option("--output-log/--no-output-log", help="log.md")] = False,
    out_clients: Annotated[
        bool, _option("--output-clients/--no-output-clients", help="clients.txt")
    ] = False,
    out_graph: Annotated[
        bool, _option("--output-graph/--no-output-graph", help="graph.md, graph.xml")
    ] = False,
    out_calls: Annotated[
        bool, _option("--output-call-log/--no-output-call-log", help="call-log/")
    ] = False,
    diagrams: Annotated[
        int, _option("--output-diagrams", metavar="N", min=0, max=3, help="Detail of diagrams/.")
    ] = 0,
    diag_tx: Annotated[DiagTx, _option("--output-diag-tx", help="In them.")] = DiagTx.relations,
    diag_group: Annotated[
        DiagGroup, _option("--output-diag-group", help="Outside of the group.")
    ] = DiagGroup.hide,
    mouse: Annotated[bool, _option("--enable-mouse/--no-enable-mouse", help="Mouse.")] = True,
    clipboard: Annotated[
        bool, _option("--enable-clipboard/--no-enable-clipboard", help="Copy to the terminal's.")
    ] = True,
    as_text: Annotated[
        bool, _option("--text/--no-text", help="Print the screen as text once, and end.")
    ] = False,
    size: Annotated[
        str, _option("--size", metavar="COLxROW", help="Of that. Default: the terminal's.")
    ] = "",
) -> int:
    """Look at machines in the terminal: transition by transition, step by step, and why.

    While a run is live it keeps up with it. Keys: press ? in it.

    Example: amctl dbg -i run.gob.br 'mach://orchestrator?state=Ready'
    """
    filters = work.filters_of(
        auto, auto_canceled, canceled=canceled, queued=queued, empty=empty, health=health,
        checks=checks, outgroup=group, disconn=disconn, rpc=rpc_machs,
    )  # fmt: skip
    look = work.Look(
        content=view.value, rain=rain, log_level=log_level, reader=reader, narrow=narrow,
        timelines=timelines, wrap=wrap,
    )  # fmt: skip
    outputs = work.Written(
        folder or "", tx=out_tx, log=out_log, clients=out_clients, graph=out_graph,
        call_log=out_calls, diagrams=diagrams, diag_tx=diag_tx.value, diag_group=diag_group.value,
    )  # fmt: skip
    wanted = work.Wanted(
        url, source, listen, tail, filters, look, outputs, theme.value, mouse, clipboard
    )
    options = global_options(ctx)
    if as_text:
        return work.print_screen(ctx, wanted, work.size_of(size), options)
    return work.look(ctx, wanted, options)
