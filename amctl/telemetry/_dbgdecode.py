"""Messages of the debug wire from the raw arrays of its frames. See `dbgwire`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.machine.steps import Step
from amctl.telemetry._dbgframes import (
    GAP,
    GONE,
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
)
from amctl.telemetry.errors import DbgWireError
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, SourceRef, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.telemetry.messages import Message

__all__ = ["StreamDecoder"]

_TOP: Final = (1 << 64) - 1
_INTS: Final = frozenset((int,))
_STRS: Final = frozenset((str,))
_STEP: Final = 5
_MACHINES: Final = 1 << 20


class _Peer:
    """A machine on this connection."""

    __slots__ = ("clocks", "machine_id", "size")

    def __init__(self, machine_id: str, size: int) -> None:
        self.machine_id, self.size = machine_id, size
        self.clocks: tuple[int, ...] | None = None


class _Bad(Exception):
    """A field that can't be."""


class StreamDecoder:
    """Makes the messages of one connection out of raw arrays, and believes nothing.

    After an error the connection is of no more use: numbers and clocks may be out of step.
    """

    def __init__(self) -> None:
        self._peers: dict[int, _Peer] = {}
        self._numbers: dict[str, int] = {}

    def batch(
        self, messages: list[Any], offset: int = 0, received_ns: int = 0
    ) -> Iterator[Message]:
        """Each message of a `Batch`, one at a time: together they may be much bigger than sent."""
        return (self.decode(raw, offset, received_ns) for raw in messages)

    def decode(self, raw: Any, offset: int = 0, received_ns: int = 0) -> Message:
        """One message.

        Args:
            raw: An element of a batch.
            offset: Where its frame began, for errors.
            received_ns: Becomes part of a TxMsg.

        Raises:
            DbgWireError: It isn't one of the five messages, or contradicts those before it.
        """
        kind = raw[0] if type(raw) is list and raw else None
        try:
            if type(kind) is not int or not SCHEMA <= kind <= GONE:
                raise _Bad(f"a message of kind {kind!r:.40}")
            if kind == TX:
                return self._tx(raw, received_ns)
            if kind == SCHEMA:
                return self._schema(raw)
            return self._rare(kind, raw)
        except _Bad as err:
            raise DbgWireError(str(err), offset) from None
        except (IndexError, ValueError, TypeError):
            raise DbgWireError(f"a damaged message of kind {kind}: {raw!r:.80}", offset) from None

    def _rare(self, kind: int, raw: list[Any]) -> Message:
        if kind == PIPE:
            ends = [_text(field) for field in raw[2:6]]
            source, source_state, target, target_state = ends
            op = _uint(raw[1])
            if op > 1 or type(raw[6]) is not bool:
                raise _Bad(f"a pipe of kind {op}, gone: {raw[6]!r:.40}")
            known: Literal["add", "remove"] = "remove" if op else "add"
            time_ns = _uint(raw[7])
            return PipeMsg(known, source, source_state, target, target_state, raw[6], time_ns)
        if kind == GAP:
            times = _uint(raw[4]), _uint(raw[5])
            return GapMsg(_uint(raw[1]), _text(raw[2]), _text(raw[3]), *times)
        machine_id = _text(raw[1])
        message = GoneMsg(machine_id, _uint(raw[2]))
        number = self._numbers.pop(machine_id, None)
        if number is not None:
            del self._peers[number]
        return message

    def _schema(self, raw: list[Any]) -> SchemaMsg:
        number, machine_id, names, states = _uint(raw[1]), _text(raw[2]), raw[3], raw[4]
        peer = self._peers.get(number)
        taken = peer is not None and peer.machine_id != machine_id
        if taken or self._numbers.get(machine_id, number) != number or number >= _MACHINES:
            raise _Bad(f"machine {machine_id!r:.80} can't be number {number}")
        names, size = _texts(names), len(names)
        if size > MAX_STATES or len(set(names)) != size or len(states) != size:
            raise _Bad(f"machine {machine_id!r:.80} has {size} names, {len(states)} states")
        parsed = {name: _state(one, names) for name, one in zip(names, states, strict=True)}
        groups = raw[7]
        if type(groups) is not dict or not _STRS.issuperset(map(type, groups)):
            raise _Bad(f"groups of machine {machine_id!r:.80}: {groups!r:.80}")
        message = SchemaMsg(
            machine_id,
            names,
            parsed,
            parent=_text(raw[5]),
            tags=_texts(raw[6]),
            groups={name: tuple(_indexes(found, size)) for name, found in groups.items()},
            groups_order=_texts(raw[8]),
            time_ns=_uint(raw[9]),
        )
        self._peers[number] = _Peer(machine_id, size)
        self._numbers[machine_id] = number
        return message

    def _tx(self, raw: list[Any], received_ns: int) -> TxMsg:
        _, number, id, flags, called, delta, queue_tick, time_ns, queue, source, extra = raw[:11]
        peer = self._peers.get(number) if type(number) is int else None
        if peer is None:
            raise _Bad(f"a transition of machine number {number!r:.40}, which has no schema")
        flags = _uint(flags)
        clocks = _clocks(peer, delta, flags)
        message = TxMsg(
            peer.machine_id,
            _id(id),
            clocks,
            type=flags & TX_TYPE,
            called=tuple(_indexes(called, peer.size)),
            is_auto=flags & TX_AUTO != 0,
            accepted=flags & TX_ACCEPTED != 0,
            is_check=flags & TX_CHECK != 0,
            is_queued=flags & TX_QUEUED != 0,
            queue_tick=_uint(queue_tick),
            queue=_uint(queue),
            time_ns=_uint(time_ns),
            received_ns=received_ns,
        )
        if source is not None:
            machine_id, tx_id, time = source[:3]
            message.source = SourceRef(_text(machine_id), _id(tx_id), _uint(time))
        if extra is not None:
            _take_extra(message, extra, peer.size)
        peer.clocks = clocks
        return message


