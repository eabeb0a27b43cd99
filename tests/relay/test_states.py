"""The relay's state sets against the recorded ones; the one difference is listed here."""

from __future__ import annotations

import pytest

from amctl.relay.states import RelayStates, TunnelStates

RELAY_NAMES = (
    "Exception",
    "HttpStarting",
    "HttpReady",
    "WsTunListenConn",
    "WsTunListenDisconn",
    "WsDialConn",
    "WsDialDisconn",
    "ErrNetwork",
    "ErrHandlerTimeout",
    "Start",
    "Ready",
    "Healthcheck",
    "Heartbeat",
    "RegisterDisposal",
    "Disposing",
    "Disposed",
    # the original has ErrGraph here
    "ConnectEvent",
    "ClientMsg",
    "DisconnectEvent",
    "InitClient",
)
RECORDED_RELAY_HASH = "14f696"
RECORDED_TUNNEL_HASH = "103de3"


def test_relay_has_the_recorded_names_but_err_graph() -> None:
    assert RelayStates.names() == RELAY_NAMES


def test_only_err_graph_keeps_the_relay_from_the_recorded_hash() -> None:
    schema = RelayStates.schema()
    assert schema.hash != RECORDED_RELAY_HASH
    names = list(schema.names)
    names.insert(names.index("ConnectEvent"), "ErrGraph")
    states = {name: schema.to_dict().get(name, {"require": ["Exception"]}) for name in names}
    assert type(schema).from_dict(states).hash == RECORDED_RELAY_HASH


def test_tunnel_equals_the_recorded_one() -> None:
    assert TunnelStates.schema().hash == RECORDED_TUNNEL_HASH
    assert TunnelStates.names() == (
        "Exception",
        "ErrClient",
        "ErrServer",
        "WebSocket",
        "TcpListen",
        "TcpListening",
        "TcpAccepted",
        "RegisterDisposal",
        "Disposing",
        "Disposed",
        "ErrNetwork",
        "ErrHandlerTimeout",
        "Start",
        "Ready",
        "Healthcheck",
        "Heartbeat",
    )


@pytest.mark.parametrize(
    ("state", "require"),
    [("HttpStarting", ("Start",)), ("HttpReady", ("Start",)), ("WsDialConn", ("HttpReady",))],
)
def test_rel_3_service_states_hang_on_each_other(state: str, require: tuple[str, ...]) -> None:
    assert RelayStates.schema()[state].require == require
