"""What `amctl collect` and `amctl relay rotate-dbg` share: addresses, the token, the end."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from amctl.cli.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amctl.cli.options import GlobalOptions
    from amctl.dump.rotation import Rotation
    from amctl.dump.service import Collected, CollectOptions

__all__ = [
    "GOB",
    "TOKEN_FILE",
    "dump_path",
    "gob_target",
    "parse_bytes",
    "parse_seconds",
    "run",
    "target",
    "targets",
    "token_for",
]

TOKEN_FILE = "collector.token"
GOB = "gob://"
"""In front of the address of a debugger of the original."""
_WHO = {TOKEN_FILE: "senders", "relay.token": "peers"}
_SIZE = re.compile(r"(\d+)([kMG]?)B?", re.ASCII)
_FACTORS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3}


def parse_bytes(text: str) -> int:
    """Bytes of `500kB`, `100MB`, `2GB` or a bare number."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"size {text!r} isn't like 500kB, 100MB, 2GB")
    return int(match[1]) * _FACTORS[match[2]]


def parse_seconds(text: str) -> float:
    """Seconds of `500ms`, `30s`, `2m`, `24h`."""
    from amctl.run.values import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def target(text: str) -> tuple[str, int]:
    """Host and port."""
    from amctl.run.values import address

    try:
        host, port = address.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return host, port


def targets(texts: Iterable[str]) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Collectors of ours, and (`gob://host:port`) debuggers of the original."""
    ours: list[tuple[str, int]] = []
    gob: list[tuple[str, int]] = []
    for text in texts:
        (gob if text.startswith(GOB) else ours).append(target(text.removeprefix(GOB)))
    return ours, gob


def gob_target(text: str) -> tuple[str, int]:
    """Where programs of the original may send: on the loopback alone, for they have no token."""
    from amctl.relay.security import is_loopback

    host, port = target(text.removeprefix(GOB))
    if not is_loopback(host):
        raise typer.BadParameter(
            f"{host} is reachable from outside, and programs of the original show no token: "
            "--gob-addr takes an address such as 127.0.0.1:6831"
        )
    return host, port


def dump_path(folder: str, name: str) -> Path:
    """The file of a name, with or without its suffix."""
    return Path(folder) / (name if name.endswith(".sqlite") else f"{name}.sqlite")


@contextlib.contextmanager
def token_for(
    folder: Path, given: str | None, options: GlobalOptions, name: str = TOKEN_FILE
) -> Iterator[str]:
    """The token of a file, of AMCTL_TOKEN, or a new one, which stands in the folder meanwhile."""
    from amctl.run.token import make_token, token_file

    if given is not None:
        try:
            yield Path(given).read_text(encoding="ascii").strip()
        except (OSError, UnicodeError) as error:
            raise typer.BadParameter(f"the token can't be read from {given}: {error}") from error
    elif os.environ.get("AMCTL_TOKEN"):
        yield make_token()
    else:
        with token_file(folder, make_token(), name) as path:
            options.say(f"{_WHO[name]} need the token in {path}, as AMCTL_TOKEN")
            yield path.read_text(encoding="ascii")


def run(
    options: GlobalOptions,
    wanted: CollectOptions,
    rotation: Rotation,
    *,
    token_path: str | None,
    no_token: bool,
    allow_remote: bool,
    as_json: bool,
) -> int:
    """Collect until it is asked to end."""
    from amctl.dump.service import collect
    from amctl.relay.security import is_loopback

    if not is_loopback(wanted.host) and (not allow_remote or no_token):
        raise typer.BadParameter(
            f"{wanted.host} is reachable from outside: --allow-remote allows it, with a token"
        )
    with contextlib.ExitStack() as stack:
        token = None
        if not no_token:
            token = stack.enter_context(token_for(wanted.path.parent, token_path, options))
        wanted = dataclasses.replace(
            wanted,
            token=token,
            rotation=rotation,
            forward_token=os.environ.get("AMCTL_FWD_TOKEN", token or ""),
        )
        collected = asyncio.run(collect(wanted, lambda text, level: options.say(text, level=level)))
    _show(collected, options, as_json=as_json)
    return int(ExitCode.DONE)


def _show(collected: Collected, options: GlobalOptions, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(dataclasses.asdict(collected)))
        return
    lost = f", {collected.missing} messages are missing" if collected.missing else ""
    options.say(
        f"{collected.path}: {collected.transitions} transitions of {collected.streams} "
        f"senders{lost}"
    )
