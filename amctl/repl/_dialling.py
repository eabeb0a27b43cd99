"""Connecting to an address, and saying why it didn't work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.rpc.errors import RefusedByServerError, code_name
from amctl.rpc.wire.codes import Code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from amctl.repl.addresses import Address
    from amctl.rpc.transports.base import Connection

__all__ = ["ALIVE", "HOW_TO_ENTER", "ONLY_HERE", "dial_address", "why"]

REFUSED = "refused: "
ALIVE = (REFUSED, "busy: ")
"""How a problem begins if somebody is there, but won't have us."""
HOW_TO_ENTER = "be the user who started it, name its folder with --dir, or set AMCTL_TOKEN"
ONLY_HERE = "nothing on the way there is encrypted; --allow-remote connects all the same"
"""Why addresses of other machines are not dialled."""

_REFUSED = {
    Code.OK: "it said goodbye",
    Code.STOPPED: "stopped: the machine was disposed of, or its run has ended",
    Code.BUSY: "busy: somebody else is connected to it, and it takes one at a time",
    Code.VERSION: f"{REFUSED}it speaks another version; is it of another amctl?",
}


async def dial_address(address: Address, token: str) -> Connection:
    """Connect.

    Raises:
        OSError: It didn't work, for whatever reason.
    """
    from amctl.rpc.transports.tcp import dial_tcp

    try:
        if not address.is_websocket:
            return await dial_tcp(address.host, address.port)
        from amctl.rpc.transports.websocket import dial_websocket

        # a relay wants to see the token before it opens a tunnel
        headers = {"Authorization": f"Bearer {token}"} if token else None
        return await dial_websocket(address.url, headers=headers)
    except (ValueError, EOFError) as error:  # a name that is none, a peer that speaks no HTTP
        raise ConnectionError(str(error) or type(error).__name__) from error


def why(error: BaseException, addr: str, token_files: Sequence[Path] | None) -> str:
    """What went wrong, for people.

    Args:
        error: What the client was told.
        addr: Where it dialled.
        token_files: Where the token was looked for; None if somebody gave it.
    """
    if isinstance(error, RefusedByServerError):
        if error.code == Code.AUTH:
            return f"{REFUSED}auth; {_which_token(token_files)}"
        known = _REFUSED.get(Code(error.code)) if error.code in set(Code) else None
        return known or f"{REFUSED}{code_name(error.code)}, {error.text}"
    if isinstance(error, ConnectionRefusedError):
        return f"nobody listens at {addr}"
    if isinstance(error, TimeoutError):
        return f"no answer from {addr} in time"
    return f"{addr}: {error}" if str(error) else f"{addr}: {type(error).__name__}"


def _which_token(token_files: Sequence[Path] | None) -> str:
    if token_files is None:
        return "is AMCTL_TOKEN that of the run?"
    where = " or ".join(str(path) for path in token_files)
    return f"is the token file of that run readable? It was looked for at {where}"
