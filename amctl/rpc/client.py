"""A client: one connection after another to one server, and the mirror they keep up to date."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amctl.machine import Machine, Source
from amctl.rpc._calls import Calls, CallSpec
from amctl.rpc._client_handlers import ClientHandlers
from amctl.rpc._pump import Pump
from amctl.rpc._snapshots import Snapshot, SnapshotCore
from amctl.rpc.errors import NotConnectedError, RefusedByServerError, SourceContractError
from amctl.rpc.network_machine import NetworkMachine
from amctl.rpc.payload import APayload
from amctl.rpc.states import ClientStates
from amctl.rpc.traffic import Traffic
from amctl.rpc.wire.codes import Code, Op, is_terminal
from amctl.rpc.wire.events import (
    Closed,
    Failed,
    Fired,
    Mirror,
    Opened,
    Paid,
    Replied,
    SchemaChanged,
    Stepped,
)
from amctl.rpc.wire.limits import DEFAULT_LIMITS, Limits
from amctl.rpc.wire.messages import Sync

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.machine import MachineView, Schema, States
    from amctl.rpc.transports.base import Connection, Dial

__all__ = ["Client", "ClientTimes"]

_log = logging.getLogger("amctl.rpc.client")


@dataclass(frozen=True, slots=True)
class ClientTimes:
    """Waits, in seconds."""

    connect: float = 3.0
    """One try to dial."""
    call: float = 3.0
    """A slower answer makes RetryingCall; a call that can't be sent for so long fails."""
    call_deadline: float = 60.0
    """After so long an unanswered call fails, and CallRetryFailed is added."""
    give_up: float = 300.0
    """Without a connection for so long, ConnRetryFailed ends the client."""


_ALL, _TIMES = Sync(), ClientTimes()


