from __future__ import annotations

from dataclasses import replace

import pytest

from amctl.rpc.wire import (
    Backpressure,
    Call,
    Code,
    EncodeError,
    Kind,
    Limits,
    Mirror,
    Op,
    Paid,
    Replied,
    encode,
)
from amctl.rpc.wire.framer import Framer, frame
from tests.rpc.wire.pairs import Pair, codes, kinds, of


def test_wir_4_what_goes_out_first() -> None:
    """Control frames, what is sent again, replies after their clock, clocks, bulk."""
    pair = Pair(run=False)
    session = pair.session
    session.send_payload("again", 1)
    pair.conn.data_to_send()
    pair.client.call(Op.ADD, [0])
    pair.serve(pair.client.data_to_send())
    session.send_payload("bulk", bytes(20_000))
    session.cursor -= 1  # as after a resume
    pair.toy.run(Op.ADD, [0])
    session.reply(0)
    pair.toy.run(Op.ADD, [1])
    session.ping(0.0)
    assert kinds(pair.conn.data_to_send()) == [
        Kind.PING,
        Kind.PAYLOAD,
        Kind.DIFF,
        Kind.REPLY,
        Kind.PART,
        Kind.PAYLOAD,
    ]


def test_wir_4_output_is_built_when_it_is_pulled() -> None:
    pair = Pair()
    for _ in range(5000):
        pair.toy.run(Op.TOGGLE, [0, 2])
    data = pair.conn.data_to_send()
    assert len(data) <= 20
    assert pair.client.receive_data(data, 0.0) == [Mirror(full=False)]
    assert pair.client.view.tolist() == pair.toy.ticks


def test_output_keeps_to_the_limit_of_the_pull() -> None:
    pair = Pair()
    for i in range(100):
        pair.session.send_payload(f"p{i}", bytes(90))
    sizes = []
    while data := pair.conn.data_to_send(500):
        sizes.append(len(data))
    assert max(sizes) <= 500 + 110
    assert len(sizes) > 15


def test_wir_21_a_full_window_stops_bulk_and_a_full_queue_the_caller() -> None:
    lim = Limits(window_bytes=4096, chunk=1024, queue_bytes=1 << 16)
    pair = Pair(limits=lim)
    session, sent, queued = pair.session, 0, 0
    while session.bulk_bytes + 1100 <= lim.queue_bytes:
        session.send_payload("p", bytes(1000))
        queued += 1
        sent += len(pair.conn.data_to_send())  # the client never acknowledges
    with pytest.raises(Backpressure) as caught:
        session.send_payload("p", bytes(1100))
    assert caught.value.items == len(session.bulk)
    assert 4096 <= sent < 4096 + 1024 + 64
    assert session.memory() < 4096 + 2048 + (1 << 16)
    pids = session.pids
    assert pids == queued
    pair.cut()
    assert len(of(pair.connect(), Paid)) == queued  # nothing that was queued is lost


def test_wir_21_a_queue_has_a_bound_on_items_too() -> None:
    pair = Pair(limits=replace(Limits(), queue_items=3), connect=False)
    for _ in range(3):
        pair.client.call(Op.NOP, [])
    with pytest.raises(Backpressure):
        pair.client.call(Op.NOP, [])
    assert pair.client.cids == 3


def test_wir_21_at_most_a_window_of_calls_is_unanswered() -> None:
    pair = Pair(limits=Limits(window_frames=50, queue_items=5000), run=False)
    for _ in range(3000):
        pair.client.call(Op.NOP, [])
    session = pair.session
    for _ in range(200):  # the server runs the calls, but its replies are held; only ACKs flow
        for _call in of(pair.serve(pair.client.data_to_send()), Call):
            session.reply(0)
        acks = bytearray()
        session._write_ack(acks)
        pair.client.receive_data(bytes(acks), 0.0)
    assert len(session.urgent) == 50
    pair.run = True
    pair.shuttle()
    assert not pair.client.pending
    assert not session.urgent


