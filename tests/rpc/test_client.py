"""The client's life: connections lost, resumed, refused and given up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine
from amctl.rpc.client import Client, ClientTimes
from amctl.rpc.errors import (
    CallRefusedError,
    CallTimeoutError,
    NotConnectedError,
    RefusedByServerError,
    SourceContractError,
    UnknownOutcomeError,
)
from amctl.rpc.server import Server
from amctl.rpc.transports.memory import memory_pair
from amctl.rpc.wire.codes import Code, Op
from tests.rpc.world import TOKEN, TRANSPORTS, Consumer, Plain, turn, world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.machine import Event
    from amctl.rpc.transports.base import Connection
    from amctl.rpc.transports.memory import MemoryConnection

every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


@every_transport
async def test_cl_13_a_killed_connection_is_resumed_and_no_call_runs_twice(transport: str) -> None:
    ran: list[int] = []

    class Handlers:
        def BState(self, e: Event) -> None:
            ran.append(e.machine.tick("B"))

    async with world(transport, Plain, Handlers()) as w:
        client, net = await w.ready(states=Plain)
        session = client._core.session
        calls = []
        for n in range(30):
            calls.append(asyncio.ensure_future(net.add("B")))
            if n % 10 == 9:
                await turn(n % 7)
                w.cut()
        results = await asyncio.gather(*calls)
        assert all(result.executed for result in results)
        assert len(ran) == 30
        assert net.tick("B") == w.source.tick("B") == 59
        assert client._core.session == session
        await client.machine.when("Ready")
        assert client.machine.not_(("RetryingCall", "RetryingConn", "Exception"))


@every_transport
async def test_12_a_server_that_comes_later(transport: str) -> None:
    async with world(transport, Plain) as w:
        w.refusing = True
        client = w.client(states=Plain)
        client.start()
        await client.machine.when_time(["Connecting"], [3])
        w.refusing = False
        await client.machine.when("Ready", timeout=5)
        await w.server.machine.when("Ready", timeout=5)
        assert client.machine.not_(("RetryingCall", "RetryingConn"))
        assert client.machine.tick("ErrNetwork") >= 2


@every_transport
async def test_the_mirror_follows_what_moved_meanwhile(transport: str) -> None:
    async with world(transport, Plain) as w:
        client, net = await w.ready(states=Plain)
        w.refusing = True
        w.cut()
        await client.machine.when_not("Ready", timeout=5)
        w.source.add(["A", "D"])
        assert net.not_("D")
        w.refusing = False
        await net.when("A", "D", timeout=5)


async def test_cl_7_errors_are_seen_by_ticks() -> None:
    async with world(states=Plain) as w:
        client, _ = await w.ready(states=Plain)
        w.cut()
        await client.machine.when_not("Ready")
        await client.machine.when("Ready")
        assert client.machine.tick("ErrNetwork") == client.machine.tick("Exception") == 2
        assert isinstance(client.machine.err, ConnectionResetError)


async def test_wir_31_the_first_dial_is_made_at_once_and_the_waits_grow() -> None:
    async with world(states=Plain) as w:
        w.refusing = True
        loop = asyncio.get_running_loop()
        begin = loop.time()
        client = w.client(states=Plain)
        client.start()
        await turn()
        assert w.dials == 1
        assert loop.time() == begin
        await asyncio.sleep(20)
        assert 4 <= w.dials <= 12
        await asyncio.sleep(100)
        assert w.dials <= 40


async def test_cl_5_without_a_connection_for_too_long_it_gives_up() -> None:
    async with world(states=Plain) as w:
        w.refusing = True
        client = w.client(states=Plain, times=ClientTimes(give_up=30))
        client.start()
        await client.machine.when("ConnRetryFailed")
        assert client.machine.not_("Start")
        with pytest.raises(NotConnectedError):
            await client.net.add("A")
        w.refusing = False
        client.start()
        await client.machine.when("Ready")
        assert client.machine.not_("ConnRetryFailed")
        assert (await client.net.add("A")).executed


async def test_wir_28_a_half_open_peer_is_found_within_fifteen_seconds() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        held: MemoryConnection = w.connections[-1]
        held.hold()
        held._other.hold()
        w.source.add("D")
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await client.machine.when_not("Ready")
        assert loop.time() - begin <= 15.1
        await net.when("D")
        assert client.machine.tick("ErrNetworkTimeout") == 2


async def test_rule_10_calls_wait_for_the_connection_to_come_back() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        w.refusing = True
        w.cut()
        await client.machine.when_not("Ready")
        call = asyncio.ensure_future(net.add("D"))
        await asyncio.sleep(1)
        w.refusing = False
        assert (await call).executed
        assert net.is_("D")


async def test_cl_6_m_5_a_call_that_can_not_be_sent_fails_and_never_runs() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        w.refusing = True
        w.cut()
        await client.machine.when_not("Ready")
        with pytest.raises(NotConnectedError, match="add D"):
            await net.add("D")
        w.refusing = False
        await client.machine.when("Ready")
        await net.sync()
        assert w.source.not_("D")


async def test_rule_11_m_13_a_slow_handler_runs_once_however_long_it_takes() -> None:
    """Here the far end stalls; the call is never made again."""
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain, times=ClientTimes(call=0.5))
        conn: MemoryConnection = w.connections[-1]
        conn._other.hold()
        call = asyncio.ensure_future(net.add("B"))
        await client.machine.when("RetryingCall")
        assert w.source.tick("B") == 1
        conn._other.release()
        assert (await call).executed
        assert w.source.tick("B") == 1
        assert client.machine.not_("RetryingCall")
        assert client.machine.is_("Ready")


async def test_cl_6_an_unanswered_call_is_given_up_after_the_deadline() -> None:
    async with world(states=Plain) as w:
        times = ClientTimes(call=0.5, call_deadline=4.0)
        client, net = await w.ready(states=Plain, times=times)
        w.connections[-1]._other.hold()
        with pytest.raises(CallTimeoutError):
            await net.add("B")
        assert client.machine.tick("CallRetryFailed") == 2
        assert client.machine.tick("ErrNetworkTimeout") == 2
        assert client.machine.not_("RetryingCall")


async def test_a_cancelled_call_that_was_not_sent_never_runs() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        w.refusing = True
        w.cut()
        await client.machine.when_not("Ready")
        call = asyncio.ensure_future(net.add("D"))
        await turn()
        call.cancel()
        w.refusing = False
        await client.machine.when("Ready")
        await net.sync()
        assert w.source.not_("D")


async def test_calls_made_before_the_first_connection_run_in_order() -> None:
    async with world(states=Plain) as w:
        client = w.client(states=None)
        calls = [asyncio.ensure_future(client.net.add(state)) for state in "AD"]
        calls.append(asyncio.ensure_future(client.net.set("C")))
        unknown = asyncio.ensure_future(client.net.add("Nope"))
        await turn()
        client.start()
        await asyncio.gather(*calls)
        assert client.net.active == ["C"]
        with pytest.raises(CallRefusedError, match="Nope"):
            await unknown


async def test_wir_14_a_session_lost_with_its_server_is_an_unknown_outcome() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        conn: MemoryConnection = w.connections[-1]
        conn._other.hold()
        sent = asyncio.ensure_future(net.add("B"))
        await turn()
        w.server._source_gone = lambda: None  # type: ignore[method-assign]  # no goodbye: it dies
        fresh = Server(w.source, "s2", token=TOKEN)
        fresh.start()
        await fresh.machine.when("RpcReady")
        w.server, old = fresh, w.server
        w.cut()
        with pytest.raises(UnknownOutcomeError):
            await sent
        await client.machine.when("Ready")
        assert (await net.add("D")).executed
        assert net.tick("B") == w.source.tick("B") == 1
        old.machine.dispose()


async def test_e_3_a_wrong_token_is_terminal() -> None:
    async with world(states=Plain) as w:
        client = w.client(states=Plain, token="wrong")
        client.start()
        await client.machine.when("ConnRetryFailed")
        error = client.machine.err
        assert isinstance(error, RefusedByServerError)
        assert error.code == Code.AUTH
        assert "token" in error.hint
        assert client.machine.not_("Start")
        assert w.dials == 1


async def test_a_dialler_may_set_the_token_that_the_next_connection_brings() -> None:
    async with world() as w:

        async def dial() -> Connection:
            client.token = TOKEN if w.dials else "old"
            return await w.dial()

        client = w.client(token="older", dial=dial)
        client.start()
        await client.machine.when("ConnRetryFailed")
        client.start()
        await client.machine.when("Ready")
        assert client.token == TOKEN


async def test_e_3_an_id_that_is_not_let_in_is_terminal() -> None:
    async with world(states=Plain, allow_id="rc-other") as w:
        client = w.client(states=Plain)
        client.start()
        await client.machine.when("ConnRetryFailed")
        assert isinstance(client.machine.err, RefusedByServerError)
        assert client.machine.err.code == Code.DENIED
        await w.ready("other", states=Plain)


async def test_permissions_refuse_single_calls() -> None:
    def allow(client_id: str, op: int, states: Sequence[str]) -> Code | None:
        return Code.DENIED if "D" in states and op == Op.ADD else None

    async with world(states=Plain, allow=allow) as w:
        _, net = await w.ready(states=Plain)
        with pytest.raises(CallRefusedError, match="denied"):
            await net.add("D")
        assert (await net.add("A")).executed
        assert w.source.not_("D")


async def test_cl_9_stopping_what_never_started_is_fine() -> None:
    async with world(states=Plain) as w:
        client = w.client(states=Plain)
        await client.stop()
        assert client.machine.is_disposed
        assert client.net.is_disposed
        await client.stop()


async def test_cl_8_stop_says_goodbye_and_fails_what_waits() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        w.connections[-1]._other.hold()
        call = asyncio.ensure_future(net.add("B"))
        await turn()
        await client.stop(dispose=False)
        with pytest.raises((NotConnectedError, UnknownOutcomeError)):
            await call
        assert client.machine.is_("Disconnected")
        assert client.machine.not_(("Start", "Ready", "Exception"))
        await w.server.machine.when_not("ClientConnected")
        assert w.server.client_id == ""
        with pytest.raises(NotConnectedError):
            await net.add("B")
        client.start()
        await client.machine.when("Ready")
        assert (await net.add("B")).executed


async def test_cl_10_dropping_start_disconnects() -> None:
    async with world(states=Plain) as w:
        client, _ = await w.ready(states=Plain)
        client.machine.remove("Start")
        await w.server.machine.when_not("ClientConnected")
        assert client.machine.not_("Ready")


async def test_f_1_sync_counts() -> None:
    async with world(states=Plain, push_interval=None) as w:
        client, net = await w.ready(states=Plain)
        w.source.add("D")
        assert net.not_("D")
        await client.sync()
        assert net.is_("D")
        assert client.machine.tick("MetricSync") == 1
        assert w.server.machine.tick("MetricSync") == 2  # an event there


async def test_y_5_a_consumer_without_the_contract_is_refused() -> None:
    with pytest.raises(SourceContractError, match="ServerPayload"):
        Client("c", Plain, token=TOKEN, consumer=Machine("m", Plain))


async def test_y_4_a_payload_without_a_consumer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with world(states=Plain) as w:
        client, _ = await w.ready(states=Plain)
        await w.server.send_payload("lonely", 1)
        assert client.machine.tick("ServerPayload") == 2
        assert "lonely" in caplog.text


async def test_payloads_survive_a_reconnect_in_order_and_once() -> None:
    got: list[int] = []

    class Taker:
        def ServerPayloadState(self, e: Event) -> None:
            from amctl.rpc.payload import APayload

            got.append(e.args(APayload).data)

    async with world(states=Plain) as w:
        consumer = Machine("consumer", Consumer, handlers=Taker())
        await w.ready(states=Plain, consumer=consumer)
        sent = []
        for n in range(40):
            sent.append(w.server.send_payload("n", n))
            if n % 13 == 12:
                await turn(n % 5)
                w.cut()
        await asyncio.gather(*sent)
        assert got == list(range(40))


# -- attach: the peer dials us


async def attached(w_source: Machine) -> tuple[Client, Server]:
    server = Server(w_source, "s1", token=TOKEN)
    server.start()
    client = Client("srv", Plain, token=TOKEN)
    client.start()
    await server.machine.when("RpcReady")
    return client, server


def connect(client: Client, server: Server) -> MemoryConnection:
    near, far = memory_pair()
    server.accept(far)
    client.attach(near)
    return near


async def test_attach_uses_the_connection_and_waits_for_the_next_after_a_loss() -> None:
    source = Machine("src", Plain)
    client, server = await attached(source)
    first = connect(client, server)
    await client.machine.when("Ready")
    over = asyncio.ensure_future(client.wait_closed(first))
    session = client._core.session
    first.cut()
    await over
    assert client.machine.is_("Disconnected")
    assert client.machine.not_(("RetryingConn", "Connecting"))
    source.add("D")
    await asyncio.sleep(20)
    connect(client, server)
    await client.machine.when("Ready")
    assert client._core.session == session
    assert client.net.is_("D")
    await client.stop()
    await server.stop()


async def test_attach_replaces_the_present_connection() -> None:
    source = Machine("src", Plain)
    client, server = await attached(source)
    first = connect(client, server)
    await client.machine.when("Ready")
    call = asyncio.ensure_future(client.net.add("D"))
    second = connect(client, server)
    assert (await call).executed
    await client.wait_closed(first)
    assert first.is_closed
    assert not second.is_closed
    assert source.tick("D") == 1
    await client.stop()
    await server.stop()


async def test_attach_follows_to_a_new_peer_after_the_old_one_stopped() -> None:
    source = Machine("src", Plain)
    client, server = await attached(source)
    connect(client, server)
    await client.machine.when("Ready")
    await server.stop()
    await client.machine.when_not("Ready")
    assert client.machine.is_("Start")
    again = Machine("src", Plain)
    again.add("A")
    fresh = Server(again, "s1", token=TOKEN)
    fresh.start()
    await fresh.machine.when("RpcReady")
    connect(client, fresh)
    await client.machine.when("Ready")
    assert client.net.active == ["A"]
    await client.stop()
    await fresh.stop()


async def test_attach_to_a_client_that_was_not_started_closes() -> None:
    client = Client("srv", Plain, token=TOKEN)
    near, _ = memory_pair()
    client.attach(near)
    await client.wait_closed(near)
    assert near.is_closed
    await client.stop()


async def test_machines_are_named_and_tagged_like_the_originals() -> None:
    parent = Machine("boss", Plain)
    client = Client("x", Plain, token=TOKEN, parent=parent, addr="127.0.0.1:1")
    assert (client.machine.id, client.machine.parent_id) == ("rc-x", "boss")
    assert client.machine.tags == ("rpc-client", "addr:127.0.0.1:1")
    assert (client.net.id, client.net.parent_id) == ("rnm-x", "rc-x")
    parent.dispose()
    assert client.machine.is_disposed
    assert client.net.is_disposed
