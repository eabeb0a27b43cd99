"""State sets of the relay's machines, and the arguments that travel with their states."""

from __future__ import annotations

from dataclasses import dataclass

from amctl.machine import Args, State, States
from amctl.states.basic import BasicStates
from amctl.states.disposed import DisposedStates

__all__ = [
    "ATcpAccepted",
    "ATcpListening",
    "AWsDialConn",
    "AWsDialDisconn",
    "AWsTunListenConn",
    "AWsTunListenDisconn",
    "IntakeStates",
    "RelayStates",
    "TunnelStates",
]


class IntakeStates(States):
    """Telemetry that others send here. The relay has them for those who mount an intake."""

    ConnectEvent = State(multi=True, require=["Start"])
    """A machine introduced itself."""

    ClientMsg = State(multi=True, require=["Start"])
    """Transitions arrived."""

    DisconnectEvent = State(multi=True, require=["Start"])
    """A sender is gone."""

    InitClient = State(multi=True, require=["Start"])
    """A new machine is known."""


class RelayStates(BasicStates, DisposedStates, IntakeStates):
    """The relay. Connections are counters: multi states whose ticks count what opened and closed.

    differs from Go: no ErrGraph, which the original inherits and never uses.
    """

    HttpStarting = State(require=["Start"], remove=["HttpReady"])
    """The address is being bound."""

    HttpReady = State(require=["Start"], remove=["HttpStarting"])
    """The address is bound and every route answers. Its end stops the server."""

    WsTunListenConn = State(multi=True, require=["HttpReady"])
    """A listen tunnel was opened."""

    WsTunListenDisconn = State(multi=True, require=["HttpReady"])
    """A listen tunnel is over."""

    WsDialConn = State(multi=True, require=["HttpReady"])
    """A dial was opened."""

    WsDialDisconn = State(multi=True, require=["HttpReady"])
    """A dial is over."""


class TunnelStates(DisposedStates, BasicStates):
    """One listen tunnel that ends in a TCP port: it binds, serves its peers, and disposes."""

    ErrClient = State(require=["Exception"], add=["Disposing"])
    """Copying from the WebSocket to TCP failed."""

    ErrServer = State(require=["Exception"], add=["Disposing"])
    """Copying from TCP to the WebSocket failed."""

    WebSocket = State()
    """The WebSocket lives."""

    TcpListen = State(require=["WebSocket"], remove=["TcpListening"])
    """The port is being bound."""

    TcpListening = State(require=["Start", "WebSocket"], remove=["TcpListen"])
    """The port is bound."""

    TcpAccepted = State(require=["TcpListening"], add=["Ready"])
    """A TCP peer is there, or several on a tunnel with channels."""

    Start = State.override(add=["TcpListen", "WebSocket"])
    """The run flag."""

    Ready = State.override(require=["TcpAccepted"])
    """Bytes flow."""


@dataclass(frozen=True)
class _AVisit(Args):
    id: str = ""
    """The machine id of the path."""
    addr: str = ""
    """The address of the path."""


@dataclass(frozen=True)
class AWsTunListenConn(_AVisit):
    """Which listen tunnel was opened."""


@dataclass(frozen=True)
class AWsTunListenDisconn(_AVisit):
    """Which listen tunnel is over."""


@dataclass(frozen=True)
class AWsDialConn(_AVisit):
    """Which dial was opened."""


@dataclass(frozen=True)
class AWsDialDisconn(_AVisit):
    """Which dial is over."""


@dataclass(frozen=True)
class ATcpListening(Args):
    """Where the tunnel listens."""

    addr: str = ""
    """`host:port` that was really bound."""


@dataclass(frozen=True)
class ATcpAccepted(Args):
    """Who came."""

    peer: str = ""
    """`host:port` of the peer."""
