"""The sans-IO core of aRPC: bytes in, events out; commands in, bytes out.

A client is a `ClientCore`; a server is a `Hub` with a `Conn` for each transport connection and a
`Session` for each client. Neither knows sockets, tasks or clocks: hosts feed `receive_data` and
`connection_lost`, pull `data_to_send`, and call `tick(now)` at `next_timer()`.

A call is a mutation by state indexes, or a question (Op.ASK): a map of parameters, answered by text
that means nothing here. Both are numbered, answered in order and run once, over any connections.
"""

from __future__ import annotations

from .backoff import Backoff
from .client import ClientCore
from .codec import decode, encode
from .codes import VERSION, Code, Kind, Op, is_terminal
from .errors import (
    Backpressure,
    DecodeError,
    EncodeError,
    OutOfTurnError,
    ProtocolError,
    WireError,
)
from .events import (
    Call,
    Closed,
    Delivered,
    Event,
    Failed,
    Fired,
    Lost,
    Mirror,
    Opened,
    Paid,
    Replied,
    SchemaChanged,
    Stepped,
    Usable,
)
from .framer import Framer
from .hub import Conn, Hub, SessionEvents
from .limits import Limits, valid_id
from .messages import Sync
from .session import Allow, Session
from .session_state import Listener, Source

__all__ = [
    "VERSION",
    "Allow",
    "Backoff",
    "Backpressure",
    "Call",
    "ClientCore",
    "Closed",
    "Code",
    "Conn",
    "DecodeError",
    "Delivered",
    "EncodeError",
    "Event",
    "Failed",
    "Fired",
    "Framer",
    "Hub",
    "Kind",
    "Limits",
    "Listener",
    "Lost",
    "Mirror",
    "Op",
    "Opened",
    "OutOfTurnError",
    "Paid",
    "ProtocolError",
    "Replied",
    "SchemaChanged",
    "Session",
    "SessionEvents",
    "Source",
    "Stepped",
    "Sync",
    "Usable",
    "WireError",
    "decode",
    "encode",
    "is_terminal",
    "valid_id",
]
