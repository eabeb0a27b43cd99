"""A mux: one endpoint, many clients of one source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.machine import Machine
from amctl.rpc._acceptor import Acceptor
from amctl.rpc._host import SessionHost
from amctl.rpc._mux_face import ListenerFace, MuxFace, TunnelFace
from amctl.rpc._server_face import ServerFace
from amctl.rpc.endpoints import AttachEndpoint, ListenEndpoint, TcpEndpoint, TunnelEndpoint
from amctl.rpc.server import PUSH_INTERVAL, check_source
from amctl.rpc.states import ServerStates
from amctl.rpc.wire.codes import Code
from amctl.rpc.wire.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import MachineView
    from amctl.rpc.traffic import Traffic
    from amctl.rpc.transports.base import Connection
    from amctl.rpc.wire.session import Allow, Session

__all__ = ["Mux"]


class Mux:
    """Serves `source` to every client that has the token; its machine is `rm-<name>` (MuxStates).

    On a TunnelEndpoint it is `rs-<name>` (ServerStates), as if a single server stood behind the
    relay.

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
        endpoint: TcpEndpoint | ListenEndpoint | TunnelEndpoint | AttachEndpoint | None = None,
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
        endpoint = endpoint or TcpEndpoint()
        make_face = TunnelFace if isinstance(endpoint, TunnelEndpoint) else ListenerFace
        self._face: MuxFace = make_face(name, parent)
        self.machine = self._face.machine
        self._count = 0
        self._connections = 0
        self._stopping = False
        self._acceptor = Acceptor(self.machine.id, endpoint, self.accept, self._endpoint_lost)
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
        self._face.bind(self)
        self.machine.on_dispose(lambda _: self.shut(Code.STOPPED))
        source.on_dispose(lambda _: self._source_gone())

    @property
    def addr(self) -> str:
        """`host:port` where it listens; empty before, and behind a relay."""
        return self._acceptor.addr

    @property
    def acceptor(self) -> Acceptor:
        """Gets the endpoint, for the mux's own machine."""
        return self._acceptor

    @property
    def sessions(self) -> int:
        """How many clients have a session, connected or not."""
        return self._host.sessions

    @property
    def call_count(self) -> int:
        """Calls and notes run so far, of all clients."""
        return self._host.call_count

    @property
    def traffic(self) -> Traffic:
        """What went over its connections so far."""
        return self._host.traffic

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

        A tunnel is dialled in the background: RpcReady of the machine tells when it stands.

        Raises:
            OSError: If the address can't be bound; the mux may be started again.
        """
        await self._face.start()

    async def stop(self) -> None:
        """Say goodbye for good, close the endpoint and dispose of the machines."""
        self._stopping = True
        self.machine.dispose()
        await self.machine.when_disposed()

    def accept(self, conn: Connection) -> None:
        """Serve on a connection, also one that somebody else made. Closed at once unless Start."""
        if self.machine.is_(ServerStates.Start):
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
        face.on_usable = lambda yes: self._face.usable(session, yes)
        return face

    def _on_opened(self) -> None:
        self._acceptor.served()
        self._face.opened()

    def _on_connection(self, count: int) -> None:
        self._connections = count
        if not self.machine.is_disposed:
            self._face.connected(count)

    def _endpoint_lost(self) -> None:
        if not self._stopping and self.machine.is_(ServerStates.Start):
            self._face.lost(self._acceptor.error)

    def _source_gone(self) -> None:
        self._stopping = True
        self._host.stop(Code.STOPPED, "source was disposed of")
        self.machine.dispose()

    def shut(self, code: Code) -> None:
        """Close the endpoint and say goodbye, for the mux's own machine."""
        self._acceptor.release()
        self._host.stop(code, "mux stopped", 1.0)

    def turn_away(self) -> None:
        """Nobody can be served now: ask clients to come back, for the mux's own machine."""
        self._host.stop(Code.AWAY, "restarting")
