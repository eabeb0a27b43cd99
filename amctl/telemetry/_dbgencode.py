"""Messages to bytes of the debug wire. See `dbgwire`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from amctl.rpc.wire.errors import EncodeError
from amctl.telemetry._dbgframes import (
    GAP,
    GONE,
    MAX_MESSAGE,
    MAX_STATES,
    PIPE,
    SCHEMA,
    TX,
    TX_ACCEPTED,
    TX_AUTO,
    TX_CHECK,
    TX_FULL,
    TX_QUEUED,
    TX_TYPE,
    best_codec,
)
from amctl.telemetry.errors import DbgEncodeError
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.machine import StateDef
    from amctl.machine.lines import LogLine
    from amctl.machine.steps import Step
    from amctl.rpc.wire.codec import Codec
    from amctl.telemetry.messages import Message

__all__ = ["StreamEncoder"]

_ID: Final = re.compile(r"([0-9a-f]{16})(?:-(0|[1-9][0-9]{0,8}))?")
_STEP_BITS: Final = {
    (final, self, enter): final | self << 1 | enter << 2
    for final in (False, True)
    for self in (False, True)
    for enter in (False, True)
}


class _Peer:
    """A machine on this connection."""

    __slots__ = ("clocks", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.clocks: tuple[int, ...] | None = None


class StreamEncoder:
    """Makes messages into bytes, for one connection.

    A message that is refused has changed nothing: leave it out, and the stream goes on.
    """

    def __init__(self, codec: Codec | None = None) -> None:
        self.codec = codec or best_codec()
        self._peers: dict[str, _Peer] = {}
        self._next = 0

    def knows(self, machine_id: str) -> bool:
        """Whether the machine's schema was encoded, so that its transitions may be."""
        return machine_id in self._peers

    def encode(self, message: Message) -> bytes:
        """One message, for `batch_frame`.

        Raises:
            DbgEncodeError: The machine's schema wasn't encoded before, the message is longer than
                MAX_MESSAGE, or a part of it has no place on the wire.
        """
        kind = type(message)
        if kind is TxMsg:
            return self._tx(message)  # type: ignore[arg-type]
        if kind is SchemaMsg:
            return self._schema(message)  # type: ignore[arg-type]
        if isinstance(message, PipeMsg):
            m = message
            op = int(m.kind == "remove")
            ends = (m.source, m.source_state, m.target, m.target_state)
            return self._pack("", (PIPE, op, *ends, m.gone, m.time_ns))
        if isinstance(message, GapMsg):
            g = message
            return self._pack("", (GAP, g.count, g.why, g.machine_id, g.since_ns, g.until_ns))
        assert isinstance(message, GoneMsg)
        data = self._pack(message.machine_id, (GONE, message.machine_id, message.time_ns))
        # Who comes back under this id is another machine.
        self._peers.pop(message.machine_id, None)
        return data

    def _pack(self, machine_id: str, raw: Sequence[Any]) -> bytes:
        try:
            data = self.codec.pack(raw)
        except EncodeError as err:
            raise DbgEncodeError(machine_id, str(err)) from None
        if len(data) > MAX_MESSAGE:
            raise DbgEncodeError(machine_id, f"{len(data)} bytes, at most {MAX_MESSAGE}")
        return data

    def _schema(self, m: SchemaMsg) -> bytes:
        if len(m.names) > MAX_STATES:
            problem = f"{len(m.names)} states, at most {MAX_STATES}"
            raise DbgEncodeError(m.machine_id, problem)
        peer = self._peers.get(m.machine_id)
        number = self._next if peer is None else peer.number
        index = {name: i for i, name in enumerate(m.names)}
        raw = (
            SCHEMA,
            number,
            m.machine_id,
            m.names,
            [_state(m.states.get(name), index) for name in m.names],
            m.parent,
            m.tags,
            {name: list(states) for name, states in m.groups.items()},
            m.groups_order,
            m.time_ns,
        )
        data = self._pack(m.machine_id, raw)
        self._next += peer is None
        self._peers[m.machine_id] = _Peer(number)
        return data

    def _tx(self, m: TxMsg) -> bytes:
        peer = self._peers.get(m.machine_id)
        if peer is None:
            raise DbgEncodeError(m.machine_id, "its schema wasn't sent")
        delta: Sequence[int] | None = None
        if peer.clocks is not None:
            delta = () if peer.clocks is m.clocks else _delta(peer.clocks, m.clocks)
        flags = (
            (m.type & TX_TYPE)
            | (TX_AUTO if m.is_auto else 0)
            | (TX_ACCEPTED if m.accepted else 0)
            | (TX_CHECK if m.is_check else 0)
            | (TX_QUEUED if m.is_queued else 0)
            | (TX_FULL if delta is None else 0)
        )
        source = m.source
        raw = (
            TX,
            peer.number,
            _id(m.id),
            flags,
            m.called,
            m.clocks if delta is None else delta,
            m.queue_tick,
            m.time_ns,
            m.queue,
            (source.machine_id, _id(source.tx_id), source.time) if source is not None else None,
            _extra(m),
        )
        data = self._pack(m.machine_id, raw)
        peer.clocks = m.clocks
        return data


def _delta(old: tuple[int, ...], new: tuple[int, ...]) -> list[int] | None:
    """Flat increments; None if they can't tell what became of the vector."""
    if len(old) != len(new):
        return None
    out: list[int] = []
    for i, (was, now) in enumerate(zip(old, new, strict=True)):
        if was != now:
            if now < was:
                return None
            out += (i, now - was)
    return out


def _id(text: str) -> int | str | tuple[int, int]:
    match = _ID.fullmatch(text)
    if match is None:
        return text
    number = int(match[1], 16)
    return number if match[2] is None else (number, int(match[2]))


def _extra(m: TxMsg) -> dict[str, Any] | None:
    out: dict[str, Any] = {}
    if m.mut_queue_tick:
        out["mq"] = m.mut_queue_tick
    if m.mut_queue_token:
        out["mt"] = m.mut_queue_token
    if m.steps:
        out["st"], data = _steps(m.steps)
        if data:
            out["sd"] = data
    if m.logs:
        out["lo"] = _lines(m.logs)
    if m.pre_logs:
        out["pl"] = _lines(m.pre_logs)
    if m.args:
        out["ar"] = dict(m.args)
    if m.reason is not None:
        r = m.reason
        out["re"] = (r.kind, r.state, r.by, r.handler, r.binding, r.text)
    if m.stack:
        out["sk"] = m.stack
    return out or None


def _steps(steps: Sequence[Step]) -> tuple[list[int], dict[int, str]]:
    flat: list[int] = []
    data: dict[int, str] = {}
    for i, s in enumerate(steps):
        bits = _STEP_BITS[s.is_final, s.is_self, s.is_enter]
        flat += (s.type, s.source, s.target, s.relation, bits)
        if s.data:
            data[i] = s.data
    return flat, data


def _lines(lines: Sequence[LogLine]) -> list[tuple[int, str]]:
    return [(line.level, line.text) for line in lines]


def _state(state: StateDef | None, index: dict[str, int]) -> Sequence[Any]:
    if state is None:
        return (0, (), (), (), (), ())
    relations = (state.require, state.add, state.remove, state.after)
    flags = state.auto | state.multi << 1
    return (flags, *([index.get(n, n) for n in names] for names in relations), state.tags)
