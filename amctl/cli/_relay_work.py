"""`amctl relay wasm`: a relay by itself, from its bind to Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from amctl.cli.exitcodes import ExitCode

if TYPE_CHECKING:
    from amctl.cli.options import GlobalOptions
    from amctl.relay.relay import Relay

__all__ = ["Wanted", "run"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the flags say."""

    host: str
    port: int
    name: str
    static: Path | None
    repl_dir: Path | None
    token_path: str | None
    cert: Path | None
    key: Path | None
    forced: bool
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    dials: tuple[str, ...]


def run(options: GlobalOptions, wanted: Wanted, *, as_json: bool) -> int:
    """Serve until somebody asks for the end.

    Raises:
        typer.BadParameter: The flags make no relay.
        RelayError: It can't listen there.
    """
    from amctl.cli._collecting import token_for

    _check(wanted)
    folder = wanted.repl_dir or Path("tmp")
    with token_for(folder, wanted.token_path, options, "relay.token") as token:
        told = asyncio.run(_serve(options, wanted, token))
    if as_json:
        print(json.dumps(told))
    else:
        options.say(f"goodbye: {told['tunnels']} tunnels and {told['dials']} dials were served")
    return int(ExitCode.FAILED if told["error"] else ExitCode.DONE)


def _check(wanted: Wanted) -> None:
    from amctl.rpc.errors import ExposedError
    from amctl.rpc.exposure import check_exposure

    if (wanted.cert is None) is not (wanted.key is None):
        raise typer.BadParameter("--tls-cert and --tls-key belong together")
    if wanted.static is not None and not wanted.static.is_dir():
        raise typer.BadParameter(f"static directory {str(wanted.static)!r} isn't there")
    try:
        encrypted = wanted.cert is not None
        check_exposure(wanted.host, wanted.port, encrypted=encrypted, forced=wanted.forced)
    except ExposedError as error:
        raise typer.BadParameter(
            f"{error}: listen on localhost, give --tls-cert and --tls-key, or --allow-plain "
            "in a network that is safe"
        ) from error


async def _serve(options: GlobalOptions, wanted: Wanted, token: str) -> dict[str, Any]:
    from amctl.run.signals import Stopper, stop_on_signals

    relay, stopper = _make(wanted, token), Stopper()
    with stop_on_signals(stopper):
        await relay.start()
        options.say(f"relay at {relay.url}")
        if wanted.static is not None:
            options.say(f"open {relay.page_url}")
        ends = [
            asyncio.ensure_future(stopper.asked.wait()),
            asyncio.ensure_future(_until_stopped(relay)),
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            told = _told(relay)
            await relay.stop()
    return told


def _make(wanted: Wanted, token: str) -> Relay:
    from amctl.relay.limits import Policy
    from amctl.relay.relay import Relay
    from amctl.rpc.errors import TlsError
    from amctl.rpc.exposure import server_tls

    tls = None
    if wanted.cert is not None and wanted.key is not None:
        try:
            tls = server_tls(wanted.cert, wanted.key)
        except TlsError as error:
            raise typer.BadParameter(f"{error}: {error.hint}") from error
    return Relay(
        wanted.name,
        token=token,
        host=wanted.host,
        port=wanted.port,
        static=[wanted.static] if wanted.static is not None else [],
        repl_dir=wanted.repl_dir,
        policy=Policy(wanted.hosts, wanted.origins, wanted.dials, wanted.forced),
        tls=tls,
    )


async def _until_stopped(relay: Relay) -> None:
    from amctl.relay.states import RelayStates

    with contextlib.suppress(asyncio.CancelledError):
        await relay.machine.when_not(RelayStates.Start)


def _told(relay: Relay) -> dict[str, Any]:
    from amctl.relay.states import RelayStates

    machine = relay.machine
    error = machine.err if machine.is_(RelayStates.Exception) else None
    # a multi state's tick is odd while it is active, and grows by two with each adding
    tunnels = (machine.tick(RelayStates.WsTunListenConn) + 1) // 2
    dials = (machine.tick(RelayStates.WsDialConn) + 1) // 2
    return {
        "url": relay.url,
        "tunnels": tunnels,
        "dials": dials,
        "error": str(error) if error is not None else None,
    }
