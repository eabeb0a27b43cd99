"""What shows the life of a mux: its machine, and the handlers that run its endpoint."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from amctl.machine import Machine
from amctl.rpc.states import MuxStates, ServerStates
from amctl.rpc.wire.codes import Code

if TYPE_CHECKING:
    from amctl.machine import Event, MachineView
    from amctl.rpc._acceptor import Acceptor
    from amctl.rpc.wire.session import Session

__all__ = ["ListenerFace", "MuxFace", "Owner", "TunnelFace"]

_log = logging.getLogger("amctl.rpc.mux")
_REBIND = 1.0


class Owner(Protocol):
    """What a face needs of its mux."""

    @property
    def acceptor(self) -> Acceptor: ...

    @property
    def connections(self) -> int: ...

    @property
    def is_ending(self) -> bool: ...

    def shut(self, code: Code) -> None: ...

    def turn_away(self) -> None: ...


class MuxFace(Protocol):
    """The machine of a mux, told of what happens."""

    machine: Machine

    def bind(self, owner: Owner) -> None:
        """Begin to act for a mux."""

    async def start(self) -> None:
        """Add Start, with the endpoint or to get it. Raises OSError if that can't be bound."""

    def lost(self, error: Exception | None) -> None:
        """The endpoint is gone, and not by our wish: get it again."""

    def opened(self) -> None:
        """A HELLO was accepted."""

    def connected(self, count: int) -> None:
        """So many connections there are now."""

    def usable(self, session: Session, yes: bool) -> None:
        """A client became fully usable, or is so no more."""


class ListenerFace:
    """`rm-<name>` with MuxStates: one listener, many clients."""

    def __init__(self, name: str, parent: MachineView | None) -> None:
        self.machine = Machine(f"rm-{name}", MuxStates, parent=parent, tags=["rpc-mux"])
        self._owner: Owner

    def bind(self, owner: Owner) -> None:
        """See MuxFace."""
        self._owner = owner
        handlers = {
            "StartState": self._on_start,
            "StartEnd": lambda e: _end(owner),
            "ClientConnectedState": lambda e: e.machine.remove(MuxStates.ClientConnected),
            "HasClientsExit": self._may_have_none,
        }
        self.machine.bind(handlers, id="rpc-mux")

    async def start(self) -> None:
        """See MuxFace."""
        await self._owner.acceptor.acquire(self._failed)
        self.machine.add(MuxStates.Start)
        self._ready()

    async def _on_start(self, e: Event) -> None:
        """Get the endpoint, unless `start` did."""
        if not self._owner.acceptor.is_open:
            await self._listen()

    def _may_have_none(self, e: Event) -> bool:
        """HasClients can't be taken away while somebody is connected."""
        ending = e.machine.not_(MuxStates.Start) or MuxStates.Start in e.transition.exits
        return ending or not self._owner.connections

    def lost(self, error: Exception | None) -> None:
        """See MuxFace."""
        self.machine.remove(MuxStates.Ready)
        self.machine.spawn(self._listen(), name=f"{self.machine.id} listens again")

    async def _listen(self) -> None:
        """Acquire the endpoint, with a pause between tries; Ready follows."""
        machine = self.machine
        while machine.is_(MuxStates.Start):
            try:
                await self._owner.acceptor.acquire(self._failed)
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

    def opened(self) -> None:
        """See MuxFace."""
        self.machine.add(MuxStates.ClientConnected)
        self.machine.add(MuxStates.HasClients)

    def connected(self, count: int) -> None:
        """See MuxFace."""
        if not count:
            self.machine.remove(MuxStates.HasClients)

    def usable(self, session: Session, yes: bool) -> None:
        """Shown by the session's own machine only."""


class TunnelFace:
    """`rs-<name>` with ServerStates: what a single server behind a relay looks like.

    It is RpcReady while the tunnel stands, ClientConnected and HandshakeDone while any client is
    so. Whose id that is tell the machines of the sessions.
    """

    def __init__(self, name: str, parent: MachineView | None) -> None:
        self.machine = Machine(f"rs-{name}", ServerStates, parent=parent, tags=["rpc-server"])
        self.machine.add(ServerStates.WebSocketTunnel)
        self._usable: set[Session] = set()
        self._owner: Owner

    def bind(self, owner: Owner) -> None:
        """See MuxFace."""
        self._owner = owner
        handlers = {
            "RpcStartingState": self._on_starting,
            "RpcReadyEnd": lambda e: None if owner.is_ending else owner.turn_away(),
            "StartEnd": lambda e: _end(owner),
        }
        self.machine.bind(handlers, id="rpc-mux")

    async def start(self) -> None:
        """See MuxFace. The relay may be away for long, so this doesn't wait for it."""
        self.machine.add(ServerStates.Start)

    async def _on_starting(self, e: Event) -> None:
        """Dial until there is a tunnel, then let clients in."""
        machine = e.machine
        await self._owner.acceptor.acquire(self._failed)
        machine.remove(ServerStates.Exception, source=e)
        machine.add(ServerStates.RpcAccepting, source=e)
        machine.add(ServerStates.RpcReady, source=e)

    def _failed(self, error: Exception) -> None:
        self.machine.add_err_state(ServerStates.ErrNetwork, error)

    def lost(self, error: Exception | None) -> None:
        """See MuxFace."""
        if error is not None:
            self._failed(error)
        self.machine.add(ServerStates.RpcStarting)

    def opened(self) -> None:
        """Shown by `connected` already."""

    def connected(self, count: int) -> None:
        """See MuxFace."""
        if count:
            self.machine.add(ServerStates.ClientConnected)
        else:
            self.machine.remove(ServerStates.ClientConnected)

    def usable(self, session: Session, yes: bool) -> None:
        """See MuxFace."""
        if yes:
            self._usable.add(session)
            self.machine.add(ServerStates.HandshakeDone)
        elif session in self._usable:
            self._usable.discard(session)
            if not self._usable and not self.machine.is_disposed:
                self.machine.remove(ServerStates.HandshakeDone)


def _end(owner: Owner) -> None:
    """Start is lost: close the endpoint; clients are asked to come back, unless this is the end."""
    owner.shut(Code.STOPPED if owner.is_ending else Code.AWAY)
