"""`amctl relay`: the original's relay commands under their names."""

from __future__ import annotations

from typing import Annotated

import typer

from amctl.cli._collecting import dump_path, parse_seconds, run, target, targets
from amctl.cli.options import global_options

__all__ = ["app"]

app = typer.Typer(add_completion=False)
_DAY = 86400.0


@app.callback()
def relay() -> None:
    """What am-relay did.

    Example: amctl relay rotate-dbg -d tmp
    """


@app.command("rotate-dbg")
def rotate_dbg(
    ctx: typer.Context,
    listen_addr: Annotated[
        str, typer.Option("-l", "--listen-addr", metavar="ADDR", help="host:port.")
    ] = "localhost:12732",
    forward: Annotated[
        list[str] | None,
        typer.Option("-f", "--fwd-addr", metavar="ADDR", help="Send it all on; repeatable."),
    ] = None,
    interval_tx: Annotated[
        int, typer.Option(metavar="N", min=1, help="A new file after N transitions.")
    ] = 10_000,
    interval_duration: Annotated[
        float | None,
        typer.Option(metavar="DUR", parser=parse_seconds, help="... or after 30m; default: 24h."),
    ] = None,
    name: Annotated[
        str, typer.Option("-o", "--output", metavar="NAME", help="Name of the files.")
    ] = "am-dbg-dump",
    folder: Annotated[str, typer.Option("-d", "--dir", metavar="DIR", help="Where they go.")] = ".",
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Record what machines send into files of bounded size, until Ctrl-C.

    The same as `amctl collect` with its --rotate flags.

    Example: amctl relay rotate-dbg -d tmp --interval-tx 50000
    """
    from amctl.dump.rotation import Rotation
    from amctl.dump.service import CollectOptions

    host, port = target(listen_addr)
    ours, gob = targets(forward or ())
    wanted = CollectOptions(
        dump_path(folder, name), host, port, forward=tuple(ours), forward_gob=tuple(gob)
    )
    return run(
        global_options(ctx),
        wanted,
        Rotation(interval_tx, 0, _DAY if interval_duration is None else interval_duration),
        token_path=None,
        no_token=False,
        allow_remote=False,
        as_json=as_json,
    )
