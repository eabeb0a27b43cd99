from __future__ import annotations

import pytest

from amctl.relay.listener import OnePeerListener, addresses_of
from amctl.relay.security import Target
from tests.relay.conftest import tcp

pytestmark = pytest.mark.realtime


def test_localhost_needs_no_resolver() -> None:
    assert addresses_of("LocalHost") == ("127.0.0.1", "::1")
    assert addresses_of("10.0.0.1") == ("10.0.0.1",)


async def test_real_port_is_told_and_freed() -> None:
    listener = OnePeerListener()
    address = await listener.bind(Target("localhost", 0))
    assert address.host == "127.0.0.1"
    assert address.port > 0
    with pytest.raises(OSError, match="in use"):
        await OnePeerListener().bind(address)
    listener.close()
    again = OnePeerListener()
    assert await again.bind(address) == address
    again.close()


async def test_second_peer_is_hung_up_on_while_the_first_is_served() -> None:
    listener = OnePeerListener()
    address = await listener.bind(Target("127.0.0.1", 0))
    async with tcp(address.port) as (reader, _):
        first, answer = await listener.peer
        async with tcp(address.port) as (other, _):
            assert await other.read() == b""
        answer.write(b"still here")
        assert await reader.read(10) == b"still here"
        answer.close()
        assert not first.at_eof()
    listener.close()


async def test_only_loopback_is_listened_on() -> None:
    with pytest.raises(OSError, match="loopback"):
        await OnePeerListener().bind(Target("0.0.0.0", 0))
