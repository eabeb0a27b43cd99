"""The client's end: calls in, mirror and replies out."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from .codec import decode, encode, encode_ints
from .codes import VERSION, Code, Kind, Op, is_terminal
from .errors import ProtocolError
from .events import Event, Failed, Fired, Mirror, Opened, Paid, Replied
from .framer import Framer, frame
from .limits import DEFAULT_LIMITS
from .messages import (
    EVERYTHING,
    ByeBody,
    CallBody,
    FiredBody,
    Hello,
    PayloadBody,
    ReplyBody,
    Welcome,
)
from .mirror import MirrorLink
from .sender import Queued

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .limits import Limits
    from .messages import Sync

__all__ = ["ClientCore", "Pending"]

_CALL, _NOTE = int(Kind.CALL), int(Kind.NOTE)
_REPLY, _PAYLOAD, _FIRED = int(Kind.REPLY), int(Kind.PAYLOAD), int(Kind.FIRED)
_JUMP = 1 << 20


class Pending(NamedTuple):
    """A call or note that was sent and isn't settled."""

    number: int
    cid: int
    """0 for what this end calls on its own behalf."""
    wants: bool


class ClientCore(MirrorLink):
    """A client of one source machine, over any number of connections one after another.

    Commands may be given at any time; they are sent when there is a connection. Each call ends
    with exactly one Replied or Failed event (unless it was cancelled), notes only ever with Failed.

    Args:
        id: Id of this client, `[A-Za-z0-9_.-]`, at most 64 characters.
        token: The server's secret.
        sync: What to mirror.
        inst: Which incarnation of the id this is: a reloaded tab uses the same one and takes over
            at once, another process uses another one and is refused while the holder lives.
        attempt: Where to start counting connections; milliseconds of wall-clock time, so that a
            reloaded client's number is higher than its predecessor's.
    """

    def __init__(
        self,
        id: str,
        token: bytes,
        sync: Sync = EVERYTHING,
        inst: str = "",
        limits: Limits = DEFAULT_LIMITS,
        caps: Sequence[str] = (),
        attempt: int = 0,
    ) -> None:
        super().__init__(limits)
        self.id, self.token, self.sync = id, token, sync
        self.inst = inst or os.urandom(4).hex()
        self.caps = tuple(caps)
        self.session = b""
        self.attempt = attempt
        self.cids = 0
        self.pending: deque[Pending] = deque()
        self.subs: dict[int, tuple[str, Any]] = {}
        self.terminal = False
        """The session was ended for good: don't dial again."""
        self.hello_at = 0.0

    # ---- commands

    def call(
        self,
        op: int,
        states: Sequence[int],
        args: Any = None,
        origin: str = "",
        tx: int | str = 0,
        trace: bytes = b"",
        wants: bool = True,
    ) -> int:
        """Queue a mutation of the source.

        Args:
            op: A value of Op.
            states: Positions in `names`.
            args: Plain data, or None.
            origin: Id of the machine that causes it; "" is this client.
            tx: Id of the transition that causes it.
            trace: Opaque trace context; left out if longer than the limit.
            wants: Whether a reply is wanted. Without, nothing is heard of it unless it fails.

        Returns:
            The id that Replied or Failed will carry.

        Raises:
            EncodeError: If args can't be sent. Nothing was queued.
            Backpressure: If too much is waiting. Nothing was queued.
        """
        if args is None and not (origin or tx or trace):
            body = encode_ints([int(op), list(states)])  # the same bytes, at a third of the time
        else:
            if len(trace) > self.lim.trace:
                trace = b""
            body = encode(CallBody(int(op), list(states), args, origin, tx, trace))
        self.queue_bulk(_CALL if wants else _NOTE, body, self.cids + 1)
        self.cids += 1
        return self.cids

    def batch(
        self,
        ops: Sequence[tuple[int, Sequence[int], Any]],
        origin: str = "",
        tx: int | str = 0,
        trace: bytes = b"",
        wants: bool = True,
    ) -> int:
        """Queue several mutations (op, states, args) that run back to back, or none of them if one
        is malformed; the result is a list. Raises as `call`."""
        args = [[int(op), list(states), value] for op, states, value in ops]
        return self.call(Op.BATCH, [], args, origin, tx, trace, wants)

    def subscribe(self, sid: int, state: int, match: Any) -> int:
        """Ask for one Fired event when `state` is entered with arguments that contain `match`.

        Made again in a new session; a match while there was none is missed. Its reply says that
        the source watches. Raises as `call`.
        """
        cid = self.call(Op.SUBSCRIBE, [sid, state], match)
        self.subs[sid] = (self.names[state] if state < len(self.names) else "", match)
        return cid

    def unsubscribe(self, sid: int) -> None:
        """Forget a subscription; one Fired event may still be under way, and is dropped."""
        if self.subs.pop(sid, None) is not None:
            self.call(Op.UNSUBSCRIBE, [sid], wants=False)

    def cancel(self, cid: int) -> bool:
        """Take a call back. True: it was never sent and will never run. False: too late."""
        for item in self.bulk:
            if item.tag == cid and not item.offset:
                self._unqueue(item)
                return True
        return False

    def goodbye(self, code: Code = Code.OK) -> list[Event]:
        """End the session at once; flush `data_to_send()` before closing the transport."""
        if self.attached:
            self.ctl += frame(int(Kind.BYE), encode(ByeBody(int(code))))
        self._drop(code, "goodbye")
        self._end(code, "goodbye")
        return self._take_events()

    # ---- connection

    def connection_made(self, now: float) -> None:
        """A transport is connected: HELLO is the first output."""
        self.attached, self.open = True, False
        self.framer = Framer(self.lim.frame)  # a client trusts whom it dialled
        self.attempt += 1
        self._attach_time(now)
        self.hello_at = now
        hello = Hello(
            "arpc",
            VERSION,
            self.caps,
            self.token,
            self.id,
            self.inst,
            self.session,
            self.attempt,
            self.recv,
            self.hash,
            self.sync,
        )
        self.ctl = bytearray(frame(int(Kind.HELLO), encode(hello)))

    def next_timer(self) -> float | None:
        if self.attached and not self.open and not self.events:
            return self.hello_at + self.lim.hello_timeout
        return super().next_timer()

    def tick(self, now: float) -> list[Event]:
        waiting = self.attached and not self.open
        if waiting and now >= self.hello_at + self.lim.hello_timeout:
            self._drop(Code.TIMEOUT, "no welcome")
        return super().tick(now)

    def _on_bye(self, body: ByeBody) -> None:
        if body.code == Code.STALE:
            self.attempt += _JUMP  # our wall clock went back: nothing of ours is that far ahead
        super()._on_bye(body)

    def _drop(self, code: int, text: str, after: float = 0.0) -> None:
        super()._drop(code, text, after)
        if is_terminal(code):
            self._end(code, text)

    def _end(self, code: int, text: str) -> None:
        """Nothing more will come: settle every call."""
        self.terminal = True
        self.events += self.held
        self.held = []
        self._session_lost()
        self._fail_queued(code or Code.SESSION_LOST, text)

    def _fail_queued(self, code: int, text: str) -> None:
        self.events += [Failed(item.tag, int(code), text) for item in self.bulk if item.tag]
        self.bulk.clear()
        self.bulk_bytes = 0

    def _session_lost(self) -> None:
        for call in self.pending:
            if call.cid and call.wants:
                self.events.append(Failed(call.cid, Code.UNKNOWN_OUTCOME, "session lost"))
        self.pending.clear()
        # calls on our own behalf belong to the old session; others start anew from their first part
        self.bulk = deque(item for item in self.bulk if item.tag)
        self.bulk_bytes = sum(len(item.body) for item in self.bulk)
        for item in self.bulk:
            item.offset = 0
        self.session = b""
        self.reset_session()

    # ---- handshake

    def _control(self, kind: int, one: bytes, now: float) -> None:
        if kind == Kind.WELCOME and not self.open:
            self._on_welcome(decode(memoryview(one)[1:], Welcome), now)
        else:
            super()._control(kind, one, now)

    def _on_welcome(self, welcome: Welcome, now: float) -> None:
        self._check_welcome(welcome)
        resumed, had_names = welcome.resumed, bool(self.names)
        renamed = welcome.hash != self.hash
        moved = resumed and welcome.gen != self.gen
        if not resumed:
            if self.session:
                self._session_lost()
            if renamed and had_names:
                # never sent, and their indexes mean other states now
                self._fail_queued(Code.SESSION_LOST, "schema changed")
        self.session, self.source_id = welcome.session, welcome.id
        self._adopt(welcome, mark=moved)
        self._resume_from(welcome.recv, now)
        self._settle_notes(welcome.recv)
        self.ack_now = True  # tells the server that this client is fully usable
        if not resumed:
            self._subscribe_again()
        self.events += (Opened(resumed, welcome.session), Mirror(full=True))

    def _check_welcome(self, welcome: Welcome) -> None:
        if welcome.v != VERSION:
            raise ProtocolError(Code.VERSION, f"server speaks version {welcome.v}")
        if not welcome.id or not welcome.session:
            raise ProtocolError(Code.PROTOCOL, "incomplete welcome")
        if welcome.names is None and welcome.hash != self.hash:
            raise ProtocolError(Code.PROTOCOL, "no names in welcome")
        if not welcome.resumed:
            if welcome.recv:
                raise ProtocolError(Code.PROTOCOL, "new session that is not empty")
        elif welcome.session != self.session or not self.acked <= welcome.recv <= self.sent:
            raise ProtocolError(Code.PROTOCOL, "impossible resume point")

    def _subscribe_again(self) -> None:
        index = {name: i for i, name in enumerate(self.names)}
        queued = {item.body for item in self.bulk}
        for sid, (state, match) in self.subs.items():
            if state in index:
                body = encode(CallBody(int(Op.SUBSCRIBE), [sid, index[state]], match))
                if body not in queued:
                    self.bulk.appendleft(Queued(_CALL, body, 0))
                    self.bulk_bytes += len(body)

    # ---- messages

    def _has_room(self) -> bool:
        # the second bound is on the replies that the server may have to keep
        return super()._has_room() and len(self.pending) < self.lim.window_frames

    def _message_sent(self, item: Queued, n: int) -> None:
        self.pending.append(Pending(n, item.tag, item.kind == _CALL))

    def acknowledged(self, n: int) -> None:
        super().acknowledged(n)
        self._settle_notes(n)

    def _settle_notes(self, n: int) -> None:
        """Notes up to number `n` were dealt with."""
        pending = self.pending
        while pending and not pending[0].wants and pending[0].number <= n:
            pending.popleft()

    def _message(self, kind: int, body: bytes | memoryview, n: int) -> None:
        if kind == _REPLY:
            self._on_reply(decode(body, ReplyBody))
        elif kind == _PAYLOAD:
            pay = decode(body, PayloadBody)
            self.events.append(Paid(pay.name, pay.data, pay.source, pay.tx, pay.token, pay.trace))
            self.ack_now = True
        elif kind == _FIRED:
            fired = decode(body, FiredBody)
            if self.subs.pop(fired.sub, None) is not None:
                self._when_live(Fired(fired.sub, fired.q))
        else:
            super()._message(kind, body, n)
        self.done = n

    def _on_reply(self, reply: ReplyBody) -> None:
        pending = self.pending
        while pending and not pending[0].wants:
            pending.popleft()  # replies come in order, so the notes before it were run
        if not pending:
            raise ProtocolError(Code.PROTOCOL, "reply to nothing")
        call = pending.popleft()
        if call.number & 127 != reply.ref:
            raise ProtocolError(Code.GAP, "reply out of order")
        if call.number > self.acked:
            self.acknowledged(call.number)
        if call.cid:
            self._when_live(
                Failed(call.cid, reply.code, reply.text)
                if reply.code
                else Replied(call.cid, reply.result, reply.text)
            )

    def _when_live(self, event: Event) -> None:
        """Hand over an event that promises a moved mirror."""
        (self.held if self.stale else self.events).append(event)
