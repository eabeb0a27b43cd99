from __future__ import annotations

import random
from dataclasses import replace

import pytest

from amctl.rpc.wire import Kind, Limits, Mirror, Op, Stepped, Sync
from amctl.rpc.wire.clocks import digest
from amctl.rpc.wire.session_state import ClockLink
from tests.rpc.wire.pairs import Pair, kinds, of


def test_wir_17_ones_own_calls_need_no_pushes() -> None:
    pair = Pair(push=None)
    pair.toy.run(Op.ADD, [3])
    assert pair.conn.data_to_send() == b""
    assert pair.conn.next_timer() == 10.0
    pair.client.call(Op.ADD, [2])
    pair.serve(pair.client.data_to_send())
    down = pair.conn.data_to_send()
    assert kinds(down) == [Kind.DIFF, Kind.REPLY]
    pair.client.receive_data(down, 0.0)
    assert pair.client.view.tolist() == [0, 0, 1, 1]


def test_wir_17_the_interval_throttles_what_nobody_asked_for() -> None:
    pair = Pair(push=0.25)
    pair.toy.run(Op.ADD, [0])
    assert pair.conn.next_timer() == 0.25
    pair.conn.tick(0.2)
    assert pair.conn.data_to_send() == b""
    pair.toy.run(Op.ADD, [1])
    pair.conn.tick(0.25)
    assert pair.conn.next_timer() == 10.0  # nothing but the transport is waited for
    assert kinds(pair.conn.data_to_send()) == [Kind.DIFF]
    pair.toy.run(Op.ADD, [2])
    assert pair.conn.next_timer() == 0.5


def test_wir_17_the_first_push_after_a_quiet_time_does_not_wait() -> None:
    pair = Pair(push=0.25)
    pair.toy.run(Op.ADD, [0])
    due = pair.conn.next_timer()
    assert due is not None
    assert due <= 5.0
    pair.conn.tick(5.0)
    assert kinds(pair.conn.data_to_send()) == [Kind.DIFF]


def test_a_reply_resets_the_interval() -> None:
    pair = Pair(push=0.25)
    pair.conn.tick(0.2)
    pair.client.call(Op.ADD, [0])
    pair.now = 0.2
    pair.shuttle()
    pair.toy.run(Op.ADD, [1])
    assert pair.conn.next_timer() == pytest.approx(0.45)


def test_wir_23_untracked_states_are_zero() -> None:
    pair = Pair(sync=Sync(allowed=("a", "c", "zzz"), skipped=("c",)))
    pair.toy.run(Op.SET, [0, 1, 2])
    pair.shuttle()
    assert pair.client.names == ["a", "b", "c", "d"]
    assert pair.client.view.tolist() == [1, 0, 0, 0]


def test_wir_23_without_schema_only_tracked_states_exist() -> None:
    pair = Pair(sync=Sync(schema=False, allowed=("d", "b")))
    pair.toy.run(Op.SET, [0, 1, 3])
    pair.shuttle()
    assert pair.client.names == ["b", "d"]
    assert pair.client.schema is None
    assert pair.client.view.tolist() == [1, 1]
    pair.client.call(Op.REMOVE, [1], {"n": ["d"]})
    pair.shuttle()
    assert pair.client.view.tolist() == [1, 2]


def test_wir_23_shallow_counts_changes_of_parity() -> None:
    pair = Pair(sync=Sync(shallow=True))
    pair.toy.run(Op.ADD, [0])
    pair.toy.run(Op.ADD, [0])
    pair.shuttle()
    assert (pair.toy.ticks[0], pair.client.view[0]) == (3, 1)
    pair.toy.run(Op.REMOVE, [0])
    pair.shuttle()
    assert (pair.toy.ticks[0], pair.client.view[0]) == (4, 2)
    pair.cut()
    pair.connect()
    assert pair.client.view[0] == 0


def test_shallow_is_void_in_per_mutation_mode() -> None:
    pair = Pair(sync=Sync(shallow=True, steps=True))
    pair.toy.run(Op.ADD, [0])
    pair.toy.run(Op.ADD, [0])
    pair.shuttle()
    assert pair.client.view[0] == 3


def test_wir_23_both_ends_have_the_same_digest() -> None:
    pair = Pair()
    pair.toy.run(Op.ADD, [1])
    data = pair.conn.data_to_send()
    expected = digest(pair.session.view, pair.toy.q, pair.toy.m)
    assert int.from_bytes(data[3:7], "little") == expected
    pair.client.receive_data(data, 0.0)
    assert digest(pair.client.view, pair.client.q, pair.client.m) == expected