def _clocks(peer: _Peer, delta: Any, flags: int) -> tuple[int, ...]:
    if type(delta) is not list or not _INTS.issuperset(map(type, delta)):
        raise _Bad(f"clocks {delta!r:.80}")
    if delta and min(delta) < 0:
        raise _Bad(f"negative clocks {delta!r:.80}")
    if flags & TX_FULL:
        if len(delta) > peer.size:
            raise _Bad(f"{len(delta)} ticks of {peer.machine_id!r:.80}, with {peer.size} states")
        return tuple(delta)
    if peer.clocks is None:
        raise _Bad(f"increments of {peer.machine_id!r:.80} before its whole vector")
    if not delta:
        return peer.clocks
    if len(delta) & 1 or max(delta[::2]) >= len(peer.clocks):
        raise _Bad(f"increments {delta!r:.80} of {peer.machine_id!r:.80}")
    ticks = list(peer.clocks)
    for i, more in zip(delta[::2], delta[1::2], strict=True):
        ticks[i] += more
    if max(ticks) > _TOP:
        raise _Bad(f"ticks of {peer.machine_id!r:.80} beyond 64 bits")
    return tuple(ticks)


def _take_extra(m: TxMsg, extra: Any, size: int) -> None:
    if type(extra) is not dict:
        raise _Bad(f"extra {extra!r:.80}")
    for key, value in extra.items():
        if key == "st":
            m.steps = _steps(value, extra.get("sd"), size)
        elif key == "lo":
            m.logs = _lines(value)
        elif key == "pl":
            m.pre_logs = _lines(value)
        elif key == "ar":
            if type(value) is not dict or not _STRS.issuperset(map(type, value)):
                raise _Bad(f"args {value!r:.80}")
            m.args = dict(zip(value, _texts(list(value.values())), strict=True))
        elif key == "mq":
            m.mut_queue_tick = _uint(value)
        elif key == "mt":
            m.mut_queue_token = _uint(value)
        elif key == "sk":
            m.stack = _text(value)
        elif key == "re":
            kind, state, by, *rest = value[:6]
            handler, binding, text = map(_text, rest)
            m.reason = Reason(_text(kind), _text(state), _texts(by), handler, binding, text)


def _steps(flat: Any, data: Any, size: int) -> tuple[Step, ...]:
    if type(flat) is not list or not _INTS.issuperset(map(type, flat)) or len(flat) % _STEP:
        raise _Bad(f"steps {flat!r:.80}")
    texts: dict[Any, Any] = data if type(data) is dict else {}
    if data is not None and texts is not data:
        raise _Bad(f"data of steps {data!r:.80}")
    out = []
    for i in range(0, len(flat), _STEP):
        kind, source, target, relation, bits = flat[i : i + _STEP]
        fits = -1 <= source < size and -1 <= target < size
        if not fits or not 0 <= kind < 256 or not 0 <= relation < 256:
            raise _Bad(f"a step {flat[i : i + _STEP]}")
        text = _text(texts.get(i // _STEP, ""))
        final, self, enter = bits & 1 != 0, bits & 2 != 0, bits & 4 != 0
        out.append(Step(kind, source, target, relation, final, self, enter, text))
    return tuple(out)


def _lines(raw: Any) -> tuple[LogLine, ...]:
    if type(raw) is not list:
        raise _Bad(f"log lines {raw!r:.80}")
    return tuple(LogLine(_uint(line[0]), _text(line[1])) for line in raw)


def _state(raw: Any, names: tuple[str, ...]) -> StateDef:
    flags, *relations, tags = raw[:6]
    require, add, remove, after = (_related(one, names) for one in relations)
    flags = _uint(flags)
    return StateDef(flags & 1 != 0, flags & 2 != 0, require, add, remove, after, _texts(tags))


def _related(raw: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    if type(raw) is not list:
        raise _Bad(f"a relation {raw!r:.80}")
    return tuple(one if type(one) is str else names[_uint(one)] for one in raw)


def _indexes(raw: Any, size: int) -> list[int]:
    if type(raw) is not list or not _INTS.issuperset(map(type, raw)):
        raise _Bad(f"state indexes {raw!r:.80}")
    if raw and (min(raw) < 0 or max(raw) >= size):
        raise _Bad(f"state indexes {raw!r:.80} of {size} states")
    return raw


def _id(raw: Any) -> str:
    if type(raw) is int and raw >= 0:
        return f"{raw:016x}"
    if type(raw) is list and len(raw) == 2:
        return f"{_uint(raw[0]):016x}-{_uint(raw[1])}"
    return _text(raw)


def _uint(raw: Any) -> int:
    if type(raw) is not int or raw < 0:
        raise _Bad(f"{raw!r:.80} in place of a number")
    return raw


def _text(raw: Any) -> str:
    if type(raw) is not str:
        raise _Bad(f"{raw!r:.80} in place of a text")
    return raw


def _texts(raw: Any) -> tuple[str, ...]:
    if type(raw) is not list or not _STRS.issuperset(map(type, raw)):
        raise _Bad(f"{raw!r:.80} in place of texts")
    return tuple(raw)
