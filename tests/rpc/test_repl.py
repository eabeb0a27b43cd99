from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine, registry
from amctl.rpc.client import Client
from amctl.rpc.errors import SourceContractError
from amctl.rpc.repl import address_file, repl_endpoint, repl_server
from amctl.rpc.states import ServerStates
from amctl.rpc.transports.tcp import dial_tcp
from amctl.states.basic import BasicStates
from tests.rpc.tunnels import MemoryRelay
from tests.rpc.world import TOKEN, Plain, turn

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.machine import Event


@pytest.mark.realtime
async def test_rp_1_rp_2_rp_4_the_file_leads_to_the_machine_and_goes_with_the_mux(
    tmp_path: Path,
) -> None:
    machine = Machine("node", Plain)
    mux = repl_endpoint(machine, addr_dir=tmp_path / "deep", token=TOKEN)
    file = tmp_path / "deep" / "node-repl.addr"
    assert (mux.machine.id, mux.machine.parent_id) == ("rm-repl-node", "node")
    assert not file.exists()
    await mux.start()
    host, port = file.read_text().split(":")
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    client = Client("repl-1", None, token=TOKEN, dial=lambda: dial_tcp(host, int(port)))
    client.start()
    await client.machine.when("Ready", timeout=5)
    await client.net.add("D")
    assert machine.is_("D")
    await client.stop()
    await mux.stop()
    assert not file.exists()


@pytest.mark.realtime
async def test_the_file_goes_with_the_machine_and_another_process_keeps_its_own(
    tmp_path: Path,
) -> None:
    machine = Machine("node", Plain)
    mux = repl_endpoint(machine, addr_dir=tmp_path, token=TOKEN)
    await mux.start()
    file = address_file(tmp_path, "node")
    assert file.exists()
    file.write_text("127.0.0.1:1")
    machine.dispose()
    await mux.machine.when_disposed()
    assert file.read_text() == "127.0.0.1:1"


@pytest.mark.realtime
async def test_the_file_follows_the_listener(tmp_path: Path) -> None:
    mux = repl_endpoint(Machine("node", Plain), addr="1", addr_dir=tmp_path, token=TOKEN)
    await mux.start()
    file = address_file(tmp_path, "node")
    listener = mux._acceptor._listener
    assert listener is not None
    listener.close()
    assert not file.exists()
    await mux.machine.when("Ready", timeout=5)
    assert file.read_text() == mux.addr
    await mux.stop()


@pytest.mark.parametrize("id", ["../up", "a/b", "", ".hidden", "x" * 65, "null\0"])
def test_ids_never_reach_the_file_system_unchecked(tmp_path: Path, id: str) -> None:
    with pytest.raises(ValueError, match="can't name a file"):
        address_file(tmp_path, id)
    with pytest.raises(ValueError, match="can't name a file"):
        repl_endpoint(Machine(id or " ", Plain), addr_dir=tmp_path, token=TOKEN)


@pytest.mark.parametrize("addr", ["nowhere", ":1", "host:", "host:x", "host:70000"])
def test_a_bad_address_is_refused(addr: str) -> None:
    with pytest.raises(ValueError, match="not host:port"):
        repl_endpoint(Machine("m", Plain), addr=addr, token=TOKEN)


def test_rp_1_the_contract_is_checked() -> None:
    class Handlers:
        def StartState(self, e: Event) -> None:
            pass

    with pytest.raises(SourceContractError):
        repl_endpoint(Machine("m", BasicStates, handlers=Handlers()), token=TOKEN)


async def test_rp_3_through_a_tunnel_it_looks_like_a_single_server_until_somebody_comes() -> None:
    machine, relay = Machine("node", Plain), MemoryRelay()
    door = repl_server(machine, relay.dial, TOKEN)
    assert (door.machine.id, door.machine.parent_id) == ("rs-repl-node", "node")
    assert set(door.machine.names) == set(ServerStates.names())
    assert door.machine.is_("WebSocketTunnel")
    assert door.machine.not_("Start")
    await door.start()
    await door.machine.when("RpcReady")
    assert below(door.machine) == []
    await door.stop()
    assert door.machine.is_disposed
    assert machine.tracers == ()


async def test_rp_3_repls_share_a_tunnel_and_one_that_leaves_harms_nobody() -> None:
    machine, relay = Machine("node", Plain), MemoryRelay()
    door = repl_server(machine, relay.dial, TOKEN)
    await door.start()
    await door.machine.when("RpcReady")
    one, two = await relay.client("repl-1"), await relay.client("repl-2")
    assert below(door.machine) == ["rs-repl-node-1", "rs-repl-node-2"]
    assert door.machine.is_(["ClientConnected", "HandshakeDone", "Ready"])
    assert (await one.net.add("D")).executed
    await two.net.when("D", timeout=1)
    await one.stop()
    await turn()
    assert below(door.machine) == ["rs-repl-node-2"]
    assert door.machine.is_("Ready")
    assert (await two.net.add("A")).executed
    assert machine.is_(["A", "D"])
    await two.stop()
    await turn()
    assert below(door.machine) == []
    assert door.machine.not_("HandshakeDone")
    assert door.machine.not_("ClientConnected")
    assert relay.dials == [0.0]
    await door.stop()


def below(machine: Machine) -> list[str]:
    """Ids of the living children of a machine."""
    return sorted(m.id for m in registry.live() if m.parent_id == machine.id)
