"""Runs the sessions of a hub on a source machine: connections, calls in order, clocks, payloads."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from amctl.machine import EXECUTED, BatchOp, Machine, MutationType, Source, TaskSet
from amctl.machine.errors import MachineError, UnknownStateError
from amctl.rpc._pump import Pump
from amctl.rpc._source_view import SourceView
from amctl.rpc.errors import (
    CallRefusedError,
    NotConnectedError,
    PayloadLostError,
    QuestionError,
    UnknownOutcomeError,
)
from amctl.rpc.exposure import Lockout, is_elsewhere
from amctl.rpc.traffic import Traffic
from amctl.rpc.wire.codes import Code, Op
from amctl.rpc.wire.events import Call, Closed, Delivered, Lost, Opened, Usable
from amctl.rpc.wire.hub import Conn, Hub

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.machine import MachineView, Result
    from amctl.rpc.transports.base import Connection
    from amctl.rpc.wire.limits import Limits
    from amctl.rpc.wire.session import Allow, Session

__all__ = ["Face", "SessionHost"]

MAX_STRANGERS = 64
"""Connections that may wait for their HELLO at a time."""
MAX_OF_A_HOST = 16
"""... of one host, so that one alone can't shut out the others."""

_BEHIND = "too many answers wait to be read; ask again when some have come"
_log = logging.getLogger("amctl.rpc.server")


class Face(Protocol):
    """What shows the life of one client at this end."""

    def opened(self, session: Session, resumed: bool) -> None: ...
    def usable(self) -> None: ...
    def synced(self) -> None: ...
    def detached(self, closed: Closed | None, error: Exception | None) -> None: ...
    def ended(self) -> None: ...


class _Served:
    """One session, what runs for it, and the connection it has now."""

    def __init__(self, session: Session, face: Face) -> None:
        self.session, self.face = session, face
        self.pump: Pump | None = None
        self.calls: deque[Call] = deque()
        self.payloads: dict[int, tuple[str, asyncio.Future[None]]] = {}
        self.task: asyncio.Task[Any] | None = None


