"""A mux: one endpoint, many clients of one source."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from amctl.machine import Machine
from amctl.rpc._acceptor import Acceptor
from amctl.rpc._host import SessionHost
from amctl.rpc._server_face import ServerFace
from amctl.rpc.endpoints import AttachEndpoint, ListenEndpoint, TcpEndpoint
from amctl.rpc.server import PUSH_INTERVAL, check_source
from amctl.rpc.states import MuxStates, ServerStates
from amctl.rpc.wire.codes import Code
from amctl.rpc.wire.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import Event, MachineView
    from amctl.rpc.transports.base import Connection
    from amctl.rpc.wire.session import Allow, Session

__all__ = ["Mux"]

_log = logging.getLogger("amctl.rpc.mux")
_REBIND = 1.0


class Mux:
    """Serves `source` to every client that has the token; its machine is `rm-<name>` (MuxStates).

    Each session has a machine of its own, `rs-<name>-<n>` (ServerStates), numbered from 1 in the
    order of coming. It appears when a client's HELLO was accepted, so who has no token makes no
    machine, and is disposed of with the session.

    Args:
        source: Local or mirrored; it outlives the mux, its disposal ends it.
        name: Unique within the system.
        endpoint: Where connections come from; by default a free TCP port on loopback.
        token: What a client must bring.
        parent: Parent of the mux's machine.
        push_interval: Seconds between clocks that nobody asked for; None sends none.
        admit: Whether a client id may connect.
        allow: Whether a client may run an op on states.

    Raises:
        SourceContractError: If a source with handlers lacks ErrOnClient.
    """

    def __init__(
        self,
        source: MachineView,
        name: str,
        endpoint: TcpEndpoint | ListenEndpoint | AttachEndpoint | None = None,
        *,
        token: str,
        parent: MachineView | None = None,
        push_interval: float | None = PUSH_INTERVAL,
        admit: Callable[[str], bool] | None = None,
        allow: Allow | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        check_source(source)
        self.source, self.name = source, name
        self.machine = Machine(f"rm-{name}", MuxStates, parent=parent, tags=["rpc-mux"])
        self._count = 0
        self._connections = 0
        self._stopping = False
        self._acceptor = Acceptor(
            self.machine.id, endpoint or TcpEndpoint(), self.accept, self._endpoint_lost
        )
        self._host = SessionHost(
            source,
            self.machine.id,
            token=token,
            face=self._new_face,
            limits=limits,
            push=push_interval,
            admit=admit,
            allow=allow,
        )
        self._host.on_connection = self._on_connection
        self._host.on_opened = self._on_opened
        self.machine.bind(_Handlers(self), id="rpc-mux")
        self.machine.on_dispose(lambda _: self._shut(Code.STOPPED))
        source.on_dispose(lambda _: self._source_gone())

    @property
    def addr(self) -> str:
        """`host:port` where it listens; empty before."""
        return self._acceptor.addr

    @property
    def sessions(self) -> int:
        """How many clients have a session, connected or not."""
        return self._host.sessions

    @property
    def connections(self) -> int:
        """How many connections there are, those of unknown peers included."""
        return self._connections

    @property
    def is_ending(self) -> bool:
        """Whether clients need not come back."""
        return self._stopping or self.source.is_disposed

    async def start(self) -> None:
        """Acquire the endpoint and add Start; clients may come when this returns.

        Raises:
            OSError: If the address can't be bound; the mux may be started again.
        """
        await self._acceptor.acquire(self._failed)
        self.machine.add(MuxStates.Start)
        self._ready()

    async def stop(self) -> None:
        """Say goodbye for good, close the endpoint and dispose of the machines."""
        self._stopping = True
        self.machine.dispose()
        await self.machine.when_disposed()

    def accept(self, conn: Connection) -> None:
        """Serve on a connection, also one that somebody else made. Closed at once unless Start."""
        if self.machine.is_(MuxStates.Start):
            self._host.accept(conn)
        else:
            conn.close(1013, "not started")

    def _new_face(self, session: Session) -> ServerFace:
        self._count += 1
        machine = Machine(
            f"rs-{self.name}-{self._count}",
            ServerStates,
            parent=self.machine,
            tags=["rpc-server", f"client:{session.id}"],
        )
        for state in (ServerStates.Start, ServerStates.RpcAccepting, ServerStates.RpcReady):
            machine.add(state)
        face = ServerFace(machine)
        face.on_ended = machine.dispose
        return face

    def _on_opened(self) -> None:
        self.machine.add(MuxStates.ClientConnected)
        self.machine.add(MuxStates.HasClients)

    def _on_connection(self, count: int) -> None:
        self._connections = count
        if not count and not self.machine.is_disposed:
            self.machine.remove(MuxStates.HasClients)

    def _endpoint_lost(self) -> None:
        if not self._stopping and self.machine.is_(MuxStates.Start):
            self.machine.remove(MuxStates.Ready)
            self.machine.spawn(self._listen(), name=f"{self.machine.id} listens again")

    async def _listen(self) -> None:
        """Acquire the endpoint, with a pause between tries; Ready follows."""
        machine = self.machine
        while machine.is_(MuxStates.Start):
            try:
                await self._acceptor.acquire(self._failed)
            except OSError as error:
                _log.error("%s: can't listen: %s", machine.id, error)
                machine.add_err_state(MuxStates.ErrNetwork, error)
                await asyncio.sleep(_REBIND)
                continue
            self._ready()
            return

    def _ready(self) -> None:
        self.machine.remove(MuxStates.Exception)
        self.machine.add(MuxStates.Ready)

    def _failed(self, error: Exception) -> None:
        self.machine.add_err_state(MuxStates.ErrNetwork, error)

    def _source_gone(self) -> None:
        self._stopping = True
        self._host.stop(Code.STOPPED, "source was disposed of")
        self.machine.dispose()

    def _shut(self, code: Code) -> None:
        self._acceptor.release()
        self._host.stop(code, "mux stopped", 1.0)


class _Handlers:
    """Handlers of MuxStates."""

    def __init__(self, mux: Mux) -> None:
        self._mux = mux

    async def StartState(self, e: Event) -> None:
        """Get the endpoint, unless `start` did."""
        if not self._mux._acceptor.is_open:
            await self._mux._listen()

    def StartEnd(self, e: Event) -> None:
        """Close the endpoint; clients are asked to come back, unless this is the end."""
        self._mux._shut(Code.STOPPED if self._mux.is_ending else Code.AWAY)

    def ClientConnectedState(self, e: Event) -> None:
        """An event: its ticks count."""
        e.machine.remove(MuxStates.ClientConnected)

    def HasClientsExit(self, e: Event) -> bool:
        """It can't be taken away while somebody is connected."""
        ending = e.machine.not_(MuxStates.Start) or MuxStates.Start in e.transition.exits
        return ending or not self._mux.connections
