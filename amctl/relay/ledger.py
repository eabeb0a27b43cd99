"""What the relay's state machines are told.

They are for eyes: tools, logs, pipes. The coroutines of the tunnels are right without them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Literal

from amctl.machine import Machine
from amctl.relay.states import (
    ATcpAccepted,
    ATcpListening,
    AWsDialConn,
    AWsDialDisconn,
    AWsTunListenConn,
    AWsTunListenDisconn,
    RelayStates,
    TunnelStates,
)
from amctl.states.disposed import DisposedHandlers, DisposedStates

if TYPE_CHECKING:
    from amctl.relay.bridge import Ending
    from amctl.relay.security import Target

__all__ = ["Kind", "Ledger", "TunnelRecord", "dispose"]

Kind = Literal["listen", "dial"]
_DISPOSE_TIMEOUT = 2.0

_log = logging.getLogger("amctl.relay")


async def dispose(machine: Machine) -> None:
    """Dispose of a machine with DisposedStates in order, by force if that takes too long."""
    machine.add(DisposedStates.Disposing)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DISPOSE_TIMEOUT):
                await machine.when_disposed()
    finally:
        if not machine.is_disposed:
            machine.dispose()


class TunnelRecord:
    """The machine of one listen tunnel: `<relay id>-wt-<n>`, child of the relay's."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        machine.add(TunnelStates.Start)

    def listening(self, address: Target) -> None:
        """The port is bound."""
        self._machine.add(TunnelStates.TcpListening, ATcpListening(str(address)))

    def accepted(self, peer: str) -> None:
        """A TCP peer came."""
        self._machine.add(TunnelStates.TcpAccepted, ATcpAccepted(peer))

    def left(self) -> None:
        """No TCP peer is there any more."""
        self._machine.remove(TunnelStates.TcpAccepted)

    def failed(self, error: Exception) -> None:
        """The port can't be bound."""
        self._machine.add_err_state(TunnelStates.ErrNetwork, error)

    def ended(self, ending: Ending) -> None:
        """The bridge is over. `dispose` follows, whatever becomes of the error's states.

        ErrClient and ErrServer require Exception and bring Disposing, which removes it: the
        original's hazard. So the error goes in as Exception, which Disposing may remove.
        """
        if ending.error is not None:
            _log.info("%s: %s", self._machine.id, ending.error)
            self._machine.add_err(ending.error)

    async def dispose(self) -> None:
        """Dispose of the machine in order, by force if that takes too long."""
        await dispose(self._machine)


class Ledger:
    """Keeps the relay's machine in step with its connections."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._tunnels = 0

    def opened(self, kind: Kind, machine_id: str, target: Target) -> None:
        """A tunnel or dial was admitted."""
        if kind == "listen":
            args = AWsTunListenConn(machine_id, str(target))
            self._machine.add(RelayStates.WsTunListenConn, args)
        else:
            self._machine.add(RelayStates.WsDialConn, AWsDialConn(machine_id, str(target)))

    def closed(self, kind: Kind, machine_id: str, target: Target) -> None:
        """It is over; called once for each `opened`."""
        if kind == "listen":
            args = AWsTunListenDisconn(machine_id, str(target))
            self._machine.add(RelayStates.WsTunListenDisconn, args)
        else:
            self._machine.add(RelayStates.WsDialDisconn, AWsDialDisconn(machine_id, str(target)))

    def failed(self, error: Exception) -> None:
        """Something of the network failed; the relay goes on."""
        self._machine.add_err_state(RelayStates.ErrNetwork, error)

    def tunnel(self) -> TunnelRecord:
        """Make the machine of a new tunnel; its number is never used again."""
        name = f"{self._machine.id}-wt-{self._tunnels}"
        self._tunnels += 1
        handlers = DisposedHandlers()
        return TunnelRecord(
            Machine(name, TunnelStates, handlers=handlers, parent=self._machine, tags=("relay",))
        )
