"""`amctl build`: the browser bundle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import global_options
from amctl.cli.progress import steps
from amctl.run.bundling import build_bundle, clean_bundle, stale_reasons
from amctl.run.settings import load_settings

if TYPE_CHECKING:
    from amctl.bundle import BuildReport
    from amctl.run.settings import Settings

__all__ = ["app", "build"]

app = typer.Typer(add_completion=False)


@app.command()
def build(
    ctx: typer.Context,
    prod: Annotated[
        bool | None,
        typer.Option(
            "--prod/--no-prod",
            help="Smallest, and precompressed for a real network; default: the kind that is there.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Build nothing; exit 1 if it is stale.")
    ] = False,
    clean: Annotated[
        bool, typer.Option("--clean/--no-clean", help="Remove web/dist first.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Build the browser bundle into web/dist, or do nothing if it is fresh.

    Example: amctl build --prod --json
    """
    shared = global_options(ctx)
    settings = load_settings(shared.config)
    if check:
        return _check(settings, prod, as_json=as_json)
    if clean:
        clean_bundle(settings)
    with steps(shared) as progress:
        report = build_bundle(settings, progress, prod=prod)
    print(json.dumps(report.to_json()) if as_json else _in_words(report))
    return int(ExitCode.DONE)


def _check(settings: Settings, prod: bool | None, *, as_json: bool) -> int:
    reasons = stale_reasons(settings, prod=prod)
    if as_json:
        print(json.dumps({"stale": bool(reasons), "reasons": reasons}))
    else:
        print(*([f"stale: {each}" for each in reasons] or ["web/dist is fresh"]), sep="\n")
    return int(ExitCode.FAILED if reasons else ExitCode.DONE)


def _in_words(report: BuildReport) -> str:
    rows = [_row(file.size, file.brotli, file.path) for file in report.files]
    kind = "prod bundle" if report.prod else "bundle"
    did = f"built in {report.seconds:.1f} s" if report.built else "is fresh"
    packed = sum(file.brotli for file in report.files)
    rows.append(_row(report.size, packed, f"web/dist: {kind} {did}"))
    if report.snapshot_problem:
        rows.append(f"no memory image, so pages start slower: {report.snapshot_problem}")
    return "\n".join(rows)


def _row(size: int, packed: int, what: str) -> str:
    """A size, and what of it goes over a network if it was compressed."""
    sent = f"  {packed / 1e6:>6.2f} MB sent" if packed else ""
    return f"  {size / 1e6:>6.2f} MB{sent}  {what}"
