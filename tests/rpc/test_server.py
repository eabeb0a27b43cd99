"""The server's life: endpoints, one client at a time, payloads, the source's end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine, Tracer
from amctl.rpc.client import Client
from amctl.rpc.endpoints import DialEndpoint, TcpEndpoint
from amctl.rpc.errors import NotConnectedError, PayloadLostError, SourceContractError
from amctl.rpc.server import Server
from amctl.rpc.states import ServerStates
from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from amctl.rpc.transports.tcp import dial_tcp
from amctl.states.basic import BasicStates
from amctl.states.disposed import DisposedHandlers, DisposedStates
from tests.rpc.world import TOKEN, TRANSPORTS, Plain, turn, world

if TYPE_CHECKING:
    from amctl.machine import Event
    from amctl.rpc.transports.base import Connection


def states_seen(machine: Machine) -> list[str]:
    """Collects what a machine activates, from here on."""
    seen: list[str] = []

    class Watch(Tracer):
        id = "watch"

        def transition_end(self, tx: object) -> None:
            seen.extend(tx.enters)  # type: ignore[attr-defined]

    machine.bind_tracer(Watch())
    return seen


async def test_its_states_tell_the_connections_life() -> None:
    async with world(states=Plain) as w:
        seen = states_seen(w.server.machine)
        client, _ = await w.ready(states=Plain)
        assert seen[:4] == ["ClientConnected", "Handshaking", "HandshakeDone", "Ready"]
        assert w.server.client_id == "rc-c1"
        await client.stop()
        await w.server.machine.when_not("ClientConnected", "HandshakeDone", "Ready")
        assert w.server.machine.is_("RpcReady")
        assert w.server.machine.not_("Exception")


async def test_names_and_tags_are_the_originals() -> None:
    source = Machine("src", Plain)
    server = Server(source, "x", token=TOKEN, parent=source)
    assert (server.machine.id, server.machine.parent_id) == ("rs-x", "src")
    assert server.machine.tags == ("rpc-server",)
    assert server.machine.not_("WebSocketTunnel")
    source.dispose()
    assert server.machine.is_disposed


async def test_s_1_a_tracer_is_bound_only_while_there_is_a_session() -> None:
    async with world(states=Plain) as w:
        assert w.source.tracers == ()
        client, _ = await w.ready(states=Plain)
        assert [tracer.id for tracer in w.source.tracers] == ["rs-s1"]
        await client.stop()
        await turn()
        assert w.source.tracers == ()


async def test_p_2_the_push_interval_throttles_and_can_be_changed() -> None:
    async with world(states=Plain, push_interval=5.0) as w:
        _, net = await w.ready(states=Plain)
        loop = asyncio.get_running_loop()
        w.source.add("A")
        begin = loop.time()
        await net.when("A")
        assert 4.9 < loop.time() - begin <= 5.1
        w.server.push_interval = 0.5
        w.source.add("D")
        begin = loop.time()
        await net.when("D")
        assert loop.time() - begin <= 0.6
        w.server.push_interval = None
        w.source.add("C")
        await asyncio.sleep(30)
        assert net.not_("C")


async def test_s_2_many_transitions_of_one_turn_are_one_push() -> None:
    async with world(states=Plain, push_interval=0.001) as w:
        client, net = await w.ready(states=Plain)
        seen = states_seen(net)
        for _ in range(100):
            w.source.add("B")
            w.source.add("A")
            w.source.remove("A")
        await net.when_time(["B"], [199])
        assert seen == ["B"]
        assert client._core.resynced == 0


async def test_sv_9_a_source_with_handlers_needs_the_contract() -> None:
    class Handlers:
        def StartState(self, e: Event) -> None:
            pass

    with pytest.raises(SourceContractError, match="ErrOnClient"):
        Server(Machine("src", BasicStates, handlers=Handlers()), token=TOKEN)
    Server(Machine("src", BasicStates), token=TOKEN)


async def test_h_14_another_client_is_refused_until_the_first_is_gone() -> None:
    async with world(states=Plain) as w:
        first, net = await w.ready(states=Plain)
        second = w.client("c2", states=Plain)
        second.start()
        await asyncio.sleep(30)
        assert second.machine.not_("Ready")
        assert second.machine.is_("Start")
        assert first.machine.is_("Ready")
        assert (await net.add("D")).executed
        await first.stop()
        await second.machine.when("Ready")
        assert second.net.is_("D")
        assert w.server.client_id == "rc-c2"


async def test_another_client_takes_the_place_of_one_that_lost_its_connection() -> None:
    async with world(states=Plain) as w:
        first, _ = await w.ready(states=Plain)
        first.dial = None
        w.cut()
        lost = w.server.send_payload("p", 1)
        await first.machine.when_not("Ready")
        second = w.client("c2", states=Plain)
        second.start()
        await second.machine.when("Ready")
        with pytest.raises(PayloadLostError):
            await lost


async def test_wir_12_the_same_incarnation_takes_over_at_once() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain, inst="tab-1")
        seen = states_seen(w.server.machine)
        w.source.add("A")
        reloaded = w.client(states=Plain, inst="tab-1")
        reloaded.start()
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await reloaded.machine.when("Ready")
        assert loop.time() == begin
        assert reloaded.net.is_("A")
        await w.server.machine.when("Ready")
        assert seen == ["Handshaking", "HandshakeDone", "Ready"]
        assert w.server.machine.is_("ClientConnected")
        del net


async def test_wir_12_another_incarnation_waits_for_a_dead_holder() -> None:
    async with world(states=Plain) as w:
        await w.ready(states=Plain, inst="one")
        dead: MemoryConnection = w.connections[-1]
        dead.hold()
        dead._other.hold()
        other = w.client(states=Plain, inst="two")
        other.start()
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await other.machine.when("Ready")
        assert loop.time() - begin < 21


async def test_h_16_who_says_no_hello_is_closed_after_three_seconds() -> None:
    async with world(states=Plain) as w:
        near, far = memory_pair()
        over = asyncio.get_running_loop().create_future()
        near.start(lambda _: None, over.set_result, lambda: None)
        w.server.accept(far)
        assert w.server.machine.is_("ClientConnected")
        await over
        assert 2.9 < asyncio.get_running_loop().time() < 3.2
        assert w.server.machine.not_("ClientConnected")


async def test_wir_3_garbage_is_refused_and_harms_nobody() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        for garbage in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\xff" * 100,
            b"\0",
            b"\x10\x01" + b"\xc1" * 15,
        ):
            near, far = memory_pair()
            over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            near.start(lambda _: None, lambda _, over=over: over.set_result(None), lambda: None)  # type: ignore[misc]
            w.server.accept(far)
            near.write(garbage)
            await over
        assert (await net.add("D")).executed
        assert w.server.machine.not_("Exception")


async def test_too_many_unknown_peers_are_closed_at_once() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        strangers = [memory_pair() for _ in range(70)]
        for _, far in strangers:
            w.server.accept(far)
        assert [far.is_closed for _, far in strangers] == [False] * 64 + [True] * 6
        assert (await net.add("D")).executed
        await asyncio.sleep(4)
        assert all(far.is_closed for _, far in strangers)
        near, far = memory_pair()
        w.server.accept(far)
        assert not far.is_closed
        near.close()


# -- payloads


async def test_y_1_a_payload_without_a_client_fails_and_is_not_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with world(states=Plain) as w:
        with pytest.raises(NotConnectedError, match="payload 'early'"):
            await w.server.send_payload("early", 1)
        w.server.send_payload("nobody asks", 1)
        await turn()
        assert "nobody asks" in caplog.text


async def test_y_2_a_forwarded_payload_keeps_its_source() -> None:
    from amctl.rpc.payload import APayload
    from tests.rpc.world import Consumer

    got: list[APayload] = []

    class Taker:
        def ServerPayloadState(self, e: Event) -> None:
            got.append(e.args(APayload))

    async with world(states=Plain) as w:
        await w.ready(states=Plain, consumer=Machine("c", Consumer, handlers=Taker()))
        await w.server.send_payload("x", None, source="leaf")
        await w.server.send_payload("x", None)
        assert [(p.source, p.source_tx) for p in got] == [("leaf", ""), ("", "")]
        assert len({p.token for p in got}) == 2
        assert all(len(p.token) == 16 for p in got)


async def test_a_payload_is_handed_over_whatever_happens_to_the_handler() -> None:
    class Handlers:
        async def DState(self, e: Event) -> None:
            w.server.send_payload("kept", 1, event=e)
            e.machine.remove("D")
            await asyncio.sleep(1)
            raise AssertionError("must be cancelled")

    async with world(states=Plain, handlers=Handlers()) as w:
        client, net = await w.ready(states=Plain)
        await net.add("D")
        await client.machine.when_time(["ServerPayload"], [1])
        assert w.source.not_("Exception")


async def test_payloads_of_a_client_that_never_returns_are_lost_and_told() -> None:
    async with world(states=Plain) as w:
        client, _ = await w.ready(states=Plain)
        client.dial = None
        w.cut()
        sent = w.server.send_payload("p", 1)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        with pytest.raises(PayloadLostError):
            await sent
        assert 119 < loop.time() - begin < 121
        assert w.server.client_id == ""


# -- endpoints


@pytest.mark.realtime
async def test_sv_1_a_real_port_and_13_a_listener_closed_from_outside() -> None:
    async with world("tcp", Plain) as w:
        client, net = await w.ready(states=Plain)
        addr = w.server.addr
        assert int(addr.rpartition(":")[2]) > 0
        listener = w.server._acceptor._listener
        assert listener is not None
        listener.close()
        await client.machine.when_not("Ready", timeout=5)
        await client.machine.when("Ready", timeout=5)
        await w.server.machine.when("Ready", timeout=5)
        assert w.server.addr == addr
        assert client.machine.not_(("RetryingCall", "RetryingConn"))
        assert (await net.add("D")).executed


@pytest.mark.realtime
async def test_sv_2_a_taken_port_is_an_error_and_start_stays() -> None:
    async with world("tcp", Plain) as w:
        port = int(w.server.addr.rpartition(":")[2])
        other = Server(w.source, "other", TcpEndpoint("127.0.0.1", port), token=TOKEN)
        other.start()
        await other.machine.when("ErrNetwork", timeout=5)
        assert other.machine.is_("Start")
        assert other.machine.not_("RpcStarting")
        await other.stop()


class Relay:
    """Hands what a server dials on to a client that waits."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.dials: list[float] = []
        self.ends: list[MemoryConnection] = []
        self.refusing = 0

    async def dial(self) -> Connection:
        self.dials.append(asyncio.get_running_loop().time())
        if self.refusing:
            self.refusing -= 1
            raise ConnectionRefusedError("no relay")
        near, far = memory_pair()
        self.ends.append(far)
        self.client.attach(far)
        return near