def test_wir_21_a_client_that_ignores_the_window_is_dropped() -> None:
    lim = replace(Limits(), window_frames=10, window_bytes=1000)
    pair = Pair(limits=lim, run=False)
    call = encode([int(Op.NOP), []])
    data = b"".join(frame(Kind.CALL, bytes((n & 255,)), call) for n in range(1, 40))
    assert codes(pair.serve(data)) == [Code.OVERLOADED]
    pair = Pair(limits=lim)
    n = 0
    while True:  # never acknowledges the replies
        n += 1
        ended = codes(pair.serve(frame(Kind.CALL, bytes((n & 255,)), call)))
        pair.conn.data_to_send()
        if ended:
            break
        assert pair.session.outbox_bytes <= 4 * lim.window_bytes + 10
    assert ended == [Code.OVERLOADED]


def test_wir_21_a_host_that_is_slow_bounds_the_bytes_of_waiting_calls() -> None:
    lim = replace(Limits(), message=5000, window_bytes=1000)
    pair = Pair(limits=lim, run=False)
    call = encode([int(Op.NOP), [], bytes(2000)])
    data = b"".join(frame(Kind.CALL, bytes((n,)), call) for n in range(1, 9))
    assert codes(pair.serve(data)) == [Code.OVERLOADED]


def test_wir_22_replies_overtake_a_large_payload_which_stays_in_order() -> None:
    pair = Pair(limits=Limits(window_bytes=1 << 16))
    session = pair.session
    session.send_payload("big", bytes(1_000_000))
    session.send_payload("small", 1)
    first = pair.conn.data_to_send(4096)
    assert set(kinds(first)) == {Kind.PART}
    pair.client.receive_data(first, 0.0)
    pair.client.call(Op.ADD, [0])
    pair.serve(pair.client.data_to_send())
    events = pair.client.receive_data(pair.conn.data_to_send(4096), 0.0)
    assert len(of(events, Replied)) == 1
    assert pair.client.view[0] == 1
    events = pair.shuttle()
    assert [e.name for e in of(events, Paid)] == ["big", "small"]
    assert of(events, Paid)[0].data == bytes(1_000_000)


def test_wir_22_parts_join_the_next_call_note_or_payload() -> None:
    pair = Pair(limits=replace(Limits(), chunk=100))
    pair.client.call(Op.ADD, [0], {"u": 0, "x": bytes(950)})
    pair.client.call(Op.ADD, [0], {"u": 1, "x": bytes(950)}, wants=False)
    data = pair.client.data_to_send()
    assert kinds(data).count(Kind.PART) == 18
    (call, note) = of(pair.serve(data), Call)
    assert call.args["x"] == note.args["x"] == bytes(950)
    assert (call.wants, note.wants) == (True, False)


def test_parts_survive_a_reconnect() -> None:
    pair = Pair(limits=replace(Limits(), chunk=100))
    pair.client.call(Op.ADD, [0], {"u": 0, "x": bytes(950)})
    data = pair.client.data_to_send()
    pair.serve(data[:500])
    assert len(pair.session.parts) > 300
    pair.cut()
    (call,) = of(pair.connect(), Call)
    assert call.args["x"] == bytes(950)


def test_a_message_has_a_largest_size_on_both_ends() -> None:
    lim = replace(Limits(), message=1000, chunk=100)
    pair = Pair(limits=lim)
    with pytest.raises(EncodeError):
        pair.client.call(Op.ADD, [0], bytes(1000))
    assert pair.client.cids == 0
    assert not pair.client.bulk
    part = bytes(100)
    data = b"".join(frame(Kind.PART, bytes((n,)), part) for n in range(1, 12))
    assert codes(pair.serve(data)) == [Code.TOO_BIG]
    pair = Pair(limits=lim)
    data = b"".join(frame(Kind.PART, bytes((n,)), part) for n in range(1, 11))
    assert codes(pair.serve(data)) == []
    assert codes(pair.serve(frame(Kind.CALL, b"\x0b", part))) == [Code.TOO_BIG]


def test_frames_have_the_documented_sizes() -> None:
    pair = Pair([f"s{i}" for i in range(45)], push=None)
    pair.client.call(Op.ADD, [3])
    up = pair.client.data_to_send()
    assert len(up) == 7
    pair.serve(up)
    down = Framer(1 << 20).feed(pair.conn.data_to_send())
    assert [len(one) + 1 for one in down] == [11, 5]  # one under the table: result 0 isn't sent
