from __future__ import annotations

import asyncio

import pytest

from amctl.rpc.transports.tcp import dial_tcp, listen_tcp
from tests.rpc.transports.test_base import End, done

pytestmark = pytest.mark.realtime


async def test_a_reset_is_told_as_what_it_is() -> None:
    accepted: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    listener = await listen_tcp("127.0.0.1", 0, accepted.set_result)
    one = End(await dial_tcp(listener.host, listener.port)).start()
    two = End(await accepted).start()  # type: ignore[arg-type]
    two.conn._transport.abort()  # type: ignore[attr-defined]
    await one.until(lambda: one.lost)
    assert one.lost[0] is None or isinstance(one.lost[0], ConnectionResetError)
    await done(listener, one, two)


async def test_a_listener_tells_that_it_was_closed_once() -> None:
    listener = await listen_tcp("127.0.0.1", 0, lambda _: None)
    told: list[int] = []
    listener.on_closed = lambda: told.append(1)
    assert listener.is_serving
    listener.close()
    listener.close()
    assert told == [1]
    assert not listener.is_serving


async def test_a_taken_port_is_an_os_error() -> None:
    listener = await listen_tcp("127.0.0.1", 0, lambda _: None)
    with pytest.raises(OSError, match="in use"):
        await listen_tcp("127.0.0.1", listener.port, lambda _: None)
    listener.close()
