from __future__ import annotations

import asyncio

from amctl.rpc.transports.memory import memory_pair
from tests.rpc.transports.test_base import End


async def test_a_cut_loses_what_is_under_way_and_tells_both_ends() -> None:
    a, b = memory_pair()
    one, two = End(a).start(), End(b).start()
    a.write(b"lost")
    a.cut()
    await asyncio.sleep(0)
    assert two.data == b""
    assert isinstance(one.lost[0], ConnectionResetError)
    assert isinstance(two.lost[0], ConnectionResetError)


async def test_a_held_end_delivers_nothing_until_released() -> None:
    a, b = memory_pair()
    End(a).start()
    two = End(b).start()
    a.hold()
    a.write(b"later")
    await asyncio.sleep(5)
    assert two.data == b""
    a.release()
    await two.until(lambda: two.data == b"later")


async def test_names_of_peers_can_be_given() -> None:
    a, b = memory_pair(names=("right", "left"))
    assert (a.peer, b.peer) == ("right", "left")
