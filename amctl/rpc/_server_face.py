"""A client's life as states of a server machine."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amctl.rpc.errors import RefusedByServerError
from amctl.rpc.states import ServerStates
from amctl.rpc.wire.codes import Code

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import Machine
    from amctl.rpc.wire.events import Closed
    from amctl.rpc.wire.session import Session

__all__ = ["ServerFace"]

_log = logging.getLogger("amctl.rpc.server")


class ServerFace:
    """Drives ClientConnected, Handshaking and HandshakeDone of a machine with ServerStates."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.on_ended: Callable[[], None] = lambda: None
        self.on_usable: Callable[[bool], None] = lambda _: None
        self._client_id = ""

    def opened(self, session: Session, resumed: bool) -> None:
        """A HELLO was accepted and answered."""
        _log.info("%s: %s %s", self.machine.id, session.id, "is back" if resumed else "connected")
        self._client_id = session.id
        self.machine.remove(ServerStates.HandshakeDone)
        self.machine.add((ServerStates.ClientConnected, ServerStates.Handshaking))

    def usable(self) -> None:
        """The client has the answer. Its id goes along, by which tools find the other end."""
        self.machine.add(ServerStates.HandshakeDone, {"id": self._client_id})
        self.on_usable(True)

    def synced(self) -> None:
        """The client asked for the present clock."""
        self.machine.add(ServerStates.MetricSync)

    def detached(self, closed: Closed | None, error: Exception | None) -> None:
        """The client's connection is over; its session may live on."""
        machine = self.machine
        self.on_usable(False)
        if machine.is_disposed:
            return
        machine.remove((ServerStates.HandshakeDone, ServerStates.Handshaking))
        if closed is not None and closed.code not in (Code.OK, Code.STOPPED, Code.AWAY):
            what = RefusedByServerError(machine.id, closed.code, closed.text)
            timed_out = closed.code == Code.TIMEOUT
            state = ServerStates.ErrNetworkTimeout if timed_out else ServerStates.ErrRpc
            machine.add_err_state(state, what)
        elif error is not None:
            machine.add_err_state(ServerStates.ErrNetwork, error)

    def ended(self) -> None:
        """The session is gone."""
        self.on_usable(False)
        self.on_ended()