async def test_sv_7_a_tunnel_is_dialled_at_once_and_again_after_a_loss() -> None:
    source = Machine("src", Plain)
    client = Client("srv", Plain, token=TOKEN)
    client.start()
    relay = Relay(client)
    server = Server(source, "t", DialEndpoint(relay.dial), token=TOKEN)
    assert server.machine.is_("WebSocketTunnel")
    server.start()
    await client.machine.when("Ready")
    assert relay.dials == [0.0]
    relay.ends[0].cut()
    await client.machine.when_not("Ready")
    source.add("D")
    await client.machine.when("Ready")
    assert client.net.is_("D")
    assert relay.dials[1] <= 0.11
    await server.machine.when("Ready")
    await server.stop()
    await client.stop()


async def test_sv_7_a_relay_that_is_away_is_dialled_with_growing_waits() -> None:
    source = Machine("src", Plain)
    client = Client("srv", Plain, token=TOKEN)
    client.start()
    relay = Relay(client)
    relay.refusing = 5
    server = Server(source, "t", DialEndpoint(relay.dial), token=TOKEN)
    server.start()
    await client.machine.when("Ready")
    waits = [b - a for a, b in zip(relay.dials, relay.dials[1:], strict=False)]
    assert len(waits) == 5
    assert waits[0] <= 0.1
    assert waits[4] > waits[0]
    assert server.machine.tick("ErrNetwork") == 2
    assert server.machine.not_("Exception")
    await server.stop()
    await client.stop()


