from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine
from amctl.rpc.states import (
    ClientStates,
    ConsumerStates,
    MuxStates,
    ServerStates,
    SharedStates,
    SourceStates,
)
from tests.states.sets import check_set

if TYPE_CHECKING:
    from amctl.machine import States


@pytest.mark.parametrize(
    ("states", "name"),
    [
        (SourceStates, "rpc_state_source"),
        (ConsumerStates, "rpc_consumer"),
        (SharedStates, "rpc_shared"),
        (ServerStates, "rpc_server"),
        (ClientStates, "rpc_client"),
        (MuxStates, "rpc_mux"),
    ],
)
def test_it_equals_the_original(states: type[States], name: str) -> None:
    check_set(states, name)


def test_start_implies_connecting_and_rpc_starting() -> None:
    client, server = Machine("c", ClientStates), Machine("s", ServerStates)
    client.add("Start")
    server.add("Start")
    assert client.is_(("Start", "Connecting"))
    assert server.is_(("Start", "RpcStarting"))


def test_a_lost_connection_ends_the_handshake_of_a_client() -> None:
    client = Machine("c", ClientStates)
    for state in ("Start", "Connected", "HandshakeDone"):
        client.add(state)
    assert client.is_("Ready")
    client.add("Disconnected")
    assert client.not_(("HandshakeDone", "Ready", "Handshaking"))


def test_dropping_rpc_ready_ends_connection_and_handshake_of_a_server() -> None:
    server = Machine("s", ServerStates)
    for state in ("Start", "RpcReady", "ClientConnected", "HandshakeDone"):
        server.add(state)
    assert server.is_("Ready")
    server.add("RpcStarting")
    assert server.not_(("ClientConnected", "HandshakeDone", "Ready"))
