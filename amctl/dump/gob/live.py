"""Weaves what is told while it happens: `weaving` has a whole recording, this has no future.

Lines and notes of pipes and gaps wait for the next transition of their machine. If none comes, a
transition that is there for its lines alone takes them along (`LiveWeaver.flush`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from amctl.dump.gob.notes import Note, note_line
from amctl.dump.gob.weaving import (
    halves,
    handshake_of,
    plain_gap,
    plain_pipe,
    synthetic,
    woven_tx,
)
from amctl.machine.lines import LogLine
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.telemetry.messages import Message

__all__ = ["LiveWeaver", "Told"]

_USER, _OPS = 1, 3
_WAITING: Final = 1000
"""Lines that wait with one machine."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told next of one machine."""

    machine_id: str
    message: SchemaMsg | TxMsg
    schema: SchemaMsg
    """The machine's."""
    is_last: bool = False
    """Whether it is gone after that."""


@dataclass(slots=True)
class _Machine:
    schema: SchemaMsg
    handshake: int
    last: TxMsg | None = None
    lines: list[LogLine] = field(default_factory=list)
    notes: list[LogLine] = field(default_factory=list)
    pipes: set[str] = field(default_factory=set)
    """Lines of its pipes, those included that wait."""


class LiveWeaver:
    """Turns all messages into schemas and transitions.

    Args:
        most: Machines; what others do is left out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._machines: dict[str, _Machine] = {}
        self._orphans: list[LogLine] = []

    @property
    def has_pending(self) -> bool:
        """Whether lines wait that could be told."""
        return any(one.lines or one.notes for one in self._machines.values()) or bool(
            self._machines and self._orphans
        )

    def take(self, message: Message) -> list[Told]:
        """What is to be told now; empty for what waits, or can't be told."""
        match message:
            case SchemaMsg():
                return self._schema(message)
            case TxMsg():
                return self._tx(message)
            case PipeMsg():
                self._pipe(plain_pipe(message))
            case GapMsg():
                note = note_line(Note(gap=plain_gap(message)), _USER)
                self._wait(note, message.machine_id)
            case GoneMsg(machine_id):
                note = note_line(Note(gone=message))
                self._wait(note, machine_id)
                if machine_id in self._machines:
                    told = self._lines_of(machine_id, is_last=True)
                    del self._machines[machine_id]
                    return [told]
        return []

    def flush(self) -> list[Told]:
        """Everything that waits."""
        return [
            self._lines_of(id_)
            for number, (id_, one) in enumerate(self._machines.items())
            if one.lines or one.notes or (not number and self._orphans)
        ]

    def place(self, machine_id: str) -> Told:
        """How far a machine has come: for a new connection, after its schema."""
        one = self._machines[machine_id]
        clocks = None if one.last is None else one.last.clocks
        return Told(machine_id, synthetic(one.schema, clocks), one.schema)

    @property
    def machines(self) -> Iterable[str]:
        """Those that were told, and aren't gone."""
        return self._machines

    # -- messages

    def _schema(self, schema: SchemaMsg) -> list[Told]:
        id_ = schema.machine_id
        one = self._machines.get(id_)
        if one is None:
            if len(self._machines) >= self._most:
                return []
            self._machines[id_] = _Machine(schema, handshake_of(schema))
        else:
            one.schema, one.handshake = schema, handshake_of(schema)
        return [Told(id_, schema, schema)]

    def _tx(self, tx: TxMsg) -> list[Told]:
        one = self._machines.get(tx.machine_id)
        if one is None:
            return []
        own = {line.text for line in (*tx.pre_logs, *tx.logs) if line.text.startswith("[pipe-")}
        before = self._before(one, own)
        told = woven_tx(tx, one.last, one.handshake, before, is_ours=True)
        one.last = tx
        return [Told(tx.machine_id, told, one.schema)]

    def _lines_of(self, machine_id: str, *, is_last: bool = False) -> Told:
        one = self._machines[machine_id]
        tx = synthetic(one.schema, None if one.last is None else one.last.clocks)
        tx.pre_logs = self._before(one)
        return Told(machine_id, tx, one.schema, is_last)

    def _before(self, one: _Machine, own: Iterable[str] = ()) -> tuple[LogLine, ...]:
        """What waits, but for lines that the machine has written itself."""
        lines = [line for line in one.lines if line.text not in own]
        found = (*lines, *one.notes, *self._orphans)
        one.pipes.update(own)
        one.lines.clear()
        one.notes.clear()
        self._orphans.clear()
        return found

    def _pipe(self, pipe: PipeMsg) -> None:
        home = pipe.source if pipe.source in self._machines else pipe.target
        self._wait(note_line(Note(pipe=pipe)), home)
        for id_, text in halves(pipe):
            one = self._machines.get(id_)
            if one is None:
                continue
            if pipe.gone:
                one.pipes.discard(text)
                one.lines = [line for line in one.lines if line.text != text]
            elif text not in one.pipes and len(one.lines) < _WAITING:
                one.pipes.add(text)
                one.lines.append(LogLine(_OPS, text))

    def _wait(self, note: LogLine, machine_id: str) -> None:
        one = self._machines.get(machine_id)
        waiting = self._orphans if one is None else one.notes
        if len(waiting) < _WAITING:
            waiting.append(note)
