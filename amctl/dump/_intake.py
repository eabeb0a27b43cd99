"""From the frames of one connection to rows: the hot path of a collector.

Transitions are decoded by type, which checks them on the way, and become rows without becoming
messages first. Everything else is rare, and goes through the decoder of the wire.

Whose clocks go on: a machine's row says what changed since the row before it, and so does the wire,
as long as one connection tells all about a machine. Such a connection's peer is the machine's
`peer`, and what it sends is stored as it came. Any other peer is *apart*: it keeps a vector of its
own, and when something of it is to be stored, it becomes the machine's peer, with a whole vector.
That happens after a reconnect, when numbers come twice, or when two pages think they are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from amctl.dump.sqlite._append import apply
from amctl.dump.sqlite._messages import MessageAppender
from amctl.dump.sqlite._values import (
    WIDE,
    Extra,
    Packer,
    join_id,
    narrow,
    shape_of,
    split_id,
)
from amctl.rpc.wire.codec import Codec
from amctl.rpc.wire.errors import DecodeError
from amctl.telemetry.dbgwire import (
    GAP,
    GONE,
    PIPE,
    TX_FULL,
    TX_QUEUED,
    StreamDecoder,
    best_codec,
)
from amctl.telemetry.errors import DbgWireError
from amctl.telemetry.messages import GapMsg, GoneMsg, SchemaMsg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.dump.sqlite._append import Appender, Machine
    from amctl.telemetry.messages import Message

__all__ = ["Intake", "Stream", "part", "typed_codec"]

MAX_NUMBER: Final = 1 << 62
"""Messages of a stream."""
_REMEMBERED: Final = 4096
_KINDS: Final = TX_QUEUED * 2 - 1
_BATCH: Final = 1

_UInt = Annotated[int, msgspec.Meta(ge=0)]
_TxId = _UInt | str | list[_UInt]
"""A list has two: a tuple type beside a bounded int makes msgspec 0.22 crash."""


class _Source(msgspec.Struct, array_like=True, gc=False):
    machine: str
    id: _TxId
    time: _UInt


class _Tx(msgspec.Struct, array_like=True, tag=1, gc=False):
    mach: int
    id: _TxId
    flags: _UInt
    called: list[_UInt]
    delta: list[_UInt]
    queue_tick: _UInt
    time_ns: _UInt
    queue: _UInt
    source: _Source | None
    extra: Extra | None


class _Schema(msgspec.Struct, array_like=True, tag=0):
    mach: Any
    id: Any
    names: Any
    states: Any
    parent: Any
    tags: Any
    groups: Any
    order: Any
    time: Any


class _Pipe(msgspec.Struct, array_like=True, tag=2):
    kind: Any
    source: Any
    source_state: Any
    target: Any
    target_state: Any
    gone: Any
    time: Any


class _Gap(msgspec.Struct, array_like=True, tag=3):
    count: Any
    why: Any
    machine: Any
    since: Any
    until: Any


class _Gone(msgspec.Struct, array_like=True, tag=4):
    machine: Any
    time: Any


class _Frame(msgspec.Struct, array_like=True, tag=_BATCH):
    first: _UInt
    messages: list[_Tx | _Schema | _Pipe | _Gap | _Gone]


def typed_codec() -> Codec:
    """A codec that reads a sender's frames; the messages of batches become typed records."""
    plain = best_codec()
    read_frame = msgspec.msgpack.Decoder(_Frame).decode

    def unpack(data: bytes | memoryview) -> Any:
        if bytes(data[:2]) != b"\x93\x01":
            raw = plain.unpack(data)
            if type(raw) is not list or not raw or raw[0] != _BATCH:
                return raw
        try:
            frame = read_frame(data)
        except (msgspec.MsgspecError, RecursionError, ValueError, OverflowError, TypeError) as err:
            raise DecodeError(f"a damaged batch: {err}") from None
        return [_BATCH, frame.first, frame.messages]

    return Codec("typed", plain.pack, unpack)


class Stream:
    """What one sender tells, over all its connections."""

    __slots__ = ("committed", "id", "lost", "name", "next", "session")

    def __init__(self, id: str, name: str, committed: int) -> None:
        self.id, self.name = id, name
        self.committed = committed
        """First number that isn't on disk."""
        self.next = committed
        """First number that wasn't taken."""
        self.lost: dict[str, int] = {}
        """Transitions of machines that found no place."""
        self.session: object = None
        """Its connection."""