class Client:
    """The near end of one mirror.

    Its machine `rc-<name>` (ClientStates) tells the state of the connection, `net` is the mirror.
    With `dial` it connects and reconnects by itself; without, it waits for `attach`.

    Args:
        name: Unique among the clients of the server.
        states: The source's states if they are known here; the server's word counts.
        token: The server's secret.
        dial: Makes a connection; None waits for a peer who dials us.
        parent: Parent of the client's machine.
        consumer: Gets payloads, as ServerPayload with APayload.
        sync: What to mirror.
        inst: Identifies this incarnation, so that the same one may take over after a reload.
        addr: Where `dial` goes, for the machine's tags.
        times: Waits.

    Raises:
        SourceContractError: If `consumer` has no ServerPayload.
    """

    def __init__(
        self,
        name: str,
        states: type[States] | Schema | None = None,
        *,
        token: str,
        dial: Dial | None = None,
        parent: MachineView | None = None,
        consumer: Machine | None = None,
        sync: Sync = _ALL,
        inst: str = "",
        addr: str = "",
        limits: Limits = DEFAULT_LIMITS,
        times: ClientTimes = _TIMES,
    ) -> None:
        if consumer is not None and not consumer.has("ServerPayload"):
            raise SourceContractError(consumer.id, "consumer", "ServerPayload")
        self.name, self.dial, self.times, self.consumer = name, dial, times, consumer
        self._token, self._sync, self._inst, self._limits = token, sync, inst, limits
        tags = ["rpc-client", *([f"addr:{addr}"] if addr else [])]
        self.machine = Machine(f"rc-{name}", ClientStates, parent=parent, tags=tags)
        self.calls = Calls(self.machine.id, self._kick, self, times.call, times.call_deadline)
        self.net = NetworkMachine(f"rnm-{name}", states, client=self, parent=self.machine)
        self.net.infers = sync.schema and (sync.allowed is not None or bool(sync.skipped))
        self._core = self._new_core()
        self._pump: Pump | None = None
        self._ends: dict[int, asyncio.Future[None]] = {}
        self._closed: Closed | None = None
        self._lost_at: float | None = None
        self.traffic = Traffic()
        """What went over its connections so far."""
        self._handlers = ClientHandlers(self)
        self.machine.bind(self._handlers, id="rpc-client")
        self.machine.on_dispose(lambda *_: self.shut(Code.OK))

    def _new_core(self) -> SnapshotCore:
        core = SnapshotCore(
            self.machine.id,
            self._token.encode(),
            self._sync,
            self._inst,
            self._limits,
            attempt=int(time.time() * 1000),
        )
        self._inst = core.inst
        self.calls.use(core)
        return core

    @property
    def token(self) -> str:
        """The server's secret. A new one counts from the next connection on, so that `dial` may
        set it: a server that was started again has another."""
        return self._token

    @token.setter
    def token(self, token: str) -> None:
        self._token = token
        self._core.token = token.encode()

    # -- life

    def start(self) -> None:
        """Begin to connect, or to wait for `attach`. Ready tells when the mirror is live."""
        if self._core.terminal:
            self._core = self._new_core()
        # by name too: what Start implies yields to an active Disconnected
        self.machine.add((ClientStates.Start, ClientStates.Connecting))

    async def stop(self, dispose: bool = True) -> None:
        """Say goodbye and close. Calls that wait fail with NotConnectedError.

        Args:
            dispose: Dispose of the client's machine and its mirror too; the source lives on.
        """
        if self.machine.is_disposed:
            return
        self.machine.remove(ClientStates.Start)
        self.shut(Code.OK)
        if dispose:
            self.net.dispose()
            self.machine.dispose()
            await self.machine.when_disposed()
        else:
            await asyncio.sleep(0)

    def attach(self, conn: Connection) -> None:
        """Use a connection that a peer made to us; it replaces the present one.

        The session is resumed if the peer still has it. Does nothing but close `conn` if the
        client was not started.
        """
        self._ends[id(conn)] = asyncio.get_running_loop().create_future()
        if self._pump is not None:
            self._pump.finish(4000, "replaced")
        if self._core.terminal and self.machine.is_(ClientStates.Start):
            self._core = self._new_core()
        self.use(conn)

    async def wait_closed(self, conn: Connection) -> None:
        """Wait until that attached connection is over."""
        end = self._ends.get(id(conn))
        if end is not None:
            await asyncio.shield(end)

    @property
    def is_connected(self) -> bool:
        """Whether the mirror is live."""
        return self.machine.is_(ClientStates.HandshakeDone)

    @property
    def lost_for(self) -> float | None:
        """Seconds since the connection was lost; None if there is one, or never was."""
        if self._lost_at is None:
            return None
        return asyncio.get_running_loop().time() - self._lost_at

    async def sync(self) -> None:
        """Bring the mirror up to date with everything that was sent before. Raises as a call."""
        self.machine.add(ClientStates.MetricSync)
        await self.calls.send(CallSpec(Op.NOP, ()))

    # -- told by handlers, calls and the mirror

    def use(self, conn: Connection) -> None:
        """Begin the handshake on a new connection."""
        if not self.machine.is_(ClientStates.Start) or self._pump is not None:
            conn.close()
            self._ended(conn)
            return
        self._closed = None
        loop = asyncio.get_running_loop()
        self._core.connection_made(loop.time())
        self._pump = Pump(
            self._core, conn, self._on_events, lambda error: self._lost(conn, error), self.traffic
        )
        self.machine.add(ClientStates.Connected)
        self._pump.start()

    def _kick(self) -> None:
        if self._pump is not None:
            self._pump.kick()

    def subscribe(self, sid: int, state: str, match: Any) -> None:
        """Ask the source for one hit of a state with arguments."""
        self._core.subscribe(sid, self._core.names.index(state), match)
        self._kick()

    def unsubscribe(self, sid: int) -> None:
        """Forget a subscription."""
        self._core.unsubscribe(sid)
        self._kick()

    def call_slow(self) -> None:
        """A call waits too long."""
        self.machine.add(ClientStates.RetryingCall)

    def calls_settled(self) -> None:
        """No call waits any more."""
        self.machine.remove(ClientStates.RetryingCall)

    def call_given_up(self, error: Exception) -> None:
        """A call failed for lack of an answer."""
        if isinstance(error, NotConnectedError):
            self.machine.add_err_state(ClientStates.ErrNetwork, error)
        else:
            self.machine.add(ClientStates.CallRetryFailed)
            self.machine.add_err_state(ClientStates.ErrNetworkTimeout, error)

    # -- events of the wire

    def _on_events(self, events: Sequence[Any]) -> None:
        step: Stepped | None = None
        for event in events:
            if isinstance(event, Replied):
                self.calls.replied(event.cid, event.result, event.text)
            elif isinstance(event, Mirror):
                self._moved(step)
                step = None
            elif isinstance(event, Stepped):
                step = event
            elif isinstance(event, Paid):
                self._paid(event)
            elif isinstance(event, Fired):
                self.net.fired(event.sub)
            elif isinstance(event, Failed):
                self.calls.failed(event.cid, event.code, event.text)
            elif isinstance(event, Opened):
                self._opened(event)
            elif isinstance(event, SchemaChanged):
                self.net.install(event.names, self._core.schema)
                self.calls.opened(event.names)
            elif isinstance(event, Closed):
                self._closed = event
        if self._closed is not None and self._pump is not None:
            self._pump.finish()

    def _moved(self, step: Stepped | None = None) -> None:
        view, queue_tick, machine_tick, moved = self._core.snapshots.popleft()
        try:
            self.net.apply(view, queue_tick, machine_tick, step, moved)
        except Exception as error:
            # a handler or tracer of the mirror failed: a bug at this end, not the peer's fault
            _log.exception("%s: applying a clock failed", self.net.id)
            self.machine.add_err(error)

    def _opened(self, event: Opened) -> None:
        core = self._core
        self.net.set_remote(core.source_id)
        if core.snapshots:
            self._moved()
            core.snapshots.appendleft(Snapshot(core.view, core.q, core.m))
        self.calls.opened(core.names)
        self._handlers.opened()
        self._lost_at = None
        self.machine.add(ClientStates.HandshakeDone)
        self.net.connected(event.resumed)

    def _paid(self, event: Paid) -> None:
        tx = event.tx if isinstance(event.tx, str) else f"{event.tx:016x}" if event.tx else ""
        args = APayload(event.name, event.data, event.source, tx, event.token)
        cause = Source(event.source, tx, 0, event.trace) if event.source else None
        self.machine.add(ClientStates.ServerPayload, args, source=cause)

    # -- ends

    def _lost(self, conn: Connection, error: Exception | None) -> None:
        self._pump = None
        closed, self._closed = self._closed, None
        self.calls.connection_lost()
        if self._lost_at is None and self.machine.tick(ClientStates.HandshakeDone):
            self._lost_at = asyncio.get_running_loop().time()
        self.machine.add(ClientStates.Disconnected)
        if self.machine.is_(ClientStates.Start):
            self._report(closed, error)
            if closed is not None and is_terminal(closed.code) and self.dial is not None:
                self.calls.fail_all()
                self.machine.add(ClientStates.ConnRetryFailed)
            elif self.dial is not None:
                self._handlers.lost(closed)
                self.machine.add(ClientStates.RetryingConn)
        self._ended(conn)

    def _report(self, closed: Closed | None, error: Exception | None) -> None:
        machine = self.machine
        if closed is not None:
            if closed.code == Code.OK or (closed.code == Code.STOPPED and self.dial is None):
                return
            refused = RefusedByServerError(machine.id, closed.code, closed.text)
            timed_out = closed.code == Code.TIMEOUT
            state = ClientStates.ErrNetworkTimeout if timed_out else ClientStates.ErrRpc
            machine.add_err_state(state, refused)
        elif error is not None:
            machine.add_err_state(ClientStates.ErrNetwork, error)
        else:
            _log.info("%s: the connection was closed by the peer", machine.id)

    def _ended(self, conn: Connection) -> None:
        end = self._ends.pop(id(conn), None)
        if end is not None and not end.done():
            end.set_result(None)

    def shut(self, code: Code) -> None:
        """Goodbye, at once; what waits fails."""
        pump = self._pump
        if pump is not None:
            self.machine.add(ClientStates.Disconnecting)
        events = self._core.goodbye(code)
        self._on_events([event for event in events if not isinstance(event, Closed)])
        if pump is not None:
            pump.finish()
        self.calls.fail_all()
