from __future__ import annotations

import struct
import zlib

import pytest

from amctl.rpc.wire import clocks
from amctl.rpc.wire.clocks import digest, new_view


def test_the_digest_is_that_of_little_endian_words() -> None:
    ticks = [1, 2**40, 0, 2**64 - 1]
    raw = struct.pack("<QQ4Q", 7, 1, *ticks)
    assert digest(new_view(ticks), 7, 1) == zlib.crc32(raw)


def test_a_big_endian_host_swaps_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    view = new_view([1, 2])
    monkeypatch.setattr(clocks, "_BIG_ENDIAN", True)
    assert digest(view, 7, 1) == zlib.crc32(struct.pack("<QQ", 7, 1) + struct.pack(">2Q", 1, 2))
    assert view.tolist() == [1, 2]


def test_the_digest_sees_order_queue_tick_and_machine_tick() -> None:
    base = digest(new_view([1, 2]), 3, 4)
    others = [digest(new_view([2, 1]), 3, 4), digest(new_view([1, 2]), 4, 3)]
    assert base not in others


def test_ticks_are_unsigned() -> None:
    with pytest.raises(OverflowError):
        new_view([-1])