class _Peer:
    """A machine on this connection."""

    __slots__ = ("body", "called", "clocks", "deltas", "id", "machine", "size", "time_ns")

    def __init__(self, id: str, size: int, body: str, time_ns: int) -> None:
        self.id, self.size, self.body, self.time_ns = id, size, body, time_ns
        self.machine: Machine | None = None
        """None if there was no place for it."""
        self.clocks: list[int] | None = None
        """Its own vector, while it is apart."""
        self.called: dict[tuple[int, ...], int | None] = {}
        self.deltas: dict[tuple[int, ...], tuple[int | None, tuple[tuple[int, int], ...]]] = {}


class Intake:
    """Takes what one connection sends.

    Args:
        rows: Where to.
        stream: Whose messages these are.
        most: How many machines there may be, all streams together.
        on_gap: Told what is missing.
        forward: Gets each new message too, as an object; costs much.
    """

    def __init__(
        self,
        rows: Appender,
        stream: Stream,
        *,
        most: int,
        on_gap: Callable[[GapMsg], object],
        forward: Callable[[Message], object] | None = None,
    ) -> None:
        self.stream = stream
        self.seen = stream.committed
        """First number that did not come on this connection."""
        self._rows, self._most, self._forward = rows, most, forward
        self._on_gap = on_gap
        self._append = MessageAppender(rows, "").append
        self._pack = Packer().pack
        self._decoder = StreamDecoder()
        self._peers: dict[int, _Peer] = {}
        self._epoch = rows.epoch

    def take(self, first: int, messages: list[Any], received_ns: int, offset: int = 0) -> None:
        """A batch. What comes for the second time is passed over.

        Args:
            first: Number of its first numbered message.
            messages: As the typed codec reads them.
            received_ns: Unix time.
            offset: Of the frame, for errors.

        Raises:
            DbgWireError: A message is wrong; those before it are taken, the rest isn't. The
                connection can't go on.
        """
        stream = self.stream
        if not self.seen <= first < MAX_NUMBER:
            raise DbgWireError(f"numbers from {first}, {self.seen} was next", offset)
        if first > stream.next:
            self._new(GapMsg(first - stream.next, "numbers left out", until_ns=received_ns))
            stream.next = first
        if self._epoch != self._rows.epoch:
            self._forget()
        number = first
        try:
            for m in messages:
                if type(m) is _Tx:
                    if number >= stream.next:
                        self._tx(m, received_ns)
                        stream.next = number + 1
                    else:
                        self._pass_over(m)
                    number += 1
                elif type(m) is _Schema:
                    self._schema(m, offset, new=number >= stream.next)
                else:
                    self._rare(m, offset, new=number >= stream.next)
                    number += 1
                    stream.next = max(stream.next, number)
        except DbgWireError:
            raise
        except (IndexError, ValueError, TypeError, OverflowError) as err:
            raise DbgWireError(f"{err}", offset) from None
        finally:
            self.seen = max(self.seen, number)

    # -- transitions

    def _tx(self, m: _Tx, received_ns: int) -> None:
        peer = self._peers.get(m.mach)
        if peer is None:
            raise ValueError(f"a transition of machine number {m.mach}, which has no schema")
        machine = peer.machine
        message = None if self._forward is None else self._message(m, received_ns)
        if machine is None:
            self.stream.lost[peer.id] = self.stream.lost.get(peer.id, 0) + 1
            return
        rows = self._rows
        called = tuple(m.called)
        called_id = peer.called[called] if called in peer.called else self._called(peer, called)
        flags, extra, source = m.flags & _KINDS, m.extra, _NOWHERE
        if extra is not None:
            extra.so = None  # ours alone
        if m.source is not None:
            source, extra = self._source(m.source, extra)
        mut_tick = mut_token = reason = packed = None
        if extra is not None:
            mut_tick, mut_token = extra.mq or None, extra.mt or None
            reason = rows.text_list(extra.take_reason())
            packed = self._extra(extra, peer.size)
        time_ns, queue_tick, queue = m.time_ns, m.queue_tick, m.queue
        lag = received_ns - time_ns
        numbers: tuple[_Id | None, ...]
        numbers = (queue_tick, time_ns, lag, queue, mut_tick, mut_token, reason, *source)
        widest = time_ns | queue_tick | queue | (mut_tick or 0) | (mut_token or 0)
        if (widest | (source[2] or 0)) >> 63:
            flags |= WIDE
            numbers = tuple(narrow(x) if type(x) is int else x for x in numbers)
        id, n = _id(m.id)
        if peer is machine.peer and not m.flags & TX_FULL:
            delta = None
            if m.delta:
                delta, pairs = self._delta(peer, tuple(m.delta), len(machine.clocks))
                seq = rows.place(machine)
                clocks = machine.clocks
                for i, more in pairs:
                    clocks[i] += more
            else:
                seq = rows.place(machine)
        else:
            machine, seq, delta = self._join(peer, m)
        head = (seq, machine.num, id, n, flags, called_id, delta)
        rows.rows.append((*head, *numbers, packed))
        if self._forward is not None and message is not None:
            self._forward(message)

    def _called(self, peer: _Peer, called: tuple[int, ...]) -> int | None:
        if called and max(called) >= peer.size:
            raise ValueError(f"called states {called} of {peer.id!r:.80}, with {peer.size}")
        found = self._rows.list(called)
        if len(peer.called) >= _REMEMBERED:
            peer.called.clear()
        peer.called[called] = found
        return found

    def _delta(
        self, peer: _Peer, items: tuple[int, ...], size: int
    ) -> tuple[int | None, tuple[tuple[int, int], ...]]:
        """Increments: the number of the list, and the list in pairs."""
        found = peer.deltas.get(items)
        if found is None:
            _check_delta(peer, items, size)
            pairs = tuple(zip(items[::2], items[1::2], strict=True))
            found = self._rows.list(items), pairs
            if len(peer.deltas) >= _REMEMBERED:
                peer.deltas.clear()
            peer.deltas[items] = found
        return found

    def _join(self, peer: _Peer, m: _Tx) -> tuple[Machine, int, int | None]:
        """A transition with a whole vector, or of a peer that is apart; it isn't any more then."""
        rows = self._rows
        clocks = _vector(peer, m)
        machine = rows.machine(peer.id)
        assert machine is not None  # it was there when the schema came
        if machine.peer is not peer:
            part(machine)
            if any(now < was for was, now in zip(machine.clocks, clocks, strict=False)):
                machine.owner = None  # it began anew, whoever tells it
            rows.schema(machine, peer.body, peer.time_ns, self.stream.id)
            peer.machine, machine.peer, peer.clocks = machine, peer, None
        peer.deltas.clear()  # they were checked against a vector of another length
        seq = rows.place(machine)
        return machine, seq, rows.advance(machine, clocks)

    def _pass_over(self, m: _Tx) -> None:
        """A transition that is in the dump already: only the peer's clocks go on."""
        peer = self._peers.get(m.mach)
        if peer is None:
            raise ValueError(f"a transition of machine number {m.mach}, which has no schema")
        if self._forward is not None:
            self._message(m, 0)  # its decoder has clocks too
        if peer.machine is not None:
            if peer.machine.peer is peer:
                part(peer.machine)
            peer.clocks = _vector(peer, m)

    def _source(
        self, s: _Source, extra: Extra | None
    ) -> tuple[tuple[int | None, _Id | None, int | None], Extra | None]:
        num = self._rows.number(s.machine)
        id: _Id | None
        if isinstance(s.id, int):
            id = s.id if s.id < 1 << 63 else s.id - (1 << 64)
        else:
            text = s.id if isinstance(s.id, str) else _two(s.id)
            id, n = split_id(text)
            id = text if n is not None else id if text else None
        if num:
            return (num, id, s.time or None), extra
        extra = extra or Extra()
        extra.so = (s.machine, join_id(id, None), s.time)
        return _NOWHERE, extra

    def _extra(self, extra: Extra, size: int) -> str | bytes | None:
        """The column; what has columns of its own is taken out."""
        if extra.st:
            _check_steps(extra.st, size)
        mq, mt, extra.mq, extra.mt = extra.mq, extra.mt, 0, 0
        try:
            return self._pack(extra)
        finally:
            extra.mq, extra.mt = mq, mt

    def _message(self, m: _Tx, received_ns: int) -> Message:
        raw = msgspec.to_builtins(m)
        return self._decoder.decode(raw, 0, received_ns)

    # -- everything else

    def _schema(self, m: _Schema, offset: int, *, new: bool) -> None:
        message = self._decoder.decode([0, *msgspec.structs.astuple(m)], offset)
        assert type(message) is SchemaMsg
        rows, id = self._rows, message.machine_id
        if len(self._peers) >= 2 * self._most:
            raise ValueError(f"more than {2 * self._most} machines on one connection")
        body = shape_of(message)
        peer = self._peers[m.mach] = _Peer(id, len(message.names), body, message.time_ns)
        if id in rows.machines or len(rows.machines) < self._most:
            peer.machine = rows.machine(id)
        if peer.machine is not None:
            part(peer.machine)
            # in a repetition it may be an old one; then the first new transition brings the last
            if new or not peer.machine.shape:
                rows.schema(peer.machine, body, message.time_ns, self.stream.id)
        if new and self._forward is not None:
            self._forward(message)

    def _rare(self, m: Any, offset: int, *, new: bool) -> None:
        kind = _RARE[type(m)]
        message = self._decoder.decode([kind, *msgspec.structs.astuple(m)], offset)
        if type(message) is GoneMsg:
            for number in [n for n, p in self._peers.items() if p.id == message.machine_id]:
                del self._peers[number]
            machine = self._rows.machines.get(message.machine_id)
            if machine is not None:
                if machine.owner not in (None, self.stream.id):
                    return  # another one lives under this id now
                part(machine)
        if new:
            self._new(message)

    def _new(self, message: Message) -> None:
        self._append(message)
        if type(message) is GapMsg:
            self._on_gap(message)
        if self._forward is not None:
            self._forward(message)

    def _forget(self) -> None:
        """The dump was rotated: numbers of lists are no longer good."""
        self._epoch = self._rows.epoch
        for peer in self._peers.values():
            peer.called.clear()
            peer.deltas.clear()


