"""`amctl deps`: what programs of ours import, and why."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amctl.cli._vis_files import STDOUT, Target, put
from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import GlobalOptions, global_options

if TYPE_CHECKING:
    from amctl.insight.deps import Deps

__all__ = ["app"]

app = typer.Typer(add_completion=False, invoke_without_command=True, rich_markup_mode=None)


class Program(StrEnum):
    """What can be looked into."""

    browser = "browser"
    orchestrator = "orchestrator"
    amctl = "amctl"


class ListFormat(StrEnum):
    """What a listing may be written as."""

    md = "md"
    json = "json"


class GraphFormat(StrEnum):
    """What a graph may be written as."""

    svg = "svg"
    dot = "dot"
    mermaid = "mermaid"


class ThemeChoice(StrEnum):
    """Colours of a picture."""

    dark = "dark"
    light = "light"


_SUFFIXES = {".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid"}
"""Any other is svg."""
_GRAPH_FILES = {"svg": "deps-graph.svg", "dot": "deps-graph.dot", "mermaid": "deps-graph.mmd"}

_Program = Annotated[Program, typer.Argument(metavar="[browser|orchestrator|amctl]")]
_Modules = Annotated[
    bool, typer.Option("--modules/--no-modules", help="Module by module, not by package.")
]
_Json = Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")]


@app.callback()
def deps(ctx: typer.Context) -> None:
    """What the browser bundle, the orchestrator or amctl imports, how large it is, and why.

    Example: amctl deps list browser
    """
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command("list")
def list_(
    ctx: typer.Context,
    program: _Program = Program.browser,
    modules: _Modules = False,
    why: Annotated[
        str | None,
        typer.Option("--why", metavar="NAME", help="The imports that bring NAME in: any package."),
    ] = None,
    format: Annotated[ListFormat, typer.Option("--format", help="Of the listing.")] = ListFormat.md,
    as_json: _Json = False,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Write it there; - is stdout.")
    ] = STDOUT,
) -> int:
    """List packages with sizes and direct imports, then third parties with their licences.

    Example: amctl deps list browser --why amctl.rpc
    """
    from amctl.insight import listing

    shared = global_options(ctx)
    found = _read(shared, program)
    document: dict[str, Any] | None = None
    if as_json or format is ListFormat.json:
        document = (
            listing.chain_json(found, why) if why else listing.to_json(found, modules=modules)
        )
    if document is not None:
        text = json.dumps(document) + "\n"
    else:
        text = listing.chain_text(found, why) if why else listing.markdown(found, modules=modules)
    _put(text.encode(), output, shared)
    return int(ExitCode.DONE)


@app.command("graph")
def graph(
    ctx: typer.Context,
    program: _Program = Program.browser,
    modules: _Modules = False,
    every: Annotated[
        bool,
        typer.Option("--all/--no-all", help="Of modules: draw arrows too that others imply."),
    ] = False,
    format: Annotated[
        GraphFormat | None,
        typer.Option("--format", help="Default: by the suffix of -o, or svg."),
    ] = None,
    theme: Annotated[ThemeChoice, typer.Option("--theme", help="Colours.")] = ThemeChoice.dark,
    as_json: _Json = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Default: deps-graph.svg, stdout for --json; - is stdout.",
        ),
    ] = None,
) -> int:
    """Draw who imports whom, without the standard library.

    Example: amctl deps graph orchestrator --format mermaid -o -
    """
    from amctl.insight.depsgraph import deps_graph

    shared = global_options(ctx)
    picture = deps_graph(_read(shared, program), modules=modules, reduce=modules and not every)
    if as_json:
        content = (json.dumps(picture.to_json()) + "\n").encode()
        _put(content, output or STDOUT, shared)
        return int(ExitCode.DONE)
    suffix = Path(output or "").suffix.lower()
    kind = format.value if format else _SUFFIXES.get(suffix, "svg")
    _put(_drawn(picture, kind, theme), output or _GRAPH_FILES[kind], shared)
    return int(ExitCode.DONE)


def _drawn(picture: Any, kind: str, theme: ThemeChoice) -> bytes:
    from amctl.insight import drawing

    if kind == "mermaid":
        return drawing.mermaid(picture).encode()
    if kind == "dot":
        return drawing.dot(picture, theme.value).encode()
    return drawing.svg(picture, theme.value)


def _read(shared: GlobalOptions, program: Program) -> Deps:
    from amctl.cli.main import COMMANDS
    from amctl.insight.targets import read_target
    from amctl.run.settings import load_settings

    settings = load_settings(shared.config)
    commands = ("amctl.cli.main", *(row[0] for row in COMMANDS.values()))
    return read_target(settings.home, program.value, settings["NODES_PACKAGE"], commands)


def _put(content: bytes, output: str, shared: GlobalOptions) -> None:
    path = None if output == STDOUT else Path(output)
    put(Target("", path), content, shared)