async def test_a_relay_that_closes_at_once_is_not_dialled_in_a_hot_loop() -> None:
    dials = 0

    async def dial() -> Connection:
        nonlocal dials
        dials += 1
        near, far = memory_pair()
        far.close()
        return near

    server = Server(Machine("src", Plain), "t", DialEndpoint(dial), token=TOKEN)
    server.start()
    await asyncio.sleep(60)
    assert dials < 30
    await server.stop()


async def test_a_connection_that_comes_before_rpc_ready_waits_for_it() -> None:
    source = Machine("src", Plain)
    server = Server(source, "s", token=TOKEN)
    near, far = memory_pair()
    server.start()
    server.accept(far)
    client = Client("c", Plain, token=TOKEN)
    client.start()
    client.attach(near)
    await client.machine.when("Ready")
    await client.stop()
    await server.stop()


async def test_without_start_connections_are_closed() -> None:
    server = Server(Machine("src", Plain), "s", token=TOKEN)
    _, far = memory_pair()
    server.accept(far)
    assert far.is_closed
    await server.stop()


async def test_dropping_start_sends_clients_away_and_starting_lets_them_back() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        session = client._core.session
        w.server.machine.remove("Start")
        await client.machine.when_not("Ready")
        assert client.machine.is_("Start")
        w.server.start()
        await client.machine.when("Ready")
        assert client._core.session == session
        assert (await net.add("D")).executed


