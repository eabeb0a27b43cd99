from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine, registry
from amctl.rpc.client import Client
from amctl.rpc.endpoints import AttachEndpoint, ListenEndpoint, TcpEndpoint, TunnelEndpoint
from amctl.rpc.errors import RefusedByServerError
from amctl.rpc.mux import Mux
from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from amctl.rpc.transports.tcp import dial_tcp
from amctl.rpc.transports.websocket import dial_websocket, listen_websocket
from tests.rpc.tunnels import MemoryRelay
from tests.rpc.world import TOKEN, TRANSPORTS, Plain, Rel, turn

if TYPE_CHECKING:
    from amctl.rpc.transports.base import Connection


class Many:
    """A mux and its clients on one transport."""

    def __init__(self, transport: str, **options: object) -> None:
        self.source = Machine("src", Rel)
        self.transport = transport
        endpoint = {
            "memory": AttachEndpoint(),
            "tcp": TcpEndpoint(),
            "websocket": ListenEndpoint(
                lambda accept, port: listen_websocket("127.0.0.1", port, accept)
            ),
        }[transport]
        self.mux = Mux(self.source, "m", endpoint, token=TOKEN, parent=self.source, **options)  # type: ignore[arg-type]
        self.ends: list[MemoryConnection] = []

    async def dial(self) -> Connection:
        if self.transport == "memory":
            near, far = memory_pair()
            self.mux.accept(far)
            self.ends.append(near)
            return near
        host, port = self.mux.addr.split(":")
        if self.transport == "tcp":
            return await dial_tcp(host, int(port))
        return await dial_websocket(f"ws://{host}:{port}/")

    async def client(self, name: str, **options: object) -> Client:
        options.setdefault("token", TOKEN)
        client = Client(name, Rel, dial=self.dial, **options)  # type: ignore[arg-type]
        client.start()
        await client.machine.when("Ready", timeout=5)
        return client


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_x_7_three_clients_see_what_one_of_them_does(transport: str) -> None:
    many = Many(transport)
    await many.mux.start()
    assert many.mux.machine.is_("Ready")
    clients = [await many.client(f"c{n}") for n in range(3)]
    await clients[1].net.add("C")
    for client in clients:
        await client.net.when("A", "C", timeout=5)
    assert many.mux.machine.is_("HasClients")
    assert many.mux.machine.tick("ClientConnected") == 6
    assert many.mux.sessions == 3
    for client in clients:
        await client.stop()
    await many.mux.machine.when_not("HasClients", timeout=5)
    await many.mux.stop()


def faces(prefix: str = "rs-m-") -> list[str]:
    return sorted(m.id for m in registry.live() if m.id.startswith(prefix))


async def test_x_2_n_3_each_session_has_a_machine_that_is_disposed_with_it() -> None:
    many = Many("memory")
    await many.mux.start()
    first, second = await many.client("c1"), await many.client("c2")
    await turn()
    assert faces() == ["rs-m-1", "rs-m-2"]
    face = registry.find("rs-m-1")
    assert face is not None
    assert face.is_(["Ready", "HandshakeDone", "ClientConnected"])
    assert face.parent_id == "rm-m"
    await first.stop()
    await turn()
    assert faces() == ["rs-m-2"]
    third = await many.client("c3")
    await turn()
    assert faces() == ["rs-m-2", "rs-m-3"]
    await second.stop()
    await third.stop()
    await many.mux.stop()
    assert faces() == []


async def test_a_session_outlives_its_connection_on_a_mux() -> None:
    many = Many("memory")
    await many.mux.start()
    client = await many.client("c1")
    session = client._core.session
    many.ends[-1].cut()
    await client.machine.when_not("Ready")
    await client.machine.when("Ready")
    assert client._core.session == session
    await turn()
    assert faces() == ["rs-m-1"]
    await client.stop()
    await many.mux.stop()


async def test_who_has_no_token_makes_no_machine() -> None:
    many = Many("memory")
    await many.mux.start()
    stranger = Client("c", Rel, token="wrong", dial=many.dial)
    stranger.start()
    await stranger.machine.when("ConnRetryFailed")
    assert isinstance(stranger.machine.err, RefusedByServerError)
    assert faces() == []
    assert many.mux.machine.tick("ClientConnected") == 0
    await stranger.stop()
    await many.mux.stop()


