"""What the REPL's machine does in its states (repl.md section 3)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from amctl.repl.states import AAddresses, AClient, ReplStates
from amctl.states.disposed import DisposedHandlers

if TYPE_CHECKING:
    from amctl.machine import Event

__all__ = ["Pool", "PoolHandlers"]

_log = logging.getLogger("amctl.repl")
_S = ReplStates
_LEAVING = {_S.Disconnecting, _S.Disconnected}


class Pool(Protocol):
    """The connections, as the machine's handlers see them."""

    @property
    def may_start(self) -> bool:
        """Whether there is an address, or one may come."""

    @property
    def ready(self) -> int:
        """How many clients are ready."""

    @property
    def usable(self) -> int:
        """How many clients there are, those aside whose address can't be dialled at all."""

    @property
    def dialling(self) -> int:
        """How many are making a connection."""

    def connect_all(self) -> None:
        """Dial, wherever there is no connection."""

    def apply(self, change: AAddresses) -> None:
        """Take new addresses."""

    async def stop_all(self) -> None:
        """Stop all clients."""


class PoolHandlers(DisposedHandlers):
    """Handlers of ReplStates. Commands are no matter of theirs: those are events."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool

    def _settle(self, e: Event) -> None:
        """Bring the pool's states to what the clients are. What doesn't hold is refused below."""
        machine, pool = e.machine, self._pool
        machine.remove(_S.Connecting, source=e)
        if pool.ready:
            machine.add(_S.Connected, source=e)
            if pool.ready == pool.usable:
                machine.add(_S.ConnectedFully, source=e)
            else:
                machine.remove(_S.ConnectedFully, source=e)  # M6
        elif machine.is_((_S.Connected, _S.Connecting)):
            machine.remove(_S.Connected, source=e)  # Connecting's end tells what follows
        elif machine.is_(_S.Connected):
            machine.add(_S.Disconnected, source=e)

    # -- run flag and disposal

    def StartEnter(self, e: Event) -> bool:
        """M1."""
        return self._pool.may_start

    def StartState(self, e: Event) -> None:
        """The clients are there already, one for each address."""
        e.machine.add(_S.Connecting, source=e)

    # -- the pool

    def ConnectingState(self, e: Event) -> None:
        """M2."""
        self._pool.connect_all()
        self._settle(e)

    def ConnectingExit(self, e: Event) -> bool:
        """M2: while a client dials only the end of everything ends it."""
        return not self._pool.dialling or self._is_end(e)

    def ConnectingEnd(self, e: Event) -> None:
        """Whether anybody answered."""
        if not self._pool.ready and not self._is_end(e):
            e.machine.add(_S.Disconnected, source=e)

    def ConnectedEnter(self, e: Event) -> bool:
        """There must be somebody."""
        return self._pool.ready > 0

    def ConnectedExit(self, e: Event) -> bool:
        """M5."""
        return not self._pool.ready or self._is_end(e)

    def ConnectedFullyEnter(self, e: Event) -> bool:
        """M4."""
        return 0 < self._pool.ready == self._pool.usable

    async def DisconnectingState(self, e: Event) -> None:
        """M7."""
        await self._pool.stop_all()
        e.machine.add(_S.Disconnected, source=e)

    def _is_end(self, e: Event) -> bool:
        targets = set(e.transition.target_states)
        return bool(targets & _LEAVING) or _S.Start not in targets

    # -- what clients tell

    def RpcConnEnter(self, e: Event) -> bool:
        """Only a client may tell."""
        return e.source is not None

    def RpcConnState(self, e: Event) -> None:
        """M3."""
        args = e.args(AClient)
        e.machine.log("connected: %s (%s)", args.machine_id, args.client_id)
        e.machine.remove(_S.RpcConn, source=e)
        self._settle(e)

    def RpcDisconnEnter(self, e: Event) -> bool:
        """Only a client may tell."""
        return e.source is not None

    def RpcDisconnState(self, e: Event) -> None:
        """M6."""
        args = e.args(AClient)
        e.machine.log("disconnected: %s (%s)", args.machine_id, args.client_id)
        e.machine.remove(_S.RpcDisconn, source=e)
        self._settle(e)

    def ErrNetworkState(self, e: Event) -> None:
        """An event: its ticks count what went wrong. Left active it would refuse ConnectedFully."""
        client = e.source.machine_id if e.source is not None else e.machine.id
        _log.info("%s failed: %s", client, e.machine.err)
        e.machine.log("error of %s: %s", client, e.machine.err)
        e.machine.remove((_S.ErrNetwork, _S.Exception), source=e)
        self._settle(e)

    # -- addresses

    def AddrChangedState(self, e: Event) -> None:
        """F6: only those clients are touched whose address is another one now."""
        self._pool.apply(e.args(AAddresses))
        e.machine.remove(_S.AddrChanged, source=e)
        if self._pool.dialling:
            e.machine.add(_S.Connecting, source=e)
        self._settle(e)
