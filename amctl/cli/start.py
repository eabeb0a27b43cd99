"""`amctl start`: the whole workflow, and a view of it."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from amctl.cli.began import BEGAN
from amctl.cli.exitcodes import ExitCode
from amctl.cli.observer import ConsoleObserver
from amctl.cli.options import GlobalOptions, global_options
from amctl.run.report import StartOptions
from amctl.run.settings import load_settings
from amctl.run.values import parse_duration

if TYPE_CHECKING:
    from amctl.run.report import Ending, Report

__all__ = ["app", "start"]

app = typer.Typer(add_completion=False)

_CODES: dict[Ending, ExitCode] = {
    "verified": ExitCode.DONE,
    "gave_up": ExitCode.FAILED,
    "timeout": ExitCode.TIMED_OUT,
    "interrupted": ExitCode.INTERRUPTED,
}


class BrowserChoice(StrEnum):
    """How the page is opened."""

    open = "open"
    headless = "headless"
    none = "none"


class NodesChoice(StrEnum):
    """Where the nodes run."""

    browser = "browser"
    local = "local"


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as err:
        raise typer.BadParameter(str(err)) from err


@app.command()
def start(
    ctx: typer.Context,
    browser: Annotated[
        BrowserChoice | None,
        typer.Option(help="Default: open if there is a display and a browser, else headless."),
    ] = None,
    nodes: Annotated[
        NodesChoice, typer.Option(help="local: all nodes in this process, no browser.")
    ] = NodesChoice.browser,
    stay: Annotated[
        bool, typer.Option("--stay/--no-stay", help="Keep running after the result is verified.")
    ] = False,
    dbg: Annotated[
        bool | None,
        typer.Option("--dbg/--no-dbg", help="Record every transition (the default): AM_DBG_ADDR."),
    ] = None,
    otel: Annotated[
        bool | None,
        typer.Option("--otel/--no-otel", help="Trace all machines (the default): AM_OTEL_TRACE."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="The same faults each time: FAULT_SEED=N.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="DUR", parser=_seconds, help="Give up after 90s, 5m, ... (exit 6)."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any key of config.env; repeatable."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json/--no-json", help="One JSON document instead of the view.")
    ] = False,
) -> int:
    """Build what is stale, start relay, orchestrator and nodes, and watch them until the result
    is verified or Ctrl-C.

    Example: amctl start --browser headless --timeout 2m --json
    """
    shared = global_options(ctx)
    all_sets = [*(sets or ()), *_as_sets(seed, dbg, otel, stay=stay)]
    options = StartOptions(
        nodes=nodes.value,
        browser=browser.value if browser else None,
        timeout=timeout,
        began=BEGAN,
        verbose=shared.verbose,
    )
    report = _run(options, shared, all_sets, as_json=as_json)
    if as_json:
        print(json.dumps(report.as_json()))
    elif shared.quiet and report.ending in ("gave_up", "timeout"):
        # Nothing else has told why.
        print(f"error: {report.snapshot.run.message}", file=sys.stderr)
    return int(_CODES[report.ending])


def _as_sets(seed: int | None, dbg: bool | None, otel: bool | None, *, stay: bool) -> list[str]:
    """Flags that are settings under another name; they beat --set of the same key."""
    return [
        *([] if seed is None else [f"FAULT_SEED={seed}"]),
        *([] if dbg is None else ["AM_DBG_ADDR=1" if dbg else "AM_DBG_ADDR="]),
        *([] if otel is None else ["AM_OTEL_TRACE=1" if otel else "AM_OTEL_TRACE="]),
        *(["EXIT_ON_COMPLETED=0"] if stay else []),
    ]


def _run(options: StartOptions, shared: GlobalOptions, sets: list[str], *, as_json: bool) -> Report:
    settings = load_settings(shared.config, sets)
    for warning in settings.warnings:
        shared.say(f"warning: {warning}")
    # Not at the top: `start --help` and a bad setting should not pay for the relay.
    from amctl.run.start import start as run_start

    return run_start(settings, options, ConsoleObserver(shared, as_json=as_json))
