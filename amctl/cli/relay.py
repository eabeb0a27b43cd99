"""`amctl relay`: the original's relay commands under their names."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer evaluates the annotations
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

    Example: amctl relay wasm -s web -r tmp
    """


@app.command()
def wasm(
    ctx: typer.Context,
    listen_addr: Annotated[
        str, typer.Option("-l", "--listen-addr", metavar="ADDR", help="host:port; port 0 is any.")
    ] = "localhost:12733",
    static_dir: Annotated[
        Path | None, typer.Option("-s", "--static-dir", metavar="DIR", help="Files to serve at /.")
    ] = None,
    repl_addr_dir: Annotated[
        Path | None,
        typer.Option("-r", "--repl-addr-dir", metavar="DIR", help="Where REPLs' addresses go."),
    ] = None,
    name: Annotated[str, typer.Option("-n", "--name", help="Its machine is relay-NAME.")] = "",
    token_path: Annotated[
        str | None, typer.Option("--token-file", metavar="FILE", help="Else AMCTL_TOKEN.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="PEM", help="Speak HTTPS, with this.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="PEM", help="The certificate's key.")
    ] = None,
    allow_plain: Annotated[
        bool, typer.Option("--allow-plain/--no-allow-plain", help="Not only on loopback, no TLS.")
    ] = False,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="HOST:PORT", help="Another name of ours; repeatable."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="URL", help="Pages that may come, too; repeatable."),
    ] = None,
    dial: Annotated[
        list[str] | None,
        typer.Option("--dial", metavar="HOST:PORT", help="May be dialled, too; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Serve files, and let WebSockets listen on and dial TCP ports, until Ctrl-C.

    Example: amctl relay wasm -s web -r tmp
    """
    from amctl.cli import _relay_work as work

    address, pem = target(listen_addr), (tls_cert, tls_key)
    more = tuple(host or ()), tuple(origin or ()), tuple(dial or ())
    wanted = work.Wanted(
        *address, name, static_dir, repl_addr_dir, token_path, *pem, allow_plain, *more
    )
    return work.run(global_options(ctx), wanted, as_json=as_json)


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
