"""The relay's machines tell what happens, and their end is always reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine
from amctl.relay.bridge import Ending
from amctl.relay.ledger import Ledger
from amctl.relay.security import Target
from amctl.relay.states import RelayStates, TunnelStates
from amctl.states.disposed import DisposedHandlers

if TYPE_CHECKING:
    from amctl.machine import Event

ADDRESS = Target("127.0.0.1", 14010)


@pytest.fixture
def relay() -> Machine:
    machine = Machine("relay-x", RelayStates, handlers=DisposedHandlers())
    machine.add([RelayStates.Start, RelayStates.HttpReady])
    return machine


async def test_connections_are_counted_with_their_names(relay: Machine) -> None:
    from amctl.relay.states import AWsTunListenConn

    seen: list[AWsTunListenConn] = []

    class Handlers:
        def WsTunListenConnState(self, e: Event) -> None:
            seen.append(e.args(AWsTunListenConn))

    relay.bind(Handlers())
    ledger = Ledger(relay)
    for kind in ("listen", "dial"):
        ledger.opened(kind, "browser1", ADDRESS)
        ledger.opened(kind, "browser2", ADDRESS)
        ledger.closed(kind, "browser1", ADDRESS)
    assert [item.id for item in seen] == ["browser1", "browser2"]
    assert seen[0].addr == "127.0.0.1:14010"
    names = ("WsTunListenConn", "WsTunListenDisconn", "WsDialConn", "WsDialDisconn")
    # a multi state's tick grows by one when it activates and by two each time after that
    assert [relay.tick(name) for name in names] == [3, 1, 3, 1]


async def test_failure_leaves_the_relay_running(relay: Machine) -> None:
    Ledger(relay).failed(ConnectionResetError("gone"))
    assert relay.is_(RelayStates.ErrNetwork)
    assert relay.is_(RelayStates.HttpReady)


async def test_tunnels_are_numbered_children(relay: Machine) -> None:
    ledger = Ledger(relay)
    first, second = ledger.tunnel()._machine, ledger.tunnel()._machine
    assert [first.id, second.id] == ["relay-x-wt-0", "relay-x-wt-1"]
    assert first.parent_id == "relay-x"
    assert "relay" in first.tags


async def test_tunnel_machine_follows_its_tunnel(relay: Machine) -> None:
    record = Ledger(relay).tunnel()
    machine = record._machine
    assert machine.is_([TunnelStates.Start, TunnelStates.WebSocket, TunnelStates.TcpListen])
    record.listening(ADDRESS)
    assert machine.is_(TunnelStates.TcpListening)
    assert machine.not_(TunnelStates.TcpListen)
    record.accepted("127.0.0.1:5")
    assert machine.is_([TunnelStates.TcpAccepted, TunnelStates.Ready])
    record.ended(Ending("ba", "b"))
    assert not machine.is_err()
    await record.dispose()
    assert machine.is_disposed


@pytest.mark.parametrize("direction", ["ab", "ba"])
async def test_rel_w7_disposing_wins_over_the_error(relay: Machine, direction: str) -> None:
    record = Ledger(relay).tunnel()
    machine = record._machine
    record.listening(ADDRESS)
    record.accepted("127.0.0.1:5")
    record.ended(Ending(direction, "a", ConnectionResetError("gone")))
    assert machine.is_err()
    machine.add(TunnelStates.Disposing)
    assert machine.not_(TunnelStates.Exception) or machine.is_disposed
    await record.dispose()
    assert machine.is_disposed


async def test_tunnel_that_cannot_bind_is_disposed(relay: Machine) -> None:
    record = Ledger(relay).tunnel()
    record.failed(OSError("in use"))
    assert record._machine.is_(TunnelStates.ErrNetwork)
    await record.dispose()
    assert record._machine.is_disposed
    await record.dispose()
