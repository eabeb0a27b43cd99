"""A client and a server joined by function calls, for scripted tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.rpc.wire import (
    Call,
    ClientCore,
    Closed,
    Conn,
    Event,
    Hub,
    Limits,
    Op,
    Session,
    Sync,
)
from amctl.rpc.wire.codec import encode
from amctl.rpc.wire.codes import Kind
from amctl.rpc.wire.framer import Framer, frame
from amctl.rpc.wire.limits import DEFAULT_LIMITS
from amctl.rpc.wire.messages import EVERYTHING, Hello
from tests.rpc.wire.toy import Toy

if TYPE_CHECKING:
    from collections.abc import Sequence

TOKEN = b"tok"
ID = "rc-a"


class Pair:
    """One source, one hub, one client, and the client's present connection.

    With `run`, calls are run on the toy as they arrive; otherwise the test answers them.
    """

    def __init__(
        self,
        names: Sequence[str] = ("a", "b", "c", "d"),
        *,
        limits: Limits = DEFAULT_LIMITS,
        push: float | None = 0.0,
        sync: Sync = EVERYTHING,
        connect: bool = True,
        run: bool = True,
        **hub: Any,
    ) -> None:
        self.toy = Toy(names)
        self.hub = Hub(self.toy, TOKEN, limits, push, **hub)
        self.client = ClientCore(ID, TOKEN, sync, limits=limits)
        self.now = 0.0
        self.run = run
        self.conn = Conn(self.hub, 0.0)
        if connect:
            self.connect()

    @property
    def session(self) -> Session:
        return self.hub.sessions[ID]

    def connect(self, client: ClientCore | None = None) -> list[Event]:
        """Dial; returns what both ends were told."""
        if client is not None:
            self.client = client
        self.client.connection_made(self.now)
        self.conn = Conn(self.hub, self.now)
        return self.shuttle()

    def cut(self) -> None:
        """Both ends notice that the transport is gone; what is in flight is lost."""
        self.client.connection_lost(self.now)
        self.conn.connection_lost(self.now)

    def serve(self, data: bytes) -> list[Event]:
        """Bytes from the client to the server."""
        events = []
        for session, event in self.conn.receive_data(data, self.now):
            events.append(event)
            if isinstance(event, Call) and self.run:
                assert session is not None
                answer(self.toy, session, event)
        return events

    def shuttle(self) -> list[Event]:
        """Carry bytes both ways until both ends are quiet; returns what both were told."""
        events: list[Event] = []
        for _ in range(1000):
            up = self.client.data_to_send()
            if up:
                events += self.serve(up)
            down = self.conn.data_to_send()
            if down:
                events += self.client.receive_data(down, self.now)
            if not up and not down:
                return events
        raise AssertionError("never quiet")

    def until(self, now: float) -> list[Event]:
        """Let time pass, ticking exactly when the ends ask for it."""
        events: list[Event] = []
        while True:
            timers = [
                t for t in (self.client.next_timer(), self.conn.next_timer()) if t is not None
            ]
            due = min(timers, default=now)
            if due > now or not timers:
                self.now = now
                return events
            self.now = max(self.now, due)
            events += self.client.tick(self.now)
            events += [event for _, event in self.conn.tick(self.now)]
            events += self.shuttle()


def answer(toy: Toy, session: Session, call: Call) -> None:
    """Run a call as a host does."""
    if call.op == Op.BATCH:
        result: Any = [toy.run(op, _indexes(toy, names), args) for op, names, args in call.args]
    else:
        result = toy.run(call.op, _indexes(toy, call.states), call.args)
    if call.wants:
        session.reply(result)
    else:
        session.ran()


def _indexes(toy: Toy, names: Sequence[str]) -> list[int]:
    return [toy.names.index(name) for name in names]


def hello(**fields: Any) -> bytes:
    """A HELLO frame; good but for the given fields."""
    good: dict[str, Any] = {"magic": "arpc", "token": TOKEN, "id": ID, "inst": "i", "attempt": 1}
    return frame(Kind.HELLO, encode(Hello(**{**good, **fields})))


def kinds(data: bytes) -> list[int]:
    """Kinds of the frames in `data`."""
    return [one[0] for one in Framer(1 << 20).feed(data)]


def of(events: Sequence[Event], kind: type) -> list[Any]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def codes(events: Sequence[Event]) -> list[int]:
    """Codes of the Closed events."""
    return [event.code for event in of(events, Closed)]