async def test_x_4_has_clients_can_not_be_taken_away_while_there_are_some() -> None:
    many = Many("memory")
    await many.mux.start()
    client = await many.client("c1")
    assert many.mux.machine.remove("HasClients").canceled
    await client.stop()
    await turn()
    assert many.mux.machine.not_("HasClients")
    await many.mux.stop()


@pytest.mark.realtime
async def test_x_6_a_lost_listener_is_bound_again_and_does_not_spin() -> None:
    many = Many("tcp")
    await many.mux.start()
    addr = many.mux.addr
    listener = many.mux._acceptor._listener
    assert listener is not None
    listener.close()
    assert many.mux.machine.not_("Ready")
    await many.mux.machine.when("Ready", timeout=5)
    assert many.mux.addr == addr
    client = await many.client("c1")
    await client.stop()
    await many.mux.stop()


@pytest.mark.realtime
async def test_a_taken_port_is_the_starters_error() -> None:
    many, other = Many("tcp"), Many("tcp")
    await many.mux.start()
    other.mux._acceptor.endpoint = TcpEndpoint("127.0.0.1", int(many.mux.addr.split(":")[1]))
    with pytest.raises(OSError, match="in use"):
        await other.mux.start()
    assert other.mux.machine.not_("Start")
    await many.mux.stop()
    await other.mux.start()
    await other.mux.stop()


async def test_stopping_says_goodbye_for_good() -> None:
    many = Many("memory")
    await many.mux.start()
    client = await many.client("c1")
    await many.mux.stop()
    await client.machine.when("ConnRetryFailed")
    assert not many.source.is_disposed
    assert many.source.tracers == ()
    await client.stop()


async def test_the_sources_end_ends_the_mux() -> None:
    many = Many("memory")
    await many.mux.start()
    client = await many.client("c1")
    many.source.dispose()
    assert many.mux.machine.is_disposed
    await client.machine.when("ConnRetryFailed")
    assert asyncio.get_running_loop().time() < 1
    await client.stop()


async def test_connections_before_start_are_closed() -> None:
    many = Many("memory")
    _, far = memory_pair()
    many.mux.accept(far)
    assert far.is_closed
    await many.mux.stop()


async def test_the_same_id_twice_is_busy() -> None:
    source = Machine("src", Plain)
    mux = Mux(source, "b", AttachEndpoint(), token=TOKEN)
    await mux.start()

    async def dial() -> Connection:
        near, far = memory_pair()
        mux.accept(far)
        return near

    one = Client("same", Plain, token=TOKEN, dial=dial, inst="1")
    two = Client("same", Plain, token=TOKEN, dial=dial, inst="2")
    one.start()
    await one.machine.when("Ready")
    two.start()
    await asyncio.sleep(20)
    assert two.machine.not_("Ready")
    await one.stop()
    await two.machine.when("Ready")
    await two.stop()
    await mux.stop()


# ---- through a tunnel


async def through_a_tunnel() -> tuple[Mux, MemoryRelay]:
    """A mux of the source `src` whose tunnel stands."""
    relay = MemoryRelay()
    mux = Mux(Machine("src", Plain), "t", TunnelEndpoint(relay.dial), token=TOKEN)
    await mux.start()
    await mux.machine.when("RpcReady", timeout=60)
    return mux, relay


async def test_wir_33_clients_resume_through_the_next_tunnel() -> None:
    mux, relay = await through_a_tunnel()
    clients = [await relay.client(f"c{n}") for n in range(10)]
    sessions = [client._core.session for client in clients]
    relay.cut()
    await mux.machine.when_not("RpcReady")
    assert mux.machine.is_("ErrNetwork")
    mux.source.add("D")
    for client in clients:
        await client.net.when("D", timeout=5)
        await client.machine.when("Ready", timeout=5)
    assert [client._core.session for client in clients] == sessions
    assert mux.machine.is_(["RpcReady", "Ready", "ClientConnected"])
    assert mux.machine.not_("Exception")
    assert len(relay.dials) == 2
    assert relay.dials[1] <= 0.11
    assert mux.sessions == 10
    await relay.stop()
    await mux.stop()


async def test_wir_33_no_call_is_lost_or_run_twice_while_tunnels_are_cut() -> None:
    mux, relay = await through_a_tunnel()
    clients = [await relay.client(f"c{n}") for n in range(3)]
    calls = [client.net.add("B") for client in clients for _ in range(20)]
    running = asyncio.gather(*calls)
    for _ in range(5):
        await asyncio.sleep(0.0005)
        if relay.tunnel is not None and not relay.tunnel.is_closed:
            relay.cut()
        await mux.machine.when("RpcReady", timeout=60)
    results = await running
    assert all(result.executed for result in results)
    assert mux.source.tick("B") == 1 + 2 * (len(results) - 1)
    await relay.stop()
    await mux.stop()


