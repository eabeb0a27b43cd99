"""The server's end: one client instance, over any number of connections one after another."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .codec import decode, encode, encode_ints
from .codes import VERSION, Code, Kind, Op
from .errors import DecodeError, OutOfTurnError, ProtocolError
from .events import Call, Delivered, Event, Lost, Opened, Usable
from .framer import Framer, frame
from .limits import ASK_TEXT, BYE_TEXT, Limits
from .link import bye
from .messages import CallBody, FiredBody, Hello, PayloadBody, ReplyBody, Welcome
from .session_state import ClockLink, Source

if TYPE_CHECKING:
    from .hub import Conn
    from .sender import Queued

__all__ = ["CAPS", "Allow", "Session"]

_log = logging.getLogger("amctl.rpc.wire")

CAPS = ("steps", "when_args", "batch", "ask")
"""What this end offers beyond the bare protocol; WELCOME names those that the client asked for."""

_BYE, _CALL, _NOTE = int(Kind.BYE), int(Kind.CALL), int(Kind.NOTE)
_REPLY = int(Kind.REPLY)
_LONG = 1024
_IN_BATCH = frozenset((Op.ADD, Op.REMOVE, Op.SET, Op.TOGGLE, Op.NOP))
_HOST_OPS = _IN_BATCH | {Op.BATCH, Op.ASK}

Allow = Callable[[str, int, Sequence[str]], "Code | None"]
"""Whether a client (id) may run an op on states (names): None, or the code to answer."""


class _Answer(NamedTuple):
    result: int = 0
    code: int = Code.OK
    text: str = ""


class _Waiting(NamedTuple):
    number: int
    wants: bool
    size: int
    settle: Callable[[], _Answer] | None
    """For what needs no host: run when its turn comes."""
    most: int = BYE_TEXT
    """Characters of an error's text."""


