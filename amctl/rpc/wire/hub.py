"""A listening server: who a connection belongs to, and which sessions there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from .codec import decode
from .codes import VERSION, Code, Kind, is_terminal
from .errors import ProtocolError
from .events import Closed, Event
from .framer import Framer
from .limits import DEFAULT_LIMITS, valid_id
from .link import bye
from .messages import Hello
from .secret import opens
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from .limits import Limits
    from .session import Allow
    from .session_state import Source

__all__ = ["Conn", "Hub", "SessionEvents"]

SessionEvents: TypeAlias = "list[tuple[Session | None, Event]]"
"""Events with the session that each is about; None before a HELLO was accepted. They may concern
another session than the connection's own: one that it replaced."""

_SECOND_TRY = 5.0


class Conn:
    """One transport connection at a server. Before HELLO, nothing but a HELLO is accepted.

    Args:
        hub: Whose it is.
        now: The time.
        wake: Called without arguments when something that came through *another* connection made
            output here or closed this: pull `data_to_send()`, look at `closed`. It must not call
            back into the hub before it returns.
    """

    def __init__(self, hub: Hub, now: float, wake: Callable[[], None] | None = None) -> None:
        self.hub, self.made, self.wake = hub, now, wake
        self.session: Session | None = None
        self.closed = False
        """Finished: flush `data_to_send()`, then close the transport."""
        self.heard = False
        """Something arrived on a connection that we made."""
        self.refused = -1
        """Code with which its HELLO was refused."""
        self.framer = Framer(hub.lim.hello)
        self._out = b""

    def receive_data(self, data: bytes, now: float) -> SessionEvents:
        """Take bytes from the transport, any number, cut anywhere."""
        if self.closed:
            return []
        if self.session is None:
            if self.hub.is_dialling and not self.heard:
                self.heard, self.made = True, now
            return self._before_hello(data, now)
        session = self.session
        return self._settle(session, session.receive_data(data, now), now)

    def _before_hello(self, data: bytes, now: float) -> SessionEvents:
        try:
            frames = self.framer.feed(data)
            kind = frames[0][0] if frames else self.framer.peek_kind()
            if kind is not None and kind != Kind.HELLO:
                raise ProtocolError(Code.PROTOCOL, "not aRPC")
            if not frames:
                return []
            if len(frames) > 1 or self.framer.pending:
                raise ProtocolError(Code.PROTOCOL, "expected HELLO alone")
            hello = decode(memoryview(frames[0])[1:], Hello)
        except ProtocolError as err:
            return self.refuse(err.code, err.text)
        return self.hub.hello(self, hello, now)

    def _settle(self, session: Session, events: list[Event], now: float) -> SessionEvents:
        """Close what an event says is finished."""
        told: SessionEvents = []
        closed: Closed | None = None
        for event in events:
            told.append((session, event))
            if closed is None and isinstance(event, Closed):
                closed = event
        if closed is not None:
            self._out, session.ctl = bytes(session.ctl), bytearray()
            self.closed = True
            told += [(session, event) for event in session.connection_lost(now)]
            if is_terminal(closed.code):
                told += self.hub.drop(session)
        return told

    def refuse(self, code: int, text: str, after: float = 0.0) -> SessionEvents:
        """End a connection that has no session."""
        self._out, self.closed, self.refused = bye(code, text, after), True, int(code)
        return [(None, Closed(int(code), text, not is_terminal(code), after))]

    def take_over(self, code: Code) -> None:
        """Another connection of the same client is here: this one is dead."""
        self._out, self.closed = bye(code, "taken over"), True

    def bye(self, code: int, text: str = "", after: float = 0.0, now: float = 0.0) -> SessionEvents:
        """End the connection: AWAY asks the client to come back in `after` seconds and keeps the
        session, a terminal code such as STOPPED ends that too."""
        if self.closed:
            return []
        if self.session is None:
            return self.refuse(code, text, after)
        self.session.goodbye(code, text, after)
        return self._settle(self.session, self.session._take_events(), now)

    def data_to_send(self, limit: int = 65536) -> bytes:
        """Bytes for the transport, about `limit` at most; empty when there is nothing to send."""
        if self._out or self.closed or self.session is None:
            out, self._out = self._out, b""
            return out
        return self.session.data_to_send(limit)

    def next_timer(self) -> float | None:
        """When `tick` must be called next; None: never, as things stand."""
        if self.closed:
            return None
        if self.session is None:
            return self.made + self.hub.lim.hello_timeout if self._is_timed else None
        return self.session.next_timer()

    @property
    def _is_timed(self) -> bool:
        """Whether the time for HELLO runs."""
        return self.heard or not self.hub.is_dialling

    def tick(self, now: float) -> SessionEvents:
        """Let time pass; call it at `next_timer()`, then pull output."""
        if self.closed:
            return []
        if self.session is None:
            late = self._is_timed and now >= self.made + self.hub.lim.hello_timeout
            return self.refuse(Code.TIMEOUT, "no hello") if late else []
        return self._settle(self.session, self.session.tick(now), now)

    def connection_lost(self, now: float) -> SessionEvents:
        """The transport is gone; the session waits for another."""
        session = self.session
        if self.closed or session is None:
            self.closed = True
            return []
        self.closed = True
        return [(session, event) for event in session.connection_lost(now)]


