"""States of the REPL's own machine: how its connections are, and what it is told to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.machine import Args, State, States
from amctl.states.basic import BasicStates
from amctl.states.disposed import DisposedStates

if TYPE_CHECKING:
    from amctl.repl.finding import Found

__all__ = ["AAddresses", "AClient", "ConnPoolStates", "ReplStates"]


class ConnPoolStates(States):
    """Many connections, seen as one. To be merged into a machine that has Start.

    # differs from Go: Connecting removes Disconnected, and Disconnected removes Connected. Else an
    # active Disconnected would refuse the next Connecting.
    """

    ErrConnecting = State(require=["Exception"])
    """An address can't be dialled at all."""

    Connecting = State(require=["Start"], remove=["Disconnecting", "Disconnected"])
    """Clients dial, for the first time or because they were told to again."""

    Connected = State(require=["Start"], remove=["Disconnected"])
    """At least one client is ready."""

    ConnectedFully = State(require=["Connected"], remove=["Disconnected"])
    """All clients are ready."""

    Disconnecting = State(remove=["ConnectedFully", "Connected", "Connecting"])
    """Clients are being stopped."""

    Disconnected = State(remove=["Connecting", "Connected", "ConnectedFully", "Disconnecting"])
    """No client is ready, and none is being told to dial."""


class ReplStates(ConnPoolStates, DisposedStates, BasicStates):
    """The REPL's machine."""

    RpcConn = State(multi=True)
    """An event: a client became ready."""

    RpcDisconn = State(multi=True)
    """An event: a client is ready no more."""

    CmdAdd = State(multi=True, require=["Connected"])
    """An event: states are to be added."""

    CmdRemove = State(multi=True, require=["Connected"])
    """An event: states are to be removed."""

    CmdGroupAdd = State(multi=True, require=["Connected"])
    """An event: states are to be added to a group."""

    CmdGroupRemove = State(multi=True, require=["Connected"])
    """An event: states are to be removed from a group."""

    CmdList = State(multi=True, require=["Connected"])
    """An event: machines are listed."""

    CmdScript = State(multi=True, require=["Connected"])
    """An event: a script runs."""

    CmdWhen = State(multi=True, require=["Connected"])
    """An event: somebody waits for states to be active."""

    CmdWhenNot = State(multi=True, require=["Connected"])
    """An event: somebody waits for states to be inactive."""

    CmdWhenTime = State(multi=True, require=["Connected"])
    """An event: somebody waits for ticks."""

    CmdInspect = State(multi=True, require=["Connected"])
    """An event: a machine is shown in full."""

    CmdStatus = State(multi=True, require=["Connected"])
    """An event: connections are counted."""

    ListMachines = State(multi=True, require=["Start"])
    """An event: machines are chosen by filters."""

    AddrChanged = State(multi=True, require=["Start"])
    """An event: these are the addresses now, see AAddresses."""

    ReplMode = State()
    """Somebody sits at the prompt."""

    ErrSyntax = State(multi=True, require=["Exception"])
    """A command line couldn't be understood."""

    ErrNetwork = State.override(multi=True, require=["Exception"], remove=["ConnectedFully"])
    """A client failed."""


@dataclass(frozen=True)
class AAddresses(Args):
    """Arguments of AddrChanged. Local only."""

    found: tuple[Found, ...] = ()
    """All addresses, in order."""
    touched: frozenset[str] = frozenset()
    """Keys of files that were written, whether or not they say something new."""
    token_changed: bool = False
    """A token file was written."""


@dataclass(frozen=True)
class AClient(Args):
    """Arguments of RpcConn and RpcDisconn."""

    client_id: str = ""
    """Id of the client's machine."""
    machine_id: str = ""
    """Id of the machine behind it."""