_Id = int | bytes | str
_NOWHERE: tuple[int | None, _Id | None, int | None] = (None, None, None)
_RARE: dict[Any, int] = {_Pipe: PIPE, _Gap: GAP, _Gone: GONE}


def _id(id: int | str | list[int]) -> tuple[_Id, int | None]:
    if isinstance(id, int):
        return id if id < 1 << 63 else id - (1 << 64), None
    return split_id(id if isinstance(id, str) else _two(id))


def _two(id: list[int]) -> str:
    number, n = id
    return f"{number:016x}-{n}"


def part(machine: Machine) -> None:
    """Its peer, if it has one, is apart from now on."""
    peer = machine.peer
    if isinstance(peer, _Peer):
        peer.clocks = list(machine.clocks)
    machine.peer = None


def _vector(peer: _Peer, m: _Tx) -> list[int]:
    """The clocks of a peer after a transition, if it is apart or tells all of them."""
    if m.flags & TX_FULL:
        if len(m.delta) > peer.size:
            raise ValueError(f"{len(m.delta)} ticks of {peer.id!r:.80}, with {peer.size} states")
        return m.delta
    if peer.clocks is None:
        raise ValueError(f"increments of {peer.id!r:.80} before its whole vector")
    _check_delta(peer, m.delta, len(peer.clocks))
    clocks = list(peer.clocks)
    apply(clocks, m.delta)
    return clocks


def _check_delta(peer: _Peer, items: Sequence[int], size: int) -> None:
    if len(items) & 1 or max(items[::2], default=-1) >= size:
        raise ValueError(f"increments {items!r:.80} of {peer.id!r:.80}, with {size} ticks")


def _check_steps(flat: list[int], size: int) -> None:
    kinds, sides, relations = flat[::5], (*flat[1::5], *flat[2::5]), flat[3::5]
    fit = not len(flat) % 5 and min(sides) >= -1 and max(sides) < size
    if not fit or not 0 <= min(kinds) <= max(kinds) < 256 or not 0 <= min(relations) < 256:
        raise ValueError(f"steps {flat!r:.80}, with {size} states")
