"""From the calls of one connection of the original's to rows.

As in the original, a machine belongs to the connection that told its schema last; who tells
transitions of another one's machine hears an error. (The original drops them and says nothing.)
Unlike there, nothing is ever replaced or taken out: what a machine did before stays in the dump.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.dump._intake import part
from amctl.dump.gob.calls import METHODS
from amctl.dump.gob.convert import Reader, schema_from_fields
from amctl.dump.gob.layout import SCHEMA, SCHEMA_FORWARD, TX_FORWARD
from amctl.dump.gob.weaving import unwoven
from amctl.dump.sqlite._messages import MessageAppender
from amctl.dump.sqlite._values import shape_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.dump.gob.calls import Call
    from amctl.dump.gob.layout import Layout
    from amctl.dump.gob.notes import Note
    from amctl.dump.sqlite._append import Appender
    from amctl.telemetry.messages import GapMsg, GoneMsg, Message, SchemaMsg

__all__ = ["Room", "RpcIntake"]

_CONNECTION = 64
"""Characters of the name of a connection that another debugger passes on."""


_FORWARDED = {SCHEMA_FORWARD: "MsgStruct", TX_FORWARD: "MsgTx"}


class Room:
    """So many characters, for what connections keep."""

    def __init__(self, size: int) -> None:
        self._left = size

    def take(self, size: int) -> bool:
        """Take some, or give it back; False if there isn't so much."""
        if size > self._left:
            return False
        self._left -= size
        return True


class _Teller:
    """A machine on this connection."""

    __slots__ = ("body", "layout", "owner", "reader", "schema")

    def __init__(self, schema: SchemaMsg, body: str, owner: str) -> None:
        self.schema, self.body, self.owner = schema, body, owner
        self.layout: Layout | None = None
        self.reader: Reader | None = None


class RpcIntake:
    """Takes what one connection calls for.

    Args:
        rows: Where to.
        name: Of the connection; no other has it.
        room: For schemas; shared by all connections.
        most: How many machines there may be, all senders together.
        on_gap: Told what is missing.
        forward: Gets each message too.
        now_ns: Unix time, of what has none of its own.
    """

    def __init__(
        self,
        rows: Appender,
        name: str,
        room: Room,
        *,
        most: int,
        on_gap: Callable[[GapMsg], object],
        forward: Callable[[Message], object] | None,
        now_ns: Callable[[], int],
    ) -> None:
        self.name = name
        self._rows, self._room, self._most = rows, room, most
        self._held = 0
        self._on_gap, self._forward, self._now_ns = on_gap, forward, now_ns
        self._append = MessageAppender(rows, "").append
        self._tellers: dict[tuple[str, str], _Teller] = {}

    @property
    def has_machines(self) -> bool:
        """Whether it has told any."""
        return bool(self._tellers)

    def release(self) -> None:
        """The connection is over."""
        self._room.take(-self._held)
        self._held = 0

    def take(self, call: Call) -> str:
        """Store what a call carries; what is wrong with it, empty if nothing is.

        Raises:
            DumpError: It can't be stored.
        """
        connection, body = "", call.body
        kind = METHODS[call.method]
        if kind in _FORWARDED:
            connection = body.get("ConnId", "")[:_CONNECTION]
            body = body.get(_FORWARDED[kind], {})
        if kind in (SCHEMA, SCHEMA_FORWARD):
            return self._schema(connection, schema_from_fields(body))
        assert call.layout is not None
        try:
            return self._tx(connection, body, call.layout)
        except (ValueError, OverflowError) as error:
            return f"{error}"

    def _schema(self, connection: str, schema: SchemaMsg) -> str:
        rows, id_ = self._rows, schema.machine_id
        key = connection, id_
        if id_ not in rows.machines and len(rows.machines) >= self._most:
            return f"machine {id_!r:.80} finds no place: there are {self._most} already"
        if key not in self._tellers and len(self._tellers) >= self._most:
            return f"more than {self._most} machines on one connection"
        body, before = shape_of(schema), self._tellers.get(key)
        more = len(body) - (len(before.body) if before else 0)
        if not self._room.take(more):
            return f"the schema of machine {id_!r:.80} finds no place: all of them are too large"
        self._held += more
        owner = f"{self.name}-{connection}" if connection else self.name
        teller = self._tellers[key] = _Teller(schema, body, owner)
        return self._announce(teller)

    def _announce(self, teller: _Teller) -> str:
        machine = self._rows.machine(teller.schema.machine_id)
        if machine is None:
            return f"machine {teller.schema.machine_id!r:.80} finds no place: there are too many"
        part(machine)
        if self._rows.schema(machine, teller.body, 0, teller.owner) and self._forward is not None:
            self._forward(teller.schema)
        return ""

    def _tx(self, connection: str, raw: dict[str, Any], layout: Layout) -> str:
        id_ = raw.get("MachineID", "")
        teller = self._tellers.get((connection, id_))
        if teller is None:
            return f"machine {id_!r:.80} has told no schema on this connection"
        machine = self._rows.machines.get(id_)
        if machine is None:  # it was gone, and the dump was rotated
            if problem := self._announce(teller):
                return problem
        elif machine.owner != teller.owner:
            if machine.owner is not None:
                return f"another connection tells machine {id_!r:.80} now"
            self._announce(teller)
        ticks, states = len(raw.get("Clocks", ())), len(teller.schema.names)
        if ticks > states:
            return f"{ticks} ticks of machine {id_!r:.80}, which has {states} states"
        if teller.reader is None or teller.layout is not layout:
            teller.reader, teller.layout = Reader(layout, teller.schema), layout
        read = teller.reader.transition(raw)
        read.received_ns = self._now_ns()
        read.time_ns = read.time_ns or read.received_ns
        tx, notes = unwoven(read)
        for note in notes:
            self._note(note, teller)
        if tx is not None:
            self._new(tx)
        return ""

    def _note(self, note: Note, teller: _Teller) -> None:
        """What our own senders say beyond the original's."""
        if note.pipe is not None:
            self._new(note.pipe)
        if note.gap is not None:
            self._new(note.gap)
            self._on_gap(note.gap)
        if note.gone is not None:
            self._gone(note.gone, teller)

    def _gone(self, gone: GoneMsg, teller: _Teller) -> None:
        machine = self._rows.machines.get(gone.machine_id)
        if machine is not None and machine.owner not in (None, teller.owner):
            return  # another one lives under this id now
        if machine is not None:
            part(machine)
        self._new(gone)

    def _new(self, message: Message) -> None:
        self._append(message)
        if self._forward is not None:
            self._forward(message)
