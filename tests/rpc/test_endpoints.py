from __future__ import annotations

import asyncio

import pytest

from amctl.rpc.endpoints import DialEndpoint, ListenEndpoint, TcpEndpoint, TunnelEndpoint
from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from amctl.rpc.transports.tcp import listen_tcp


@pytest.mark.realtime
async def test_a_tcp_endpoint_keeps_the_port_it_had() -> None:
    endpoint = TcpEndpoint()
    first = await endpoint.listen(lambda _: None, 0)
    port = first.port
    first.close()
    again = await endpoint.listen(lambda _: None, port)
    assert again.port == port
    again.close()


@pytest.mark.realtime
async def test_a_listen_endpoint_is_told_the_port_it_had() -> None:
    asked: list[int] = []

    async def make(accept: object, port: int) -> object:
        asked.append(port)
        return await listen_tcp("127.0.0.1", 0, accept)  # type: ignore[arg-type]

    listener = await ListenEndpoint(make).listen(lambda _: None, 7)  # type: ignore[arg-type]
    listener.close()
    assert asked == [7]


async def test_a_dial_that_takes_too_long_is_a_timeout() -> None:
    async def dial() -> object:
        await asyncio.sleep(100)
        raise AssertionError

    with pytest.raises(TimeoutError, match="no connection within 2 s"):
        await DialEndpoint(dial, deadline=2.0).connect()  # type: ignore[arg-type]
    assert asyncio.get_running_loop().time() == pytest.approx(2.0)
    with pytest.raises(TimeoutError, match="no connection within 2 s"):
        await TunnelEndpoint(dial, deadline=2.0).connect(lambda _: None)  # type: ignore[arg-type]
    assert asyncio.get_running_loop().time() == pytest.approx(4.0)


async def test_a_tunnel_is_handed_over_before_it_begins() -> None:
    near, far = memory_pair()

    async def dial() -> MemoryConnection:
        return near

    tunnel = await TunnelEndpoint(dial).connect(lambda _: None)
    assert not tunnel.is_closed
    far.cut()
    await asyncio.sleep(0)
    tunnel.start()
    assert tunnel.is_closed
