"""`amctl profile`: where a running machine's process, or a browser thread, spends its time."""

from __future__ import annotations

import asyncio
import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import GlobalOptions, global_options
from amctl.cli.outcomes import document
from amctl.repl.parsing import parse_duration

if TYPE_CHECKING:
    from amctl.cli._profile_work import Taken, Wanted

__all__ = ["app", "profile"]

app = typer.Typer(add_completion=False)
_LONGEST = 540.0
"""Seconds; a machine takes none that is longer than 600."""


class HowChoice(StrEnum):
    """Who looks."""

    auto = "auto"
    py_spy = "py-spy"
    signal = "signal"
    thread = "thread"
    calls = "calls"


def _seconds(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if not 0 < seconds <= _LONGEST:
        raise typer.BadParameter(f"{text!r} is no time up to {_LONGEST / 60:g}m")
    return seconds


@app.command()
def profile(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="A machine: orchestrator, browser3, ...")
    ] = "orchestrator",
    seconds: Annotated[
        float,
        typer.Option("-s", "--seconds", metavar="DUR", parser=_seconds, help="How long."),
    ] = 5.0,
    hz: Annotated[int, typer.Option(min=1, max=1000, help="Samples a second.")] = 100,
    how: Annotated[
        HowChoice,
        typer.Option(help="py-spy looks from outside, the others from inside."),
    ] = HowChoice.auto,
    cpu: Annotated[
        bool,
        typer.Option(
            "--cpu-profile/--no-cpu-profile",
            help="Of a browser thread: Chromium's own profile beside. Needs BROWSER_DEBUG=1.",
        ),
    ] = False,
    folder: Annotated[
        str | None, typer.Option("-d", "--dir", metavar="DIR", help="Address files of the run.")
    ] = None,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="NAME", help="NAME.html, NAME.speedscope.json")
    ] = "",
    show: Annotated[
        bool, typer.Option("--open/--no-open", help="Show the flame graph in a browser.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Sample a running machine: its process by py-spy where that is permitted, a browser thread
    from inside. Writes a flame graph, one HTML file, and a file for speedscope.

    Example: amctl profile orchestrator --seconds 5
    """
    # not at the top: the help should not pay for the network
    from amctl.cli._profile_work import Wanted, write
    from amctl.cli.views.profiles import as_data, show_profile

    options = global_options(ctx)
    door = _folder(options, folder) if cpu else None
    taken = _take(options, Wanted(target, seconds, hz, how.value, door), folder)
    files = write(taken, output)
    if as_json:
        print(document(as_data(taken.profile, files)))
    else:
        show_profile(taken.profile, options)
        print(*files, sep="\n")
    if show:
        webbrowser.open(files[0].resolve().as_uri())
    return int(ExitCode.DONE)


def _folder(options: GlobalOptions, folder: str | None) -> Path:
    from amctl.run.settings import load_settings

    return Path(folder) if folder else load_settings(options.config).repl_dir


def _take(options: GlobalOptions, wanted: Wanted, folder: str | None) -> Taken:
    from amctl.cli import _operating as operating
    from amctl.cli._profile_work import take
    from amctl.cli.progress import share

    async def main() -> Taken:
        reach = operating.Reach(folder, dir=bool(folder), watch=False)
        async with operating.reaching(options, reach) as context:
            with share(options, f"sampling {wanted.target} for {wanted.seconds:g} s") as progress:
                return await take(context, wanted, progress)

    return asyncio.run(main())
