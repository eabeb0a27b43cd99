"""`amctl setup`: what this machine lacks, and how it gets it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import GlobalOptions, global_options
from amctl.run.doctor.mending import tidy
from amctl.run.settings import load_settings, project_home
from amctl.run.setup import Fate, Need, install, survey

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app", "setup"]

app = typer.Typer(add_completion=False)
_MARKS = {"present": "ok", "installed": "installed", "failed": "FAILED", "missing": "missing"}


@app.command()
def setup(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("-y/ ", "--yes/--no-yes", help="Ask nothing.")] = False,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Only look; exit 1 if something lacks.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Install what start, test and build need, or say what to type.

    Chromium and Graphviz come from the system's packages; on a terminal it asks.
    The browsers' Python comes into web/node_modules. What a killed run left is tidied up.

    Example: amctl setup --check
    """
    options = global_options(ctx)
    home = project_home()
    needs = survey(home)
    fates = _looked(needs) if check else _installed(needs, options, yes=yes)
    if not check:
        for done in tidy(load_settings(options.config).repl_dir):
            options.say(done)
    if as_json:
        print(json.dumps([_row(fate) for fate in fates]))
    else:
        _show(fates, options)
    bad = [f for f in fates if f.need.required and f.outcome in ("failed", "missing")]
    return int(ExitCode.FAILED if bad else ExitCode.DONE)


def _looked(needs: Sequence[Need]) -> list[Fate]:
    return [
        Fate(need, "present", need.found) if need.found else Fate(need, "missing", need.by_hand)
        for need in needs
    ]


def _installed(needs: Sequence[Need], options: GlobalOptions, *, yes: bool) -> list[Fate]:
    asked = [need for need in needs if need.can_install and need.system_wide]
    allowed = yes or not asked or not sys.stdin.isatty() or _agreed(asked)
    return list(install(needs, options.say, allow_system=allowed))


def _agreed(needs: Sequence[Need]) -> bool:
    print("setup would install, system-wide:", file=sys.stderr)
    for need in needs:
        print(f"  {need.name:<9} {need.purpose}: {need.by_hand}", file=sys.stderr)
    return typer.confirm("go on?", default=True, err=True)


def _row(fate: Fate) -> dict[str, Any]:
    return {
        "name": fate.need.name,
        "required": fate.need.required,
        "outcome": fate.outcome,
        "detail": fate.detail,
        "by_hand": fate.need.by_hand,
    }


def _show(fates: Sequence[Fate], options: GlobalOptions) -> None:
    if options.quiet and all(fate.outcome in ("present", "installed") for fate in fates):
        return
    for fate in fates:
        extra = "" if fate.need.required else " (optional)"
        print(f"{fate.need.name:<9} {_MARKS[fate.outcome]:<10}{extra} {fate.detail}".rstrip())
        if fate.outcome == "failed":
            print(f"{'':<9} by hand: {fate.need.by_hand}")
