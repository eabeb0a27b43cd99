from __future__ import annotations

from dataclasses import replace

import pytest

from amctl.rpc.wire import Code, Kind, Limits, Mirror, Op, Replied, encode
from amctl.rpc.wire.framer import frame
from tests.rpc.wire.pairs import Pair, codes, kinds, of

RESYNC = frame(Kind.RESYNC)


def a_diff(pair: Pair) -> bytearray:
    pair.toy.run(Op.TOGGLE, [1])
    data = bytearray(pair.conn.data_to_send())
    assert kinds(bytes(data)) == [Kind.DIFF]
    return data


DAMAGE = {"size": 0, "seq": 2, "digest": 3, "queue tick": 8, "index": 9, "increment": 10}


@pytest.mark.parametrize("what", [name for name in DAMAGE if name != "size"])
def test_wir_24_a_wrong_diff_is_never_published(what: str) -> None:
    pair = Pair()
    data = a_diff(pair)
    data[DAMAGE[what]] += 1
    before = (pair.client.view.tolist(), pair.client.q)
    assert pair.client.receive_data(bytes(data), 0.0) == []
    assert (pair.client.view.tolist(), pair.client.q) == before
    assert pair.client.stale
    assert pair.client.data_to_send() == RESYNC


@pytest.mark.parametrize(
    "body",
    [[1, 99, 1], [1, 0], [-1], [1, 0, -5], [1, 0, 2**64 - 1, 0, 1], [2**64 - 1]],
)
def test_wir_24_diffs_that_make_no_sense_are_not_published(body: list[int]) -> None:
    pair = Pair()
    data = frame(Kind.DIFF, b"\x01\0\0\0\0", encode(body))
    assert pair.client.receive_data(data, 0.0) == []
    assert pair.client.stale
    assert pair.client.view.tolist() == [0, 0, 0, 0]


def test_wir_24_a_step_that_is_shorter_than_it_says_is_not_published() -> None:
    pair = Pair()
    data = frame(Kind.STEP, b"\x01\0\0\0\0", encode([1, 0, 9, 1]))
    assert pair.client.receive_data(data, 0.0) == []
    assert pair.client.stale


@pytest.mark.parametrize("times", [0, 2])
def test_a_lost_or_doubled_diff_leads_to_one_resync(times: int) -> None:
    pair = Pair()
    pair.client.receive_data(bytes(a_diff(pair)) * times, 0.0)
    pair.client.receive_data(bytes(a_diff(pair)), 0.0)
    assert pair.client.stale
    assert pair.client.resynced == 1
    pair.shuttle()
    assert pair.client.view.tolist() == pair.toy.ticks


def test_wir_26_at_most_one_resync_is_out_and_diffs_until_the_clock_are_dropped() -> None:
    pair = Pair()
    damaged = a_diff(pair)
    damaged[-1] += 1
    pair.client.receive_data(bytes(damaged), 0.0)
    assert pair.client.data_to_send() == RESYNC
    before = pair.client.view.tolist()
    pair.client.receive_data(bytes(a_diff(pair)), 0.0)  # built before RESYNC arrived
    pair.session.ping(0.0)
    pair.client.receive_data(pair.conn.data_to_send(), 0.0)
    assert kinds(pair.client.data_to_send()) == [Kind.ACK]
    assert pair.client.view.tolist() == before
    pair.serve(RESYNC)
    data = pair.conn.data_to_send()
    assert kinds(data) == [Kind.CLOCK]
    assert pair.client.receive_data(data, 0.0) == [Mirror(full=True)]
    assert not pair.client.stale
    pair.client.receive_data(bytes(a_diff(pair)), 0.0)
    assert pair.client.view.tolist() == pair.toy.ticks


def test_wir_26_five_resyncs_without_a_good_diff_end_the_connection() -> None:
    pair = Pair(limits=replace(Limits(), resyncs=5))
    for _ in range(5):
        pair.client.receive_data(frame(Kind.DIFF, b"\x09\0\0\0\0", encode([1])), 0.0)
        pair.shuttle()
        assert pair.client.open
    events = pair.client.receive_data(frame(Kind.DIFF, b"\x09\0\0\0\0", encode([1])), 0.0)
    assert codes(events) == [Code.GAP]
    assert not pair.client.terminal


def test_wir_26_a_good_diff_between_starts_the_count_anew() -> None:
    pair = Pair()
    for _ in range(20):
        pair.client.receive_data(frame(Kind.DIFF, b"\x09\0\0\0\0", encode([1])), 0.0)
        pair.shuttle()
        pair.client.receive_data(bytes(a_diff(pair)), 0.0)
    assert pair.client.open
    assert pair.client.resynced == 20


def test_wir_26_sync_is_a_call_of_op_nop() -> None:
    pair = Pair(push=None)
    pair.toy.run(Op.ADD, [0])
    cid = pair.client.call(Op.NOP, [])
    assert of(pair.shuttle(), Replied) == [Replied(cid, 0)]
    assert pair.client.view[0] == 1


def test_a_new_connection_makes_a_stale_mirror_live() -> None:
    pair = Pair()
    damaged = a_diff(pair)
    damaged[-1] += 1
    pair.client.receive_data(bytes(damaged), 0.0)
    pair.cut()
    assert pair.client.stale
    pair.connect()
    assert not pair.client.stale
    assert pair.client.view.tolist() == pair.toy.ticks