class Session(ClockLink):
    """Runs one client's calls in order on a source, and keeps its mirror and payloads.

    It outlives its connections; `Hub` makes, resumes and ends it.
    """

    def __init__(
        self,
        source: Source,
        hello: Hello,
        limits: Limits,
        push: float | None,
        allow: Allow | None = None,
    ) -> None:
        super().__init__(source, hello.sync, limits, push)
        self.id, self.inst = hello.id, hello.inst
        self.session = os.urandom(16)
        self.attempt = 0
        self.conn: Conn | None = None
        self.lost_at = 0.0
        self.allow = allow
        self.usable = False
        """The client answered a WELCOME of this session; payloads wait for that."""
        self.greeted = False
        """... on the present connection."""
        self.ended = False
        self.inbox: deque[_Waiting] = deque()
        self.inbox_bytes = 0
        self.long: deque[tuple[int, int]] = deque()
        """(number, bytes) of long replies that are not acknowledged: answers to questions."""
        self.long_bytes = 0
        self.pids = 0
        self.subs: dict[int, tuple[str, Any]] = {}
        """Subscriptions: state and match, by the client's number."""
        source.listeners.append(self.on_transition)

    # ---- connection

    def attach(self, hello: Hello, conn: Conn, framer: Framer, resumed: bool, now: float) -> None:
        """Take over a connection whose HELLO was accepted, and write WELCOME."""
        self.conn, self.framer, self.now = conn, framer, now
        self.attached, self.greeted = True, False
        self.attempt = hello.attempt
        self._attach_time(now)
        if self.source.hash != self.src_hash:
            self._new_schema()
        if not resumed:
            self.mark(self.gen)
        self.rebase()
        welcome = Welcome(
            VERSION,
            tuple(cap for cap in hello.caps if cap in CAPS),
            self.session,
            resumed,
            self.recv,
            self.source.id,
            self.hash,
            self.gen,
            q=self.vq,
            m=self.vm,
            ticks=self.view.tolist(),
        )
        if hello.known != self.hash:
            names, schema, args = self.export()
            welcome = welcome._replace(names=names, schema=schema, args=args)
        self.ctl = bytearray(frame(int(Kind.WELCOME), encode(welcome)))
        self._resume_from(hello.recv if resumed else 0, now)
        self.events.append(Opened(resumed, self.session))

    def connection_lost(self, now: float) -> list[Event]:
        self.lost_at, self.conn = now, None
        return super().connection_lost(now)

    def goodbye(self, code: int, text: str = "", after: float = 0.0) -> None:
        """End the connection, and with a terminal code the session. Use `Conn.bye`, which also
        returns the events."""
        if self.attached:
            self.ctl += bye(code, text, after)
            self._drop(code, text, after)

    def end(self) -> list[Event]:
        """Give the session up: no call of it runs any more, payloads not acknowledged are Lost."""
        self.ended = True
        self.inbox.clear()
        self.inbox_bytes = 0
        self.subs.clear()
        self.source.listeners.remove(self.on_transition)
        lost: list[Event] = [Lost(tag) for _, tag in self.marks]
        lost += [Lost(item.tag) for item in self.bulk]
        self.marks.clear()
        self.bulk.clear()
        self.bulk_bytes = 0
        return lost

    # ---- commands

    def send_payload(
        self,
        name: str,
        data: Any,
        source: str = "",
        tx: int | str = 0,
        token: str = "",
        trace: bytes = b"",
    ) -> int:
        """Queue a payload; it is kept over reconnects until acknowledged.

        Returns:
            The id that Delivered or Lost will carry: exactly one of them comes.

        Raises:
            EncodeError: If it can't be sent. Nothing was queued.
            Backpressure: If too much is waiting. Nothing was queued.
        """
        if len(trace) > self.lim.trace:
            trace = b""
        body = encode(PayloadBody(name, data, token, source, tx, trace))
        self.queue_bulk(int(Kind.PAYLOAD), body, self.pids + 1)
        self.pids += 1
        return self.pids

    def reply(self, result: int | Sequence[int], code: int = 0, text: str = "") -> None:
        """Answer the oldest Call event that wants a reply. Of no effect once the session ended.

        Args:
            result: What the mutation came to; of a batch a list.
            code: Why there is no result.
            text: More about that, cut if it is long; without a code, the answer to a question.

        Raises:
            OutOfTurnError: If the oldest is a note, or there is none.
        """
        self._settle_oldest(True, result, code, text)

    def ran(self) -> None:
        """The oldest Call event was a note, and has run. Otherwise as `reply`."""
        self._settle_oldest(False, 0, 0, "")

    def _settle_oldest(
        self, wants: bool, result: int | Sequence[int], code: int, text: str
    ) -> None:
        if self.ended:
            return
        if not self.inbox or self.inbox[0].wants != wants:
            raise OutOfTurnError(wants)
        self._finish(self.inbox.popleft(), result, code, text)
        self._advance()

    def fire(self, sid: int) -> None:
        """Tell the client that a subscription came true; once only."""
        if self.subs.pop(sid, None) is not None:
            self._queue_urgent(int(Kind.FIRED), encode(FiredBody(sid, self.source.q)))

    def on_transition(
        self, type: int, called: Sequence[int], changed: Sequence[tuple[int, int]]
    ) -> None:
        super().on_transition(type, called, changed)
        if self.subs:
            src = self.source
            entered = {src.names[i] for i, _ in changed if src.ticks[i] & 1}
            args = src.last_args or {}
            for sid, (state, match) in list(self.subs.items()):
                if state in entered and _matches(args, match):
                    self.fire(sid)

    # ---- settling

    def _finish(self, item: _Waiting, result: int | Sequence[int], code: int, text: str) -> None:
        self.inbox_bytes -= item.size
        self.done = self.inbox[0].number - 1 if self.inbox else self.recv
        if item.wants:
            self.ack_sent = max(self.ack_sent, item.number)  # the reply acknowledges its call
            plain = int(result) if isinstance(result, int) else [int(one) for one in result]
            ref = item.number & 127
            if code:
                body = encode(ReplyBody(ref, 0, int(code), text[: item.most]))
            elif text:
                body = encode(ReplyBody(ref, plain, 0, text))
            else:  # the same bytes as above, at a third of the time
                body = encode_ints([ref, plain] if plain != 0 else [ref])
            self._queue_urgent(_REPLY, body)
        elif self.ack_due < 0:
            self.ack_due = self.now + self.lim.ack_delay

    def _advance(self) -> None:
        """Settle what needs no host and is next."""
        while self.inbox:
            settle = self.inbox[0].settle
            if settle is None:
                return
            item = self.inbox.popleft()
            answer = settle()
            if answer.code and not item.wants:
                _log.info("client %s: note refused: %s %s", self.id, answer.code, answer.text)
            self._finish(item, *answer)

    def _part_done(self, n: int) -> None:
        if not self.inbox:
            self.done = n

    # ---- in

    def receive_data(self, data: bytes, now: float) -> list[Event]:
        self.now = now
        return super().receive_data(data, now)

    def tick(self, now: float) -> list[Event]:
        events = super().tick(now)
        self.now = now
        return events

    def _frame(self, one: bytes, now: float) -> None:
        super()._frame(one, now)
        if self.attached and not self.greeted:
            # whatever it sends after WELCOME shows that the client has it; an ACK comes first
            self.usable = self.greeted = True
            self.events.append(Usable())

    def _control(self, kind: int, one: bytes, now: float) -> None:
        if kind == Kind.RESYNC and len(one) == 1:
            self.force_clock = True
        else:
            super()._control(kind, one, now)

    def _message(self, kind: int, body: bytes | memoryview, n: int) -> None:
        if kind != _CALL and kind != _NOTE:
            super()._message(kind, body, n)
        self._check_load(len(body))
        call = decode(body, CallBody)
        if len(call.trace) > self.lim.trace:
            raise ProtocolError(Code.PROTOCOL, "trace context too long")
        wants = kind == _CALL
        mutates = call.op in _HOST_OPS
        settle = self._to_host(call, wants) if mutates else self._own_op(call)
        most = ASK_TEXT if call.op == Op.ASK else BYE_TEXT
        self.inbox.append(_Waiting(n, wants, len(body), settle, most))
        self.inbox_bytes += len(body)
        self._advance()

    def _check_load(self, size: int) -> None:
        """A client that keeps to the window never comes near these."""
        lim = self.lim
        if (
            len(self.inbox) + len(self.urgent) > 2 * lim.window_frames
            or self.outbox_bytes - self.long_bytes > 4 * lim.window_bytes
            or self.inbox_bytes + size > lim.message + 4 * lim.window_bytes
        ):
            raise ProtocolError(Code.OVERLOADED, "peer ignores the window")

    def _to_host(self, call: CallBody, wants: bool) -> Callable[[], _Answer] | None:
        """Hand a mutation to the host, or say what to answer instead."""
        table = self.tables[self.marked]
        states, args = _names(table, call.states), call.args
        parts: list[tuple[int, list[str], Any]] = []
        if call.op == Op.BATCH:
            asked = _batch(args, self.lim.queue_items)
            if any(op not in _IN_BATCH for op, _, _ in asked):
                return lambda: _Answer(code=Code.UNSUPPORTED, text="not in a batch")
            for op, indexes, one_args in asked:
                names = _names(table, indexes)
                if names is None:
                    return lambda: _Answer(code=Code.STATE, text="no such state")
                parts.append((op, names, one_args))
            args = parts
        if states is None:
            return lambda: _Answer(code=Code.STATE, text="no such state")
        if call.op == Op.ASK:
            if states:
                return lambda: _Answer(code=Code.UNSUPPORTED, text="a question has no states")
        elif self.allow is not None:
            refused = self._refused(parts or [(call.op, states, args)])
            if refused is not None:
                return lambda: _Answer(code=refused, text="not permitted")
        origin = call.origin or self.id
        self.events.append(Call(wants, call.op, states, args, origin, call.tx, call.trace))
        return None

    def _refused(self, parts: Sequence[tuple[int, list[str], Any]]) -> Code | None:
        for op, states, _ in parts:
            code = self.refuses(op, states)
            if code is not None:
                return code
        return None

    def refuses(self, op: int, states: Sequence[str]) -> Code | None:
        """The code to answer if this client may not run an op on states."""
        return self.allow(self.id, op, states) if self.allow is not None else None

    @property
    def is_behind(self) -> bool:
        """Whether the client has so much to read that its questions are refused."""
        return self.outbox_bytes + self.urgent_bytes > self.lim.answers

    def _own_op(self, call: CallBody) -> Callable[[], _Answer]:
        """Ops that the host doesn't see; run in their turn, but read by the names of today."""
        op, states = call.op, call.states
        if op == Op.MARK and len(states) == 1:
            self.mark(states[0])
            return _Answer
        if op == Op.UNSUBSCRIBE and len(states) == 1:
            return lambda: self._unsubscribe(states[0])
        if op == Op.SUBSCRIBE and len(states) == 2:
            names = _names(self.tables[self.marked], states[1:])
            if names is None:
                return lambda: _Answer(code=Code.STATE, text="no such state")
            refused = self._refused([(op, names, None)])
            if refused is not None:
                return lambda: _Answer(code=refused, text="not permitted")
            return lambda: self._subscribe(states[0], names[0], call.args)
        if op in (Op.MARK, Op.UNSUBSCRIBE, Op.SUBSCRIBE):
            raise DecodeError(f"op {op} with {len(states)} numbers")
        return lambda: _Answer(code=Code.UNSUPPORTED, text=f"no op {op}")

    def _subscribe(self, sid: int, state: str, match: Any) -> _Answer:
        if not 0 <= sid < 1 << 63 or not (match is None or isinstance(match, dict)):
            return _Answer(code=Code.ARGS, text="match isn't a map")
        if len(self.subs) >= self.lim.subscriptions and sid not in self.subs:
            return _Answer(code=Code.OVERLOADED, text="too many subscriptions")
        self.subs[sid] = (state, match)
        return _Answer()

    def _unsubscribe(self, sid: int) -> _Answer:
        self.subs.pop(sid, None)
        return _Answer()

    # ---- messages out

    def _number(self, kind: int, body: bytes) -> bytes:
        whole = super()._number(kind, body)
        if kind == _REPLY and len(body) > _LONG:
            self.long.append((self.sent, len(whole)))
            self.long_bytes += len(whole)
        return whole

    def acknowledged(self, n: int) -> None:
        super().acknowledged(n)
        while self.long and self.long[0][0] <= n:
            self.long_bytes -= self.long.popleft()[1]

    def _has_room(self) -> bool:
        return self.usable and super()._has_room()

    def _message_sent(self, item: Queued, n: int) -> None:
        self.marks.append((n, item.tag))

    def _delivered(self, tag: int) -> None:
        self.events.append(Delivered(tag))


def _names(table: Sequence[str], indexes: Sequence[int]) -> list[str] | None:
    """Names at `indexes`, or None if one is out of range."""
    size = len(table)
    names = [table[i] for i in indexes if 0 <= i < size]
    return names if len(names) == len(indexes) else None


def _batch(args: Any, most: int) -> list[tuple[int, list[int], Any]]:
    """The parts of a batch: op, indexes, args.

    Raises:
        DecodeError: If it isn't a list of such.
    """
    if type(args) is not list or len(args) > most:
        raise DecodeError("batch isn't a list")
    parts = []
    for one in args:
        if type(one) is not list or not 2 <= len(one) <= 3:
            raise DecodeError("batch holds something else than [op, states, args]")
        op, states = one[0], one[1]
        if type(op) is not int or type(states) is not list:
            raise DecodeError("batch holds something else than [op, states, args]")
        if any(type(i) is not int for i in states):
            raise DecodeError("batch names a state by something else than an index")
        parts.append((op, states, one[2] if len(one) == 3 else None))
    return parts


def _matches(args: Mapping[str, Any], match: Mapping[str, Any] | None) -> bool:
    """Whether `args` contains all of `match`."""
    return all(key in args and bool(args[key] == value) for key, value in (match or {}).items())
