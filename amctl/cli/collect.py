"""`amctl collect`: the collector alone, for programs that run by themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from amctl.cli._collecting import (
    dump_path,
    gob_target,
    parse_bytes,
    parse_seconds,
    run,
    target,
    targets,
)
from amctl.cli.options import global_options

__all__ = ["app", "collect"]

app = typer.Typer(add_completion=False)


@app.command()
def collect(
    ctx: typer.Context,
    listen_addr: Annotated[
        str, typer.Option("-l", "--listen-addr", metavar="ADDR", help="host:port; port 0 is any.")
    ] = "127.0.0.1:6831",
    folder: Annotated[
        str, typer.Option("-d", "--dir", metavar="DIR", help="Where the dump goes.")
    ] = ".",
    name: Annotated[
        str, typer.Option("-o", "--output-filename", metavar="NAME", help="Its name.")
    ] = "am-dbg-dump",
    forward: Annotated[
        list[str] | None,
        typer.Option(
            "-f", "--fwd-data", metavar="ADDR", help="Send it all on; gob://ADDR to an am-dbg."
        ),
    ] = None,
    gob_addr: Annotated[
        str | None,
        typer.Option(metavar="ADDR", help="Also take what Go machines send (net/rpc); no token."),
    ] = None,
    rotate_tx: Annotated[
        int, typer.Option(metavar="N", min=0, help="A new file after N transitions.")
    ] = 0,
    rotate_size: Annotated[
        int | None, typer.Option(metavar="SIZE", parser=parse_bytes, help="... after 100MB, 2GB.")
    ] = None,
    rotate_time: Annotated[
        float | None, typer.Option(metavar="DUR", parser=parse_seconds, help="... after 30m, 24h.")
    ] = None,
    keep: Annotated[int, typer.Option(metavar="N", min=0, help="Closed files to keep.")] = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh/--no-fresh", help="Set a dump that is there aside.")
    ] = False,
    token_path: Annotated[
        str | None, typer.Option("--token-file", metavar="FILE", help="Else AMCTL_TOKEN.")
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token/--with-token", help="Take what anybody here sends.")
    ] = False,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote/--no-allow-remote", help="Not only on loopback.")
    ] = False,
    ready_fd: Annotated[
        int | None,
        typer.Option(metavar="FD", min=0, help="Gets its address as JSON, for supervisors."),
    ] = None,
    end_with_stdin: Annotated[
        bool, typer.Option("--end-with-stdin/--no-end-with-stdin", help="End when stdin does.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json/--no-json", help="One JSON document.")] = False,
) -> int:
    """Record what machines send, until Ctrl-C.

    `amctl start` does this by itself.

    Example: amctl collect -d tmp --rotate-size 100MB --keep 10
    """
    from amctl.dump.rotation import Rotation
    from amctl.dump.service import CollectOptions

    host, port = target(listen_addr)
    ours, gob = targets(forward or ())
    wanted = CollectOptions(
        path=dump_path(folder, name),
        host=host,
        port=port,
        gob=None if gob_addr is None else gob_target(gob_addr),
        forward=tuple(ours),
        forward_gob=tuple(gob),
        fresh=fresh,
        ready_fd=ready_fd,
        end_with_stdin=end_with_stdin,
    )
    return run(
        global_options(ctx),
        wanted,
        Rotation(rotate_tx, rotate_size or 0, rotate_time or 0.0, keep),
        token_path=token_path,
        no_token=no_token,
        allow_remote=allow_remote,
        as_json=as_json,
    )