@pytest.mark.parametrize("touched", [True, False])
def test_what_is_remembered_and_what_is_compared_give_the_same_diff(touched: bool) -> None:
    for seed in range(30):
        rng = random.Random(seed)
        sync = Sync(
            schema=rng.random() < 0.5,
            allowed=rng.choice([None, ("a", "c"), ("b", "c", "d")]),
            shallow=rng.random() < 0.3,
        )
        pair = Pair(sync=sync)
        for _ in range(20):
            pair.toy.run(rng.choice([Op.ADD, Op.REMOVE, Op.TOGGLE]), [rng.randrange(4)])
            if not touched:
                pair.session.touched = None
            if rng.random() < 0.5:
                pair.shuttle()
        pair.shuttle()
        assert pair.client.resynced == 0
        if sync.shallow:
            assert [t & 1 for t in pair.client.view] == pair.session.current()
        else:
            assert pair.client.view.tolist() == pair.session.current()


def test_wir_24_falling_ticks_and_a_new_machine_tick_travel_as_clock() -> None:
    pair = Pair()
    pair.toy.run(Op.ADD, [0])
    pair.shuttle()
    for change in ("ticks", "m", "q"):
        if change == "ticks":
            pair.toy.ticks = [0, 0, 0, 0]
        elif change == "m":
            pair.toy.m = 2
        else:
            pair.toy.q = 0
        for listener in pair.toy.listeners:
            listener(99, [], [(0, 0)])
        data = pair.conn.data_to_send()
        assert kinds(data) == [Kind.CLOCK]
        assert of(pair.client.receive_data(data, 0.0), Mirror) == [Mirror(full=True)]
        mirror = (pair.client.view.tolist(), pair.client.q, pair.client.m)
        assert mirror == (pair.toy.ticks, pair.toy.q, pair.toy.m)


@pytest.mark.parametrize("sync", [Sync(), Sync(allowed=("b",)), Sync(steps=True)])
def test_wir_25_a_transition_that_only_moves_the_queue_tick_is_told(sync: Sync) -> None:
    pair = Pair(sync=sync, push=0.25)
    pair.toy.run(Op.ADD, [0], {"veto": 1})
    assert pair.conn.data_to_send() == b""
    pair.conn.tick(0.25)
    data = pair.conn.data_to_send()
    assert kinds(data) == [Kind.STEP if sync.steps else Kind.DIFF]
    pair.client.receive_data(data, 0.25)
    assert pair.client.q == pair.toy.q


def test_wir_27_each_transition_is_a_step() -> None:
    pair = Pair(sync=Sync(steps=True, skipped=("d",)))
    pair.toy.run(Op.ADD, [0])
    pair.toy.run(Op.SET, [1, 3])
    events = pair.shuttle()
    assert events[0::2] == [Stepped(Op.ADD, [0]), Stepped(Op.SET, [1])]
    assert of(events, Mirror) == [Mirror(), Mirror()]
    assert pair.client.view.tolist() == [2, 1, 0, 0]


def test_wir_27_too_many_steps_collapse_into_one_diff() -> None:
    pair = Pair(sync=Sync(steps=True), limits=replace(Limits(), steps=10))
    for _ in range(10):
        pair.toy.run(Op.TOGGLE, [0])
    assert len(of(pair.shuttle(), Stepped)) == 10
    for _ in range(11):
        pair.toy.run(Op.TOGGLE, [0])
    data = pair.conn.data_to_send()
    assert kinds(data) == [Kind.DIFF]
    assert not pair.session.steps
    pair.client.receive_data(data, 0.0)
    assert pair.client.view.tolist() == pair.toy.ticks
    pair.toy.run(Op.TOGGLE, [0])
    assert len(of(pair.shuttle(), Stepped)) == 1


def test_steps_that_wait_are_void_after_a_reconnect() -> None:
    pair = Pair(sync=Sync(steps=True))
    pair.toy.run(Op.TOGGLE, [0])
    pair.cut()
    pair.toy.run(Op.TOGGLE, [0])
    assert of(pair.connect(), Stepped) == []
    assert pair.client.view.tolist() == pair.toy.ticks


def test_a_session_takes_part_in_the_source_only_while_it_lives() -> None:
    pair = Pair()
    assert isinstance(pair.session, ClockLink)
    assert len(pair.toy.listeners) == 1
    pair.client.goodbye()
    pair.serve(pair.client.data_to_send())
    assert pair.toy.listeners == []
