"""`amctl gen`: state sets to start from, and what is odd about those there are."""

from __future__ import annotations

import re
from pathlib import Path  # noqa: TC003  # typer reads annotations at run time
from typing import Annotated

import typer

from amctl.cli.exitcodes import ExitCode
from amctl.cli.outcomes import document
from amctl.repl.errors import UsageError

__all__ = ["app"]

app = typer.Typer(add_completion=False, invoke_without_command=True, rich_markup_mode=None)

_Json = Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")]
_COMMAS = re.compile(r",(?![^()]*\))")


@app.callback()
def gen(ctx: typer.Context) -> None:
    """Begin a set of states, or look for what is odd about one.

    Example: amctl gen states Downloader
    """
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command("states")
def states(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The machine's, in PascalCase.")],
    given: Annotated[
        list[str] | None,
        typer.Option("-s", "--states", metavar="STATES", help="A,B:auto,C:multi:require(A B)"),
    ] = None,
    inherit: Annotated[
        list[str] | None,
        typer.Option("-i", "--inherit", metavar="SETS", help="basic,connected,disposed"),
    ] = None,
    handlers: Annotated[
        bool, typer.Option("--handlers/--no-handlers", help="A class of handlers, too.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="In place of stdout.")
    ] = None,
    force: Annotated[
        bool, typer.Option("-f", "--force/--no-force", help="Write over a file that exists.")
    ] = False,
    as_json: _Json = False,
) -> int:
    """Write a module with a class of states, to start from.

    Example: amctl gen states Downloader -i basic -s "Fetching:require(Start),Done:remove(Fetching)"
    """
    from amctl.states.skeleton import skeleton

    try:
        text = skeleton(name, _split(given), _split(inherit), handlers=handlers)
    except ValueError as error:
        raise UsageError(str(error), "amctl gen states --help shows how") from None
    if output is not None:
        _write(output, text, force)
    if as_json:
        print(document({"name": name, "file": str(output) if output else None, "text": text}))
    elif output is None:
        print(text, end="")
    return int(ExitCode.DONE)


def _split(words: list[str] | None) -> list[str]:
    """Words by commas outside of parentheses."""
    return [one.strip() for word in words or () for one in _COMMAS.split(word) if one.strip()]


def _write(path: Path, text: str, force: bool) -> None:
    if path.exists() and not force:
        raise UsageError(f"{path} exists", "--force writes over it")
    path.write_text(text, encoding="utf-8")


@app.command("lint")
def lint(
    targets: Annotated[
        list[str],
        typer.Argument(metavar="MODULE[:CLASS]...", help="Or FILE.py[:CLASS]; all without CLASS."),
    ],
    tries: Annotated[
        int, typer.Option("--tries", metavar="N", min=0, help="How many calls to try.")
    ] = 30_000,
    as_json: _Json = False,
) -> int:
    """Look for states that can't come, circles of Require, and calls that are refused always.

    Exit code 0 if nothing is odd (notes don't count), 1 if something is, 3 if there is no such
    class, 7 if the module can't be imported.

    Example: amctl gen lint nodes.states
    """
    from amctl.cli._linting import linted, loaded, told

    looked = [linted(one, tries) for target in targets for one in loaded(target)]
    if as_json:
        print(document([one.data for one in looked]))
    else:
        print(*told(looked), sep="\n")
    return int(ExitCode.FAILED if any(one.is_odd for one in looked) else ExitCode.DONE)
