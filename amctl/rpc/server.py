"""A server: one source machine, served to one client at a time."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any

from amctl.machine import Event, Machine, Source
from amctl.rpc._acceptor import Acceptor
from amctl.rpc._host import SessionHost
from amctl.rpc._server_face import ServerFace
from amctl.rpc.endpoints import AttachEndpoint, Endpoint
from amctl.rpc.errors import NotConnectedError, PayloadLostError, SourceContractError
from amctl.rpc.states import ServerStates
from amctl.rpc.wire.codes import Code
from amctl.rpc.wire.limits import Limits

if TYPE_CHECKING:
    from amctl.machine import MachineView
    from amctl.rpc.traffic import Traffic
    from amctl.rpc.transports.base import Connection
    from amctl.rpc.wire.session import Allow, Session

__all__ = ["PUSH_INTERVAL", "Server", "check_source"]

PUSH_INTERVAL = 0.25
"""Seconds between clocks that nobody asked for."""

_ONE = Limits(sessions=1)
_log = logging.getLogger("amctl.rpc.server")


def check_source(source: MachineView) -> None:
    """A machine with handlers must own ErrOnClient; a deterministic one need not.

    Raises:
        SourceContractError: If it doesn't.
    """
    handled = isinstance(source, Machine) and bool(source._bindings)
    if handled and not source.has("ErrOnClient"):
        raise SourceContractError(source.id, "source", "ErrOnClient")


class Server:
    """Serves `source` by an endpoint; its machine `rs-<name>` (ServerStates) tells how it is.

    One client id has it at a time: another one is refused while the first is connected, and asked
    to try again. The session of a client that lost its connection waits for 120 s, or until
    another id comes.

    Args:
        source: Local, or the mirror of another machine. It outlives the server; its disposal ends
            the server.
        name: Unique within the system.
        endpoint: Where connections come from.
        token: What a client must bring, or its seal.
        parent: Parent of the server's machine.
        push_interval: Seconds between clocks that nobody asked for; None sends them before
            replies only. May be changed later.
        allow_id: The only client id that is let in; None lets in any.
        allow: Whether a client may run an op on states.

    Raises:
        SourceContractError: If a source with handlers lacks ErrOnClient.
    """

    def __init__(
        self,
        source: MachineView,
        name: str = "rpc",
        endpoint: Endpoint | None = None,
        *,
        token: str,
        parent: MachineView | None = None,
        push_interval: float | None = PUSH_INTERVAL,
        allow_id: str | None = None,
        allow: Allow | None = None,
        limits: Limits = _ONE,
    ) -> None:
        check_source(source)
        self.source, self._allow_id = source, allow_id
        self.machine = Machine(f"rs-{name}", ServerStates, parent=parent, tags=["rpc-server"])
        self._session: Session | None = None
        self._early: list[Connection] = []
        self._stopping = False
        self._acceptor = Acceptor(
            self.machine.id, endpoint or AttachEndpoint(), self.accept, self._endpoint_lost
        )
        self._face = ServerFace(self.machine)
        self._host = SessionHost(
            source,
            self.machine.id,
            token=token,
            face=self._new_face,
            limits=limits,
            push=push_interval,
            admit=self._admit,
            allow=allow,
        )
        self._host.on_connection = self._on_connection
        self._host.on_opened = self._acceptor.served
        if self._acceptor.dials:
            self._host.hub.is_dialling = True
            self.machine.add(ServerStates.WebSocketTunnel)
        self.machine.bind(_Handlers(self), id="rpc-server")
        self.machine.on_dispose(lambda _: self._shut(Code.STOPPED))
        source.on_dispose(lambda _: self._source_gone())

    # -- life

    @property
    def addr(self) -> str:
        """`host:port` where it listens; empty before, and with other endpoints."""
        return self._acceptor.addr

    @property
    def push_interval(self) -> float | None:
        """Seconds between clocks that nobody asked for."""
        return self._host.hub.push

    @push_interval.setter
    def push_interval(self, seconds: float | None) -> None:
        self._host.set_push(seconds)

    @property
    def client_id(self) -> str:
        """The client that has a session now, or empty."""
        return self._session.id if self._session is not None else ""

    @property
    def call_count(self) -> int:
        """Calls and notes run so far."""
        return self._host.call_count

    @property
    def traffic(self) -> Traffic:
        """What went over its connections so far."""
        return self._host.traffic

    @property
    def is_ending(self) -> bool:
        """Whether clients need not come back."""
        return self._stopping or self.source.is_disposed

    def start(self) -> None:
        """Acquire the endpoint. RpcReady tells when clients may come."""
        self.machine.add(ServerStates.Start)

    async def stop(self) -> None:
        """Say goodbye for good, close the endpoint and dispose of the server's machine."""
        self._stopping = True
        self.machine.dispose()
        await self.machine.when_disposed()

    def accept(self, conn: Connection) -> None:
        """Serve on a connection that somebody else made.

        One that comes before RpcReady waits for it; without Start it is closed at once.
        """
        if self.machine.is_(ServerStates.RpcReady):
            self._host.accept(conn)
        elif self.machine.is_(ServerStates.Start):
            self._early.append(conn)
        else:
            conn.close(1013, "not started")

    def _accept_early(self) -> None:
        early, self._early = self._early, []
        for conn in early:
            self.accept(conn)

    def send_payload(
        self, name: str, data: Any, *, source: str = "", event: Event | Source | None = None
    ) -> asyncio.Future[None]:
        """Hand a payload over to the client's outbox; whatever happens to the caller, it is sent.

        Kept over reconnects until acknowledged. Payloads arrive in order.

        Args:
            name: What kind of payload it is.
            data: Plain data.
            source: Id of the machine that it comes from, if this one only forwards it.
            event: What causes it; its machine and transition are named as the source, unless
                `source` is given. Its trace context goes along either way.

        Returns:
            Done when the client has it. Fails with NotConnectedError if no client has a session
            (nothing is kept then), with PayloadLostError if the session ended before the
            acknowledgement. Nobody needs to await it: failures are logged.

        Raises:
            EncodeError: If the data can't be sent.
            Backpressure: If too much is waiting.
        """
        origin = event.as_source() if isinstance(event, Event) else event or Source(source)
        if source:
            origin = Source(source, trace=origin.trace)
        if self._session is None:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.set_exception(NotConnectedError(self.machine.id, f"payload {name!r}"))
        else:
            token = os.urandom(8).hex()
            future = self._host.send_payload(self._session, name, data, origin, token)
        future.add_done_callback(self._payload_done)
        return future

    def _payload_done(self, future: asyncio.Future[None]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            _log.warning("%s", error)
            if isinstance(error, PayloadLostError) and not self.machine.is_disposed:
                self.machine.add_err_state(ServerStates.ErrDelivery, error)

    # -- told by the host

    def _admit(self, client_id: str) -> bool:
        if self._allow_id is not None and client_id != self._allow_id:
            return False
        if self._session is not None and self._session.id != client_id:
            self._host.drop_detached()
        return True

    def _new_face(self, session: Session) -> ServerFace:
        self._session = session
        face = self._face
        face.on_ended = lambda: self._session_ended(session)
        return face

    def _session_ended(self, session: Session) -> None:
        if self._session is session:
            self._session = None

    def _on_connection(self, count: int) -> None:
        machine = self.machine
        if machine.is_disposed:
            return
        if count:
            machine.add(ServerStates.ClientConnected)
            return
        machine.remove(ServerStates.ClientConnected)
        if self._acceptor.dials and not self._stopping and machine.is_(ServerStates.RpcReady):
            machine.add(ServerStates.RpcStarting)

    def _endpoint_lost(self) -> None:
        if not self._stopping and self.machine.is_(ServerStates.Start):
            self.machine.add(ServerStates.RpcStarting)

    def _source_gone(self) -> None:
        self._stopping = True
        self._host.stop(Code.STOPPED, "source was disposed of")
        self.machine.dispose()

    def _shut(self, code: Code) -> None:
        early, self._early = self._early, []
        for conn in early:
            conn.close(1001, "server stopped")
        self._acceptor.release()
        self._host.stop(code, "server stopped", 1.0)


class _Handlers:
    """Handlers of ServerStates."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def RpcStartingState(self, e: Event) -> None:
        """Get the endpoint, then let clients in."""
        server, machine = self._server, e.machine
        try:
            conn = await server._acceptor.acquire(lambda error: self._failed(machine, error, e))
        except OSError as error:
            machine.add_err_state(ServerStates.ErrNetwork, error, source=e)
            machine.remove(ServerStates.RpcStarting, source=e)
            return
        machine.remove(ServerStates.Exception, source=e)
        machine.add(ServerStates.RpcAccepting, source=e)
        machine.add(ServerStates.RpcReady, source=e)
        if conn is not None:
            server.accept(conn)
        server._accept_early()

    def _failed(self, machine: Machine, error: Exception, e: Event) -> None:
        machine.add_err_state(ServerStates.ErrNetwork, error, source=e)

    def RpcReadyEnd(self, e: Event) -> None:
        """Nobody can be served: clients are asked to come back."""
        if not self._server.is_ending:
            self._server._host.stop(Code.AWAY, "restarting")

    def StartEnd(self, e: Event) -> None:
        """Close the endpoint; clients are asked to come back."""
        self._server._shut(Code.STOPPED if self._server.is_ending else Code.AWAY)

    def MetricSyncState(self, e: Event) -> None:
        """An event: its ticks count."""
        e.machine.remove(ServerStates.MetricSync)
