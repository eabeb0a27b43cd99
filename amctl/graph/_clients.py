"""Which client has shaken hands with an RPC server (vis.md 2.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.telemetry.messages import SchemaMsg, TxMsg

__all__ = ["HANDSHAKE", "client_of", "is_server", "shakes_hands"]

HANDSHAKE = "HandshakeDone"
_ARGS = re.compile(r"\[add\] (?P<states>[^(]*)\((?P<args>.*)\)\s*", re.DOTALL)


def is_server(schema: SchemaMsg) -> bool:
    """Whether a machine serves RPC clients."""
    tagged = any(tag.partition(":")[0] == "rpc-server" for tag in schema.tags)
    return tagged and HANDSHAKE in schema.names


def shakes_hands(index: int, before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether the state is active now, and has moved since the message before."""
    now = after[index] if index < len(after) else 0
    return now & 1 == 1 and now != (before[index] if index < len(before) else 0)


def client_of(tx: TxMsg, index: int) -> str:
    """The id of the client machine that a transition names; empty if it names none.

    The arguments hold it whole; lines of a log may have cut it.
    """
    if index in tx.called and tx.args.get("id"):
        return tx.args["id"]
    found = ""
    for line in tx.logs:
        match = _ARGS.fullmatch(line.text)
        if match is None:
            continue
        args = dict(word.split("=", 1) for word in match["args"].split(" ") if "=" in word)
        if args.get("id"):
            found = args["id"]
            if HANDSHAKE in match["states"].split(" "):
                break
    return found
