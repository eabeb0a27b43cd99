"""`amctl bench`: what the parts can do on this machine."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003  # typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from amctl.cli.exitcodes import ExitCode
from amctl.cli.options import global_options
from amctl.cli.progress import steps

if TYPE_CHECKING:
    from amctl.bench.collect import CollectFigures

__all__ = ["app"]

app = typer.Typer(add_completion=False)


@app.callback()
def bench() -> None:
    """Measure, and show the goals beside.

    Example: amctl bench collect --size 100000
    """


@app.command()
def collect(
    ctx: typer.Context,
    size: Annotated[
        int, typer.Option("--size", metavar="N", min=1, help="Transitions to send.")
    ] = 1_000_000,
    folder: Annotated[
        Path | None,
        typer.Option("-d", "--dir", metavar="DIR", help="Leave the dump there: bench.sqlite."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Send recorded transitions of 30 machines to a collector, each a process of its own.

    Example: amctl bench collect --size 100000 --json
    """
    from amctl.bench.collect import bench_collect

    with steps(global_options(ctx)) as progress:
        figures = bench_collect(
            size, folder=folder, progress=lambda done, total: progress("storing", done, total)
        )
    print(json.dumps(figures.to_json()) if as_json else _in_words(figures))
    return int(ExitCode.DONE)


@app.command()
def rpc(
    ctx: typer.Context,
    calls: Annotated[
        int, typer.Option("--calls", metavar="N", min=100, help="Calls of each turn.")
    ] = 20_000,
    rounds: Annotated[
        int, typer.Option("--rounds", metavar="N", min=1, help="Turns of each kind.")
    ] = 5,
    port: Annotated[
        bool, typer.Option("--port/--no-port", help="Also browser threads, in a Chromium.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Call a machine over loopback, in turns with grpc.aio.

    Example: amctl bench rpc --calls 5000 --json
    """
    from amctl.bench.port import PortFigures, try_port
    from amctl.bench.rpc import bench_rpc
    from amctl.cli.views.benches import rpc_in_words
    from amctl.run.settings import load_settings

    shared, missing = global_options(ctx), list[str]()

    def ports() -> PortFigures | None:
        return try_port(load_settings(shared.config).home, missing.append) if port else None

    with steps(shared) as progress:
        figures = bench_rpc(
            calls,
            rounds=rounds,
            port=ports,
            progress=lambda done, total: progress("calling", done, total),
        ).to_json()
    for line in missing:
        typer.echo(line, err=True)
    print(json.dumps(figures) if as_json else rpc_in_words(figures))
    return int(ExitCode.DONE)


@app.command()
def engine(
    ctx: typer.Context,
    pairs: Annotated[
        int, typer.Option("--pairs", metavar="N", min=4, help="Pairs of calls in each round.")
    ] = 5_000,
    rounds: Annotated[
        int, typer.Option("--rounds", metavar="N", min=1, help="How often each is measured.")
    ] = 9,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Run machines, in turns with transitions and python-statemachine, if these are installed.

    Example: amctl bench engine --rounds 5 --json
    """
    from amctl.bench.engine import bench_engine
    from amctl.cli.views.benches import engine_in_words

    with steps(global_options(ctx)) as progress:
        figures = bench_engine(
            pairs, rounds=rounds, progress=lambda done, total: progress("running", done, total)
        ).to_json()
    print(json.dumps(figures) if as_json else engine_in_words(figures))
    return int(ExitCode.DONE)


@app.command()
def start(
    ctx: typer.Context,
    runs: Annotated[
        int, typer.Option("--runs", metavar="N", min=1, help="Samples of each way to start.")
    ] = 5,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Start the workflow in a headless Chromium: as Pyodide's manual says, from bytecode, and from
    the memory image, in turns.

    Example: amctl bench start --runs 3 --json
    """
    from amctl.bench.start import bench_start
    from amctl.cli.views.starts import start_lines
    from amctl.run.bundling import build_bundle, entry_of
    from amctl.run.settings import load_settings

    shared = global_options(ctx)
    settings = load_settings(shared.config)
    with steps(shared) as progress:
        build_bundle(settings, progress)
        figures = bench_start(
            settings.home,
            entry_of(settings),
            runs=runs,
            progress=lambda done, total: progress("starting", done, total),
        )
    print(json.dumps(figures.to_json()) if as_json else "\n".join(start_lines(figures)))
    return int(ExitCode.DONE)


def _in_words(figures: CollectFigures) -> str:
    f = figures.to_json()
    goals = f["goals"]
    memory = f["memory_mb"] or [0.0]
    rows = [
        ("transitions a second", f"{f['transitions_per_second']:,}", "50,000 or more"),
        ("bytes each, stored", f["bytes_each"], f"under {goals['bytes_each']:g}"),
        ("bytes each, on the wire", f["wire_bytes_each"], ""),
        ("CPU us each, sender", f["sender_cpu_us_each"], ""),
        ("CPU us each, collector", f["collector_cpu_us_each"], ""),
        ("collector MB, median", sorted(memory)[len(memory) // 2], "flat"),
        ("collector MB, most", max(memory), ""),
        (f"seconds to open {f['transitions']:,}", f["open_seconds"], "under 1"),
        ("seconds to read 100,000", f["read_seconds_per_100k"], ""),
    ]
    return "\n".join(f"{what:<30} {value!s:>10}  {goal}".rstrip() for what, value, goal in rows)