class SessionHost:
    """Accepts connections for one source.

    Args:
        source: Local or mirrored.
        name: For logs, and the tracer's id.
        token: What a HELLO must bring.
        face: Makes what shows a new session.
        push: Seconds between clocks that nobody asked for; None sends them before replies only.
        admit: Whether a client id may connect.
        allow: Whether a client may run an op on states.
    """

    def __init__(
        self,
        source: MachineView,
        name: str,
        *,
        token: str,
        face: Callable[[Session], Face],
        limits: Limits,
        push: float | None,
        admit: Callable[[str], bool] | None = None,
        allow: Allow | None = None,
    ) -> None:
        self.source, self.name = source, name
        self.view = SourceView(source, name, self._source_moved, self._source_ending)
        self.hub = Hub(self.view, token.encode(), limits, push, admit, allow)
        self._make_face = face
        self._served: dict[Session, _Served] = {}
        self._pumps: dict[Conn, Pump] = {}
        self._tasks = TaskSet(name)
        self._woken = False
        self._timer: asyncio.TimerHandle | None = None
        self._closed: dict[Conn, Closed] = {}
        self.on_connection: Callable[[int], None] = lambda _: None
        """Told how many connections there are, whenever that changes."""
        self.on_opened: Callable[[], None] = lambda: None
        """Told of every accepted HELLO."""
        self.call_count = 0
        """Calls and notes run, for budgets."""
        self.traffic = Traffic()
        self.lockout = Lockout()

    # -- connections

    def accept(self, conn: Connection) -> None:
        """Serve on a new connection; who it is shows in its HELLO.

        While too many peers have not said who they are, a further one is closed at once; so is one
        whose host has tried too many wrong tokens.
        """
        if why := self._unwelcome(conn):
            _log.warning("%s: %s, %s is closed", self.name, why, conn.peer)
            conn.close(1013, "too many connections")
            return
        loop = asyncio.get_running_loop()
        wire = Conn(self.hub, loop.time(), lambda: self._wake(wire))
        pump = Pump(
            wire, conn, self._on_events, lambda error: self._lost(wire, error), self.traffic
        )
        pump.after_events = lambda: pump.finish() if wire.closed else pump.flush()
        self._pumps[wire] = pump
        self.on_connection(len(self._pumps))
        pump.start()

    def _unwelcome(self, conn: Connection) -> str:
        """Why a connection isn't served; empty if it is."""
        host = _host_of(conn)
        strangers = [pump.conn for wire, pump in self._pumps.items() if wire.session is None]
        if len(strangers) >= MAX_STRANGERS:
            return "too many unknown peers"
        if self.lockout.is_out(host):
            return "too many wrong tokens came from there"
        if (
            len(strangers) >= MAX_OF_A_HOST
            and is_elsewhere(host)
            and sum(_host_of(one) == host for one in strangers) >= MAX_OF_A_HOST
        ):
            return "too many unknown peers of one host"
        return ""

    def stop(self, code: Code, text: str = "", after: float = 0.0) -> None:
        """Say goodbye to everybody; a terminal code ends the sessions too."""
        now = asyncio.get_running_loop().time()
        self._on_events(self.hub.stop(code, text, after, now))
        for wire in list(self._pumps):
            if not wire.closed:
                self._on_events(wire.bye(code, text, after, now))
            self._woke(wire)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def sessions(self) -> int:
        """How many sessions there are, with or without a connection."""
        return len(self._served)

    def drop_detached(self) -> None:
        """End the sessions that have no connection."""
        for session in [s for s in self._served if not s.attached]:
            self._on_events(self.hub.drop(session))

    def set_push(self, seconds: float | None) -> None:
        """Change the push interval, also of the sessions there are."""
        self.hub.push = seconds
        for served in self._served.values():
            served.session.push = seconds
        self._flush_all()

    def _wake(self, wire: Conn) -> None:
        """Something that came through another connection concerns this one."""
        asyncio.get_running_loop().call_soon(self._woke, wire)

    def _woke(self, wire: Conn) -> None:
        pump = self._pumps.get(wire)
        if pump is not None:
            if wire.closed:
                pump.finish()
            else:
                pump.flush()

    def _lost(self, wire: Conn, error: Exception | None) -> None:
        if wire.refused == Code.AUTH:
            self.lockout.failed(_host_of(self._pumps[wire].conn))
        del self._pumps[wire]
        session, closed = wire.session, self._closed.pop(wire, None)
        served = self._served.get(session) if session is not None else None
        if served is not None and served.pump is not None and served.pump.core is wire:
            served.pump = None
            served.face.detached(closed, error)
        self.on_connection(len(self._pumps))
        self._set_timer()

    # -- events

    def _on_events(self, events: Sequence[tuple[Session | None, Any]]) -> None:
        for session, event in events:
            if session is None:
                if isinstance(event, Closed):
                    ending = event.code in (Code.STOPPED, Code.AWAY)
                    level = logging.DEBUG if ending else logging.WARNING
                    _log.log(level, "%s: refused a connection: %s", self.name, event.text)
            elif isinstance(event, Call):
                self._on_call(session, event)
            elif isinstance(event, Opened):
                self._opened(session, event)
            elif session in self._served:
                self._on_session(self._served[session], event)
        self._sweep()

    def _on_session(self, served: _Served, event: Any) -> None:
        if isinstance(event, Usable):
            served.face.usable()
        elif isinstance(event, Delivered):
            self._settle_payload(served, event.pid, None)
        elif isinstance(event, Lost):
            self._settle_payload(served, event.pid, self.name)
        elif isinstance(event, Closed) and served.pump is not None:
            wire = served.pump.core
            assert isinstance(wire, Conn)
            self._closed[wire] = event

    def _settle_payload(self, served: _Served, pid: int, lost_by: str | None) -> None:
        name, future = served.payloads.pop(pid)
        if future.done():
            return
        if lost_by is None:
            future.set_result(None)
        else:
            future.set_exception(PayloadLostError(lost_by, name))

    def _opened(self, session: Session, event: Opened) -> None:
        self._sweep()  # the session that this one replaces, before its own face is shown
        served = self._served.get(session)
        if served is None:
            served = self._served[session] = _Served(session, self._make_face(session))
        assert session.conn is not None
        served.pump = self._pumps[session.conn]
        self.on_opened()
        served.face.opened(session, event.resumed)

    def _sweep(self) -> None:
        """Let go of the sessions that ended."""
        for session in [s for s in self._served if s.ended]:
            served = self._served.pop(session)
            served.calls.clear()
            for pid in list(served.payloads):
                self._settle_payload(served, pid, self.name)
            served.face.ended()

    def _set_timer(self) -> None:
        """Wake up when a session without a connection has waited long enough."""
        due = self.hub.next_timer()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None:
            loop = asyncio.get_running_loop()
            wait = max(0.0, due - loop.time())  # browsers' loops refuse the past
            self._timer = loop.call_later(wait, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._on_events(self.hub.tick(asyncio.get_running_loop().time()))
        self._set_timer()

    # -- the source moved

    def _source_moved(self) -> None:
        # what one connection's call does is flushed there after its bytes are dealt with
        if not self._woken and not self._is_about_to_flush():
            self._woken = True
            asyncio.get_running_loop().call_soon(self._flush_all)

    def _is_about_to_flush(self) -> bool:
        """Whether there is but one connection, and a call of it is running."""
        if len(self._pumps) == 1:
            for pump in self._pumps.values():
                return pump.is_reading
        return False

    def _flush_all(self) -> None:
        self._woken = False
        for pump in list(self._pumps.values()):
            pump.flush()

    def _source_ending(self) -> None:
        """Write the source's last clock while it can still be read, whatever the push interval."""
        for served in self._served.values():
            if served.session.open and served.pump is not None:
                served.session.force_clock = True
                served.pump.flush()

    # -- calls

    def _on_call(self, session: Session, call: Call) -> None:
        served = self._served.get(session)
        if served is None:
            return
        self.call_count += 1
        if call.op == Op.NOP:
            served.face.synced()
        source = self.source
        if isinstance(source, Machine):
            done = self._ask(session, call) if call.op == Op.ASK else self._run(source, call)
            self._answer(served, call, *done)
            return
        served.calls.append(call)
        if served.task is None or served.task.done():
            served.task = self._tasks.spawn(self._run_far(served), name=f"{self.name} calls")

    def _answer(
        self, served: _Served, call: Call, result: int | list[int], code: int, text: str
    ) -> None:
        session = served.session
        if session.ended:
            return
        if call.wants:
            session.reply(result, code, text)
        else:
            if code:
                _log.warning("%s: a note of %s failed: %s", self.name, session.id, text)
            session.ran()
        if served.pump is not None:
            served.pump.kick()

    def _run(self, source: Machine, call: Call) -> tuple[int | list[int], Code, str]:
        """A call on a local source: carried out at once."""
        origin = _origin(call)
        try:
            if call.op == Op.BATCH:
                done = [_mutate(source, op, states, args, origin) for op, states, args in call.args]
                return [int(one) for one in done], Code.OK, ""
            return int(_mutate(source, call.op, call.states, call.args, origin)), Code.OK, ""
        except UnknownStateError as error:
            return 0, Code.STATE, str(error)
        except (MachineError, TypeError) as error:
            return 0, Code.ARGS, str(error)
        except Exception as error:
            _log.exception("%s: a call of %s failed", self.name, call.origin)
            return 0, Code.INTERNAL, f"{type(error).__name__}: {error}"

    def _ask(self, session: Session, call: Call) -> tuple[int, Code, str]:
        """A question to a local source; whatever was asked, there is an answer."""
        if session.is_behind:
            return 0, Code.BUSY, _BEHIND
        from amctl.rpc import asking  # most servers are never asked

        return 0, *asking.answer(self.source, call.args, session.refuses, _origin(call))

    async def _ask_far(self, session: Session, call: Call) -> str:
        """A question to a mirrored source is its own source's to answer.

        Raises:
            QuestionError: It is not passed on.
            RpcError: As `NetworkMachine.ask`.
        """
        from amctl.rpc import asking

        if session.is_behind:
            raise QuestionError(Code.BUSY, _BEHIND)
        asking.check(call.args, session.refuses)
        source: Any = self.source
        text: str = await source.ask_text(call.args, source=_origin(call))
        return text

    async def _run_far(self, served: _Served) -> None:
        """Calls on a mirrored source: one after another, each awaited."""
        while served.calls:
            call = served.calls.popleft()
            result: int | list[int] = 0
            text = ""
            try:
                if call.op == Op.ASK:
                    text = await self._ask_far(served.session, call)
                else:
                    result = await _mutate_far(self.source, call, _origin(call))
            except UnknownStateError as error:
                answer: tuple[Any, int, str] = 0, Code.STATE, str(error)
            except UnknownOutcomeError as error:
                answer = 0, Code.UNKNOWN_OUTCOME, str(error)
            except NotConnectedError as error:
                answer = 0, Code.AWAY, str(error)
            except TimeoutError as error:
                answer = 0, Code.TIMEOUT, str(error)
            except (CallRefusedError, QuestionError) as error:
                answer = 0, error.code, error.text
            except Exception as error:
                _log.warning("%s: a call of %s failed: %s", self.name, call.origin, error)
                answer = 0, Code.INTERNAL, f"{type(error).__name__}: {error}"
            else:
                answer = result, Code.OK, text
            self._answer(served, call, *answer)

    # -- payloads

    def send_payload(
        self, session: Session, name: str, data: Any, origin: Source, token: str
    ) -> asyncio.Future[None]:
        """Hand a payload to a session's outbox.

        Raises:
            EncodeError: If it can't be sent.
            Backpressure: If too much is waiting.
        """
        served = self._served[session]
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        source, tx, trace = origin.machine_id, origin.tx_id, origin.trace
        pid = session.send_payload(name, data, source, tx, token, trace)
        served.payloads[pid] = (name, future)
        if served.pump is not None:
            served.pump.kick()
        return future


def _host_of(conn: Connection) -> str:
    return conn.peer.rpartition(":")[0] or conn.peer


def _origin(call: Call) -> Source:
    if call.tx == 0 and not call.trace:
        return _claimed(call.origin)
    tx = call.tx if isinstance(call.tx, str) else f"{call.tx:016x}" if call.tx else ""
    return Source(call.origin, tx, 0, call.trace)


@lru_cache(maxsize=256)
def _claimed(origin: str) -> Source:
    """Most calls name just their machine, and always the same one."""
    return Source(origin)


def _mutate(source: Machine, op: int, states: Sequence[str], args: Any, origin: Source) -> Result:
    if args is not None and not isinstance(args, dict):
        raise TypeError("arguments are a map")
    names = tuple(states)
    if op == Op.ADD:
        return source.add(names, args, source=origin)
    if op == Op.REMOVE:
        return source.remove(names, args, source=origin)
    if op == Op.SET:
        return source.set(names, args, source=origin)
    if op == Op.TOGGLE:
        return source.toggle(names, args, source=origin)
    return EXECUTED


async def _mutate_far(source: Any, call: Call, origin: Source) -> int | list[int]:
    if call.op == Op.BATCH:
        kinds = (Op.ADD, Op.REMOVE, Op.SET)
        if any(op not in kinds for op, _, _ in call.args):
            raise TypeError("a batch for a mirror holds add, remove and set only")
        ops = [
            BatchOp(MutationType(op), tuple(states), args, origin) for op, states, args in call.args
        ]
        return [int(one) for one in await source.batch(ops)]
    if call.op == Op.NOP:
        await source.sync()
        return 0
    if call.op == Op.TOGGLE:
        return int(await source.toggle(call.states, call.args, source=origin))
    kind = MutationType(call.op)
    return int(await source.mutate(kind, call.states, call.args, source=origin))
