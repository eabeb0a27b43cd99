from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine
from amctl.rpc.client import Client
from amctl.rpc.errors import SourceContractError
from amctl.rpc.repl import address_file, repl_endpoint, repl_server
from amctl.rpc.transports.memory import memory_pair
from amctl.rpc.transports.tcp import dial_tcp
from amctl.states.basic import BasicStates
from tests.rpc.world import TOKEN, Plain

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.machine import Event
    from amctl.rpc.transports.base import Connection


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


async def test_rp_3_through_a_tunnel_it_is_a_single_server() -> None:
    machine = Machine("node", Plain)
    client = Client("repl-1", None, token=TOKEN)
    client.start()

    async def dial() -> Connection:
        near, far = memory_pair()
        client.attach(far)
        return near

    server = repl_server(machine, dial, TOKEN)
    assert (server.machine.id, server.machine.parent_id) == ("rs-repl-node", "node")
    assert server.machine.not_("Start")
    server.start()
    await client.machine.when("Ready")
    assert (await client.net.add("D")).executed
    await client.stop()
    await server.stop()