async def test_sv_7_a_relay_that_is_away_is_dialled_with_growing_waits() -> None:
    relay = MemoryRelay()
    relay.refusing = 5
    mux = Mux(Machine("src", Plain), "t", TunnelEndpoint(relay.dial), token=TOKEN)
    await mux.start()
    assert mux.machine.is_("RpcStarting")
    await mux.machine.when("RpcReady", timeout=60)
    waits = [b - a for a, b in zip(relay.dials, relay.dials[1:], strict=False)]
    assert len(waits) == 5
    assert waits[0] <= 0.1
    assert waits[4] > 4 * waits[0]
    assert mux.machine.tick("ErrNetwork") == 2, "once a row"
    assert mux.addr == ""
    await mux.stop()


async def test_a_relay_that_closes_at_once_is_not_dialled_in_a_hot_loop() -> None:
    dials: list[float] = []

    async def dial() -> Connection:
        dials.append(asyncio.get_running_loop().time())
        near, far = memory_pair()
        far.close() if len(dials) % 2 else far.cut()
        return near

    mux = Mux(Machine("src", Plain), "t", TunnelEndpoint(dial), token=TOKEN)
    await mux.start()
    await asyncio.sleep(60)
    assert 8 < len(dials) < 20
    await mux.stop()


async def test_a_connection_that_is_closed_already_counts_as_a_failed_dial() -> None:
    relay = MemoryRelay()
    tries = 0

    async def dial() -> Connection:
        nonlocal tries
        tries += 1
        if tries > 1:
            return await relay.dial()
        near, _ = memory_pair()
        near.cut()
        await asyncio.sleep(0)
        return near

    mux = Mux(Machine("src", Plain), "t", TunnelEndpoint(dial), token=TOKEN)
    await mux.start()
    await mux.machine.when("RpcReady", timeout=5)
    assert tries == 2
    await relay.client("c")
    await relay.stop()
    await mux.stop()


async def test_stopping_says_goodbye_through_the_tunnel_and_ends_it() -> None:
    mux, relay = await through_a_tunnel()
    client = await relay.client("c1")
    await mux.stop()
    await client.machine.when("ConnRetryFailed", timeout=1)
    assert relay.tunnel is not None
    await turn()
    assert relay.tunnel.is_closed
    assert relay.tunnel.error is None
    assert len(relay.dials) == 1
    await relay.stop()


async def test_without_start_clients_are_asked_to_come_back_and_the_tunnel_ends() -> None:
    mux, relay = await through_a_tunnel()
    client = await relay.client("c1")
    mux.machine.remove("Start")
    await client.machine.when_not("Ready", timeout=1)
    await asyncio.sleep(30)
    assert len(relay.dials) == 1
    assert client.machine.not_("ConnRetryFailed")
    await mux.start()
    await client.machine.when("Ready", timeout=30)
    await relay.stop()
    await mux.stop()


async def test_a_lost_rpc_ready_turns_clients_away_and_a_new_start_dials_anew() -> None:
    mux, relay = await through_a_tunnel()
    client = await relay.client("c1")
    mux.machine.add("RpcStarting")
    await client.machine.when_not("Ready", timeout=1)
    await client.machine.when("Ready", timeout=30)
    assert len(relay.dials) == 2
    await relay.stop()
    await mux.stop()


async def test_the_sources_end_ends_the_tunnel() -> None:
    mux, relay = await through_a_tunnel()
    client = await relay.client("c1")
    assert isinstance(mux.source, Machine)
    mux.source.dispose()
    assert mux.machine.is_disposed
    await client.machine.when("ConnRetryFailed", timeout=1)
    await turn()
    assert relay.tunnel is not None
    assert relay.tunnel.is_closed
    await relay.stop()


async def test_who_has_no_token_is_refused_on_its_channel_only() -> None:
    mux, relay = await through_a_tunnel()
    client = await relay.client("c1")
    stranger = Client("c2", Plain, token="wrong", dial=relay.open)
    stranger.start()
    await stranger.machine.when("ConnRetryFailed", timeout=1)
    assert faces("rs-t-") == ["rs-t-1"]
    assert (await client.net.add("D")).executed
    await stranger.stop()
    await relay.stop()
    await mux.stop()