async def test_sv_6_stop_disposes_the_server_and_never_the_source() -> None:
    async with world(states=Plain) as w:
        client, _ = await w.ready(states=Plain)
        await w.server.stop()
        assert w.server.machine.is_disposed
        assert not w.source.is_disposed
        await client.machine.when("ConnRetryFailed")
        assert asyncio.get_running_loop().time() < 1
        assert w.source.tracers == ()


async def test_the_sources_last_clock_arrives_before_its_end() -> None:
    class Ending(Plain, DisposedStates):
        pass

    async with world(states=Ending, handlers=DisposedHandlers(), push_interval=10.0) as w:
        _, net = await w.ready(states=Ending)
        w.source.add("D")
        w.source.add("Disposing")
        await net.when("Disposed", timeout=1)
        assert net.is_("D")
        assert w.source.is_disposed
        await w.server.machine.when_disposed()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_reader_that_stalls_gets_merged_diffs_and_loses_nothing(transport: str) -> None:
    async with world(transport, Plain, push_interval=0.0001) as w:
        client, net = await w.ready(states=Plain)
        for n in range(300):
            w.source.add("B", {"n": n})
            if n % 50 == 0:
                await turn(3)
        await net.when_time(["B"], [599])
        assert client._core.resynced == 0


# -- chained: a mirror is the source of another server


async def test_l_5_servers_can_be_chained_on_mirrors() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        second = Server(net, "chain", token=TOKEN)
        second.start()
        far = Client("far", None, token=TOKEN)
        far.start()
        a, b = memory_pair()
        second.accept(b)
        far.attach(a)
        await far.machine.when("Ready")
        assert (await far.net.add("D")).executed
        assert far.net.is_("D")
        assert net.is_("D")
        assert w.source.is_("D")
        w.source.add("A")
        await far.net.when("A")
        await far.net.toggle("A")
        await far.net.sync()
        assert w.source.not_("A")
        assert far.net.names == w.source.names
        await far.stop()
        await second.stop()


async def test_wir_15_calls_on_a_chained_source_keep_their_order() -> None:
    order: list[int] = []

    class Handlers:
        def BState(self, e: Event) -> None:
            order.append(e.raw["n"])

    async with world(states=Plain, handlers=Handlers()) as w:
        _, net = await w.ready(states=Plain)
        second = Server(net, "chain", token=TOKEN)
        second.start()
        far = Client("far", None, token=TOKEN)
        far.start()
        a, b = memory_pair()
        second.accept(b)
        far.attach(a)
        await far.machine.when("Ready")
        await asyncio.gather(*(far.net.add("B", {"n": n}) for n in range(50)))
        assert order == list(range(50))
        await far.stop()
        await second.stop()


async def test_errors_of_calls_are_told_and_do_not_end_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from amctl.rpc.errors import CallRefusedError

    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        client._core.call(0, [len(net.names) + 7], wants=True)
        with pytest.raises(CallRefusedError, match="args"):
            await net._client.calls.send(_spec_with_bad_args())
        client._core.call(0, [1], args=[1, 2], wants=False)
        with caplog.at_level(logging.WARNING, "amctl.rpc.server"):
            await net.sync()
        assert "a note of rc-c1 failed" in caplog.text
        assert client.machine.is_("Ready")


def _spec_with_bad_args() -> object:
    from amctl.rpc._calls import CallSpec
    from amctl.rpc.wire.codes import Op

    return CallSpec(Op.ADD, ("A",), [1])


@pytest.mark.realtime
async def test_tcp_dialling_nobody_is_an_os_error() -> None:
    with pytest.raises(OSError, match="onnect"):
        await dial_tcp("127.0.0.1", 1)


def test_the_server_states_are_exported_where_they_are_looked_for() -> None:
    assert ServerStates.RpcReady == "RpcReady"
