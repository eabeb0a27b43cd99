"""What the core tells its host.

Named tuples, not dataclasses: several are made for each message, and these cost a third. The host
handles them in order, by `match` or `isinstance`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = [
    "Call",
    "Closed",
    "Delivered",
    "Event",
    "Failed",
    "Fired",
    "Lost",
    "Mirror",
    "Opened",
    "Paid",
    "Replied",
    "SchemaChanged",
    "Stepped",
    "Usable",
]


class Opened(NamedTuple):
    """The handshake is done on this connection."""

    resumed: bool
    session: bytes


class Closed(NamedTuple):
    """The connection is finished: flush `data_to_send()`, then close the transport."""

    code: int
    text: str = ""
    retry: bool = True
    """Whether dialling again makes sense."""
    after: float = 0.0
    """Seconds to wait first, as the peer asked."""


class Mirror(NamedTuple):
    """Client: the mirror moved. `full`: it was replaced, not moved by a diff."""

    full: bool = False


class SchemaChanged(NamedTuple):
    """Client: the source's state names are these from here on; a full Mirror follows."""

    names: list[str]


class Stepped(NamedTuple):
    """Client, per-mutation mode: one source transition; a Mirror follows."""

    type: int
    called: list[int]


class Replied(NamedTuple):
    """Client: call `cid` ran; the mirror is as new as the answer. A batch has a list of results."""

    cid: int
    result: int | list[int]
    text: str = ""
    """What a question was answered with."""


class Failed(NamedTuple):
    """Client: call `cid` has no result; the code tells whether it may have run."""

    cid: int
    code: int
    text: str = ""


class Paid(NamedTuple):
    """Client: a payload arrived; it is acknowledged when this event is handed over."""

    name: str
    data: Any
    source: str
    tx: int | str
    token: str = ""
    trace: bytes = b""


class Fired(NamedTuple):
    """Client: subscription `sub` came true, once, at queue tick `q`; the mirror shows it."""

    sub: int
    q: int


class Call(NamedTuple):
    """Server: a mutation for the host to run, strictly in order.

    Answer each with `Session.reply()` if `wants`, else with `Session.ran()`. States are names: an
    index means a state only under the schema it was made for. For a batch, `states` is empty and
    `args` a list of (op, names, args). Ask `Session.refuses` before answering a question (Op.ASK):
    only the host knows what it does. Everything else was permitted already.
    """

    wants: bool
    op: int
    states: list[str]
    args: Any
    origin: str
    """Machine that caused it; a claim of the client, not a proof."""
    tx: int | str
    trace: bytes


class Usable(NamedTuple):
    """Server: the client has answered the WELCOME; payloads flow from here on."""


class Delivered(NamedTuple):
    """Server: payload `pid` was handed to the client's host."""

    pid: int


class Lost(NamedTuple):
    """Server: the session is gone; payload `pid` may or may not have arrived."""

    pid: int


Event = (
    Opened
    | Closed
    | Mirror
    | SchemaChanged
    | Stepped
    | Replied
    | Failed
    | Paid
    | Fired
    | Call
    | Usable
    | Delivered
    | Lost
)
