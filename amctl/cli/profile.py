"""`amctl profile`: where a running machine's process, or a browser thread, spends its time."""

from __future__ import annotations

import json
import sys
import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import GlobalOptions, global_options
from amctl.run.values import parse_duration

if TYPE_CHECKING:
    from amctl.insight.profiles.model import Profile

__all__ = ["app", "profile"]

app = typer.Typer(add_completion=False)
_TOP = 10


class HowChoice(StrEnum):
    """Who looks."""

    auto = "auto"
    py_spy = "py-spy"
    thread = "thread"
    calls = "calls"


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as err:
        raise typer.BadParameter(str(err)) from err


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
        typer.Option(help="py-spy looks from outside, thread and calls from inside."),
    ] = HowChoice.auto,
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
    from amctl.cli._profile_work import Wanted

    options = global_options(ctx)
    found = _take(options, Wanted(target, seconds, hz, how.value), folder)
    files = _write(found, output or f"profile-{found.target}")
    if as_json:
        print(json.dumps(_document(found, files)))
    else:
        _show(found, files, options)
    if show:
        webbrowser.open(files[0].resolve().as_uri())
    return int(ExitCode.DONE)


def _take(options: GlobalOptions, wanted: Any, folder: str | None) -> Profile:
    # not at the top: the help should not pay for the network
    from amctl.cli._operating import Reach, reaching
    from amctl.cli._profile_work import take

    async def main() -> Profile:
        async with reaching(options, Reach(folder, dir=bool(folder), watch=False)) as context:
            with _progress(options, wanted.seconds) as progress:
                return await take(context, wanted, progress)

    import asyncio

    return asyncio.run(main())


def _progress(options: GlobalOptions, seconds: float) -> Any:
    import contextlib

    @contextlib.contextmanager
    def shown() -> Any:
        if not sys.stderr.isatty() or options.quiet:
            yield lambda share: None
            return
        from rich.progress import Progress

        with Progress(console=options.stderr(), transient=True) as bar:
            task = bar.add_task(f"sampling for {seconds:g} s", total=1.0)
            yield lambda share: bar.update(task, completed=share)

    return shown()


def _write(found: Profile, name: str) -> tuple[Path, Path]:
    from amctl.insight.profiles.flame import flame_page
    from amctl.insight.profiles.speedscope import speedscope

    stem = name.removesuffix(".html")
    page, scope = Path(f"{stem}.html"), Path(f"{stem}.speedscope.json")
    page.write_text(flame_page(found), encoding="utf-8")
    scope.write_text(speedscope(found), encoding="utf-8")
    return page, scope


def _document(found: Profile, files: tuple[Path, Path]) -> dict[str, Any]:
    def rows(weights: list[Any]) -> list[dict[str, Any]]:
        return [
            {"name": w.frame.name, "file": w.frame.file, "line": w.frame.line,
             "own_us": w.own, "total_us": w.total}
            for w in weights
        ]  # fmt: skip

    return {
        "target": found.target,
        "how": found.how,
        "seconds": found.seconds,
        "busy": found.busy,
        "idle": found.idle,
        "samples": found.samples,
        "handlers": rows(found.handlers()),
        "functions": rows([w for w in found.weights() if not w.frame.is_handler][:50]),
        "files": [str(path) for path in files],
    }


def _show(found: Profile, files: tuple[Path, Path], options: GlobalOptions) -> None:
    from amctl.cli.views.profiles import show_profile

    show_profile(found, options, _TOP)
    for path in files:
        print(path)
