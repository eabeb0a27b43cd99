"""`amctl jaeger`: the prepackaged Jaeger, up and down."""

from __future__ import annotations

import json
import sys
import webbrowser
from typing import TYPE_CHECKING, Annotated

import typer

from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import GlobalOptions, global_options

if TYPE_CHECKING:
    from amctl.run.jaeger.service import Jaeger, JaegerStatus

__all__ = ["app"]

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

_Json = Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")]


@app.callback()
def jaeger() -> None:
    """Jaeger, prepackaged in deploy/jaeger: a local binary if there is one, else a container.

    Example: amctl jaeger status --json
    """


@app.command()
def up(ctx: typer.Context, as_json: _Json = False) -> int:
    """Start Jaeger, and wait until it is healthy. Runs that start later send it their traces.

    Example: amctl jaeger up
    """
    options = global_options(ctx)
    _show(_service(options).up(options.say), options, as_json=as_json)
    return int(ExitCode.DONE)


@app.command()
def down(ctx: typer.Context, as_json: _Json = False) -> int:
    """End the Jaeger that `up` started; its traces, kept in memory, are gone then.

    Example: amctl jaeger down
    """
    options = global_options(ctx)
    service = _service(options)
    was = service.down()
    options.say("Jaeger has ended" if was else "there was no Jaeger to end")
    if as_json:
        print(json.dumps({**service.status().to_json(), "ended": was}))
    return int(ExitCode.DONE)


@app.command()
def status(ctx: typer.Context, as_json: _Json = False) -> int:
    """Whether Jaeger runs, and where. Exit code 4 if it doesn't.

    Example: amctl jaeger status
    """
    options = global_options(ctx)
    found = _service(options).status()
    _show(found, options, as_json=as_json)
    return int(ExitCode.DONE if found.running else ExitCode.UNREACHABLE)


@app.command("open")
def open_(
    ctx: typer.Context,
    trace: Annotated[
        str, typer.Argument(metavar="TRACE", help="Id of a trace; default: the search page.")
    ] = "",
) -> int:
    """Show Jaeger's page in a browser, and print its address. Exit code 4 if it doesn't run.

    Example: amctl jaeger open
    """
    found = _service(global_options(ctx)).status()
    url = found.place.trace_url(trace) if trace else found.place.ui_url
    if not url:
        raise typer.BadParameter(f"{trace!r} isn't 32 hexadecimal digits", param_hint="TRACE")
    print(url)
    if not found.running:
        print("Jaeger isn't running; start it: amctl jaeger up", file=sys.stderr)
        return int(ExitCode.UNREACHABLE)
    webbrowser.open(url)
    return int(ExitCode.DONE)


def _service(options: GlobalOptions) -> Jaeger:
    # not at the top: the help of a group should cost nothing
    from amctl.run.jaeger.place import Place
    from amctl.run.jaeger.service import Jaeger
    from amctl.run.settings import load_settings

    settings = load_settings(options.config)
    origin = f"http://{settings.get_address('RELAY_ADDR')}"
    return Jaeger(settings.home, settings.repl_dir, Place.of(), origin=origin)


def _show(found: JaegerStatus, options: GlobalOptions, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found.to_json()))
        return
    how = f"by {found.backend}" if found.ours else "not started by amctl"
    if found.running:
        print(found.place.ui_url)
        options.say(f"Jaeger runs, {how}; it takes OTLP at {found.place.otlp_url}")
    else:
        options.say("Jaeger isn't running" + (f"; {found.backend} could" if found.backend else ""))
