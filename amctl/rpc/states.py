"""State sets of the network's own machines, and the contracts of their users."""

from __future__ import annotations

from typing import ClassVar

from amctl.machine import State, States
from amctl.states.basic import BasicStates
from amctl.states.connected import ConnectedStates

__all__ = [
    "ClientStates",
    "ConsumerStates",
    "MuxStates",
    "ServerStates",
    "SharedStates",
    "SourceStates",
]

_HANDSHAKE = ("Handshaking", "HandshakeDone")
_RPC = ("RpcStarting", "RpcAccepting", "RpcReady")
_CONNECTED = ConnectedStates.groups["Connected"]


class SourceStates(States):
    """The contract of a machine that is served: clients can tell it what went wrong at theirs."""

    ErrOnClient = State(require=["Exception"])
    """A client of this machine added an error."""


class ConsumerStates(States):
    """The contract of a machine that gets payloads."""

    ServerPayload = State(multi=True)
    """A payload arrived, see APayload. The handler should remove the state."""


class SharedStates(BasicStates, SourceStates):
    """What client and server have in common."""

    groups: ClassVar[dict[str, tuple[str, ...]]] = {"Handshake": _HANDSHAKE}

    ErrNetworkTimeout = State(require=["Exception"])
    """The peer did not answer in time."""

    ErrRpc = State(require=["Exception"])
    """The peer broke the protocol, or refused."""

    ErrDelivery = State(require=["Exception"])
    """A payload could not be handed over."""

    HandshakeDone = State(require=["Start"], remove=_HANDSHAKE)
    """The client is fully usable."""

    Handshaking = State(require=["Start"], remove=_HANDSHAKE)
    """Hello was sent, or answered."""

    ErrNetwork = State.override(require=["Exception"])
    """The connection failed."""


class ServerStates(SharedStates):
    """One source, served to one client at a time."""

    groups: ClassVar[dict[str, tuple[str, ...]]] = {"Rpc": _RPC}

    Ready = State(auto=True, require=["HandshakeDone", "RpcReady"])
    """A client is there and fully usable."""

    RpcStarting = State(require=["Start"], remove=_RPC)
    """Acquiring the endpoint: binding, or dialling a relay."""

    RpcAccepting = State(require=["Start"], remove=_RPC)
    """The endpoint is there."""

    RpcReady = State(require=["Start"], remove=_RPC)
    """Clients may come."""

    ClientConnected = State(require=["RpcReady"])
    """A transport connection of the client exists."""

    HandshakeDone = State(
        require=["Start", "ClientConnected"], remove=["Handshaking", "HandshakeDone", "Exception"]
    )
    """The client is fully usable, so payloads reach it."""

    MetricSync = State(multi=True)
    """Its ticks count the full clocks served because the client asked."""

    WebSocketTunnel = State()
    """The endpoint is a tunnel through a relay."""

    ErrNetwork = State.override(require=["Exception"], remove=["ClientConnected"])
    """The connection failed."""

    Start = State.override(add=["RpcStarting"])
    """The run flag."""


class ClientStates(SharedStates, ConnectedStates):
    """The mirror's side of one connection."""

    RetryingCall = State(require=["Start"])
    """A call waits longer than it should: it was sent, or will be once the connection is back."""

    CallRetryFailed = State(add=["ErrNetwork", "Exception"], remove=["RetryingCall"])
    """A call was given up."""

    RetryingConn = State(require=["Start"])
    """Waiting to dial again."""

    ConnRetryFailed = State(remove=["Start"])
    """Terminal: dialling was given up, or the server refused for good."""

    Ready = State(auto=True, require=["HandshakeDone"])
    """The mirror is live."""

    HandshakeDone = State(require=["Start", "Connected"], remove=_HANDSHAKE)
    """The server answered, the mirror has its clock."""

    ServerDelivering = State(multi=True, require=["Connected"])
    """A payload is being announced."""

    ServerPayload = State(multi=True, require=["Connected"])
    """A payload arrived."""

    MetricSync = State(multi=True)
    """Its ticks count the full clocks asked for."""

    Handshaking = State.override(require=["Start", "Connected"], remove=_HANDSHAKE)
    """Hello was sent."""

    ErrNetwork = State.override(require=["Exception"], remove=["Connecting"])
    """The connection failed."""

    Start = State.override(add=["Connecting"], remove=["ConnRetryFailed"])
    """The run flag."""

    Connected = State.override(
        require=["Start"], add=["Handshaking"], remove=[*_CONNECTED, "RetryingConn"]
    )
    """The transport connection stands."""


class MuxStates(BasicStates):
    """One listener, many clients."""

    Exception = State.override(multi=True, remove=["Ready"])
    """Something failed."""

    Ready = State(require=["Start"])
    """Accepting."""

    ClientConnected = State(multi=True, require=["Start"])
    """An event: a client came. Removes itself."""

    HasClients = State(require=["Start"])
    """At least one client is connected."""

    NewServerErr = State()
    """A client's server could not be made."""