class Hub:
    """Sessions by client id, all on one source.

    Args:
        source: The machine that is served.
        token: The secret that a HELLO must bring, or its seal (see secret.py).
        limits: Bounds.
        push: Seconds between clocks that nobody asked for; None sends clocks before replies only.
        admit: Whether a client id may connect at all; None admits every valid id.
        allow: Whether a client may run an op on states; None allows all.
    """

    def __init__(
        self,
        source: Source,
        token: bytes,
        limits: Limits = DEFAULT_LIMITS,
        push: float | None = 0.25,
        admit: Callable[[str], bool] | None = None,
        allow: Allow | None = None,
    ) -> None:
        self.source, self.token, self.lim, self.push = source, token, limits, push
        self.admit, self.allow = admit, allow
        self.sessions: dict[str, Session] = {}
        self.is_dialling = False
        """We dial a relay and wait there for a client: its time for HELLO starts with its first
        byte, since nobody may come for hours."""

    def hello(self, conn: Conn, hello: Hello, now: float) -> SessionEvents:
        """Decide on a HELLO: resume, take over, make a session, or refuse."""
        refused = self._check_peer(hello)
        if refused is not None:
            return conn.refuse(*refused)
        old = self.sessions.get(hello.id)
        if old and old.inst == hello.inst and hello.attempt <= old.attempt:
            return conn.refuse(Code.STALE, "a newer connection of this client exists")
        resumed = bool(
            old
            and old.inst == hello.inst
            and old.session == hello.session
            and old.sync == hello.sync
            and not old.stranded
        )
        if old and resumed and not old.acked <= hello.recv <= old.sent:
            return conn.refuse(Code.PROTOCOL, "impossible resume point")
        if old and old.inst != hello.inst and old.attached:
            self._probe(old, now)
            return conn.refuse(Code.BUSY, "this id is taken", self.lim.pong)
        events = self._take_over(old, resumed, now) if old else []
        if old and resumed:
            session = old
        elif len(self.sessions) >= self.lim.sessions:
            return events + conn.refuse(Code.OVERLOADED, "too many sessions", _SECOND_TRY)
        else:
            session = self.sessions[hello.id] = self._new_session(hello)
        conn.session = session
        session.attach(hello, conn, conn.framer, resumed, now)
        return events + [(session, event) for event in session._take_events()]

    def _check_peer(self, hello: Hello) -> tuple[Code, str] | None:
        """What is checked before any session is looked at; the token before all that is ours."""
        if hello.magic != "arpc":
            return Code.PROTOCOL, "not aRPC"
        if not opens(hello.token, self.token):
            return Code.AUTH, "wrong token"
        if hello.v != VERSION:
            return Code.VERSION, f"this server speaks version {VERSION}"
        if not valid_id(hello.id) or (self.admit is not None and not self.admit(hello.id)):
            return Code.DENIED, "this id may not connect"
        return None

    def _probe(self, holder: Session, now: float) -> None:
        """Find out whether the holder of an id is alive; if not, the next HELLO replaces it."""
        if holder.pinged < 0:
            holder.ping(now)
            _wake(holder.conn)

    def _take_over(self, old: Session, resumed: bool, now: float) -> SessionEvents:
        events: SessionEvents = []
        conn = old.conn
        if conn is not None:  # half-open, or the same client moved
            conn.take_over(Code.STALE if resumed else Code.REPLACED)
            events += [(old, event) for event in old.connection_lost(now)]
        if not resumed:
            events += self.drop(old)
        _wake(conn)
        return events

    def _new_session(self, hello: Hello) -> Session:
        return Session(self.source, hello, self.lim, self.push, self.allow)

    def drop(self, session: Session) -> SessionEvents:
        """End a session; its connection, if any, isn't closed by this."""
        if self.sessions.get(session.id) is not session:
            return []
        del self.sessions[session.id]
        return [(session, event) for event in session.end()]

    def stop(
        self, code: Code, text: str = "", after: float = 0.0, now: float = 0.0
    ) -> SessionEvents:
        """Say goodbye to all clients (`Conn.bye` each, then `wake`); a terminal code also ends the
        sessions without a connection."""
        events: SessionEvents = []
        for session in list(self.sessions.values()):
            conn = session.conn
            if conn is not None:
                events += conn.bye(code, text, after, now)
                _wake(conn)
            elif is_terminal(code):
                events += self.drop(session)
        return events

    def next_timer(self) -> float | None:
        """When `tick` must be called next; None: never, as things stand."""
        waiting = [s.lost_at for s in self.sessions.values() if not s.attached]
        return min(waiting) + self.lim.resume if waiting else None

    def tick(self, now: float) -> SessionEvents:
        """End the sessions whose client stayed away for too long."""
        events: SessionEvents = []
        for session in list(self.sessions.values()):
            if not session.attached and now >= session.lost_at + self.lim.resume:
                events += self.drop(session)
        return events


def _wake(conn: Conn | None) -> None:
    if conn is not None and conn.wake is not None:
        conn.wake()
