from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.rpc.wire import Code, Framer, Kind, ProtocolError
from amctl.rpc.wire.framer import frame, varint
from tests.rpc.wire.pairs import Pair, codes, kinds


@given(st.lists(st.integers(0, 3000), max_size=10), st.lists(st.integers(1, 50), min_size=1))
def test_any_chunking_gives_the_same_frames(sizes: list[int], cuts: list[int]) -> None:
    sent = [bytes([7]) + bytes(size) for size in sizes]
    stream = b"".join(frame(7, one[1:]) for one in sent)
    framer, got, pos, i = Framer(4096), [], 0, 0
    while pos < len(stream):
        size = cuts[i % len(cuts)]
        got += framer.feed(stream[pos : pos + size])
        pos, i = pos + size, i + 1
    assert got == sent
    assert framer.pending == 0


def test_wir_1_a_length_is_checked_before_its_frame_is_buffered() -> None:
    framer = Framer(100)
    with pytest.raises(ProtocolError) as caught:
        framer.feed(varint(101))
    assert caught.value.code == Code.TOO_BIG
    assert framer.pending == 0
    assert Framer(100).feed(varint(100) + bytes(100)) == [bytes(100)]


def test_wir_1_the_cap_is_16_kib_before_hello_and_1_mib_after() -> None:
    pair = Pair(connect=False)
    assert codes([e for _, e in pair.conn.receive_data(varint((16 << 10) + 1), 0)]) == [5]
    pair = Pair()
    assert pair.serve(varint(1 << 20)) == []
    pair = Pair()
    assert codes(pair.serve(varint((1 << 20) + 1))) == [Code.TOO_BIG]


@pytest.mark.parametrize(
    "junk", [b"\x00", b"\x80\x00", b"\x80\x80\x80\x80", b"\xff\xff\xff\xff\x01"]
)
def test_wir_1_zero_lengths_and_long_prefixes_are_errors(junk: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        Framer(1 << 20).feed(junk)
    assert caught.value.code == Code.PROTOCOL


def test_single_bytes_of_a_large_frame_are_looked_at_once() -> None:
    framer, stream = Framer(1 << 20), frame(7, bytes(300_000))
    looked = 0
    plain = framer._length

    def counted(data: bytes, pos: int, end: int) -> tuple[int, int]:
        nonlocal looked
        looked += 1
        return plain(data, pos, end)

    class Counting(Framer):
        _length = staticmethod(counted)  # type: ignore[assignment]

    counting = Counting(1 << 20)
    got = [one for i in range(len(stream)) for one in counting.feed(stream[i : i + 1])]
    assert [len(one) for one in got] == [300_001]
    assert looked <= 5


def test_the_kind_is_known_as_soon_as_its_byte_is_there() -> None:
    framer = Framer(1 << 14)
    framer.feed(b"\xff")
    assert framer.peek_kind() is None
    framer.feed(b"\x10")
    assert framer.peek_kind() is None
    framer.feed(b"\x01")
    assert framer.peek_kind() == Kind.HELLO


def test_varints_are_leb128() -> None:
    assert [varint(n) for n in (0, 127, 128, 300)] == [b"\0", b"\x7f", b"\x80\x01", b"\xac\x02"]
    assert kinds(frame(9) + frame(200, bytes(200))) == [9, 200]
