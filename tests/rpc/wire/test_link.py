from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amctl.rpc.wire import (
    Closed,
    Code,
    Conn,
    Delivered,
    Kind,
    Limits,
    Op,
    Opened,
    Paid,
    Replied,
    encode,
)
from amctl.rpc.wire.framer import frame
from tests.rpc.wire.pairs import Pair, codes, hello, kinds, of

MESSAGES = [Kind.CALL, Kind.NOTE, Kind.REPLY, Kind.PAYLOAD, Kind.FIRED, Kind.PART]


def ack(n: int) -> bytes:
    return frame(Kind.ACK, struct.pack("<H", n))


def numbered(kind: int, n: int, body: bytes) -> bytes:
    return frame(kind, bytes((n & 255,)), body)


# ---- malformed frames


MALFORMED = [
    b"\x01\x10",
    b"\x02\x10\x01",
    numbered(Kind.CALL, 1, b"\xc1"),
    numbered(Kind.CALL, 1, b"\x90"),
    numbered(Kind.CALL, 1, b"\xdd\xff\xff\xff\xff"),
    numbered(Kind.CALL, 1, b"\x91" * 200_000),
    numbered(Kind.CALL, 1, encode([0, "abc"])),
    numbered(Kind.CALL, 1, encode([7, []])),
    numbered(Kind.CALL, 1, encode([7, [99]])),
    numbered(Kind.CALL, 1, encode([5, [1]])),
    numbered(Kind.CALL, 1, encode([6, []])),
    numbered(Kind.CALL, 1, encode([8, [], 5])),
    numbered(Kind.CALL, 1, encode([8, [], [5]])),
    numbered(Kind.CALL, 1, encode([8, [], [[0]]])),
    numbered(Kind.CALL, 1, encode([8, [], [[0, [None]]]])),
    numbered(Kind.CALL, 1, encode([8, [], [["0", []]]])),
    numbered(Kind.CALL, 1, encode([0, [0], None, "", 0, bytes(513)])),
    numbered(Kind.PART, 1, b""),
    numbered(Kind.REPLY, 1, encode([0, 0])),
    numbered(Kind.PAYLOAD, 1, encode(["x", 1])),
    numbered(Kind.FIRED, 1, encode([0, 1])),
    frame(Kind.PING),
    frame(Kind.PING, b"\0"),
    frame(Kind.PING, b"\0\0\0"),
    frame(Kind.ACK, b"\0"),
    frame(Kind.ACK, b"\0\0\0"),
    ack(5),
    frame(Kind.BYE),
    frame(Kind.BYE, encode(["x"])),
    frame(Kind.RESYNC, b"\0"),
    frame(Kind.WELCOME, b"\x80"),
    frame(Kind.CLOCK, encode([1, 1, []])),
    frame(Kind.DIFF, b"\x01\0\0\0\0", encode([1])),
    hello(),
    frame(6),
    frame(22),
    frame(32),
    frame(255),
    b"\x00",
]


@pytest.mark.parametrize("data", MALFORMED)
def test_wir_2_a_malformed_frame_ends_the_connection_and_raises_nothing(data: bytes) -> None:
    pair = Pair()
    session = pair.session
    before = session.recv
    assert before == 0
    assert codes(pair.serve(data)) == [Code.PROTOCOL]
    assert kinds(pair.conn.data_to_send()) == [Kind.BYE]
    assert pair.hub.sessions == {}
    assert session.ended


FROM_SERVER = [
    numbered(Kind.CALL, 1, encode([0, [0]])),
    numbered(Kind.REPLY, 1, encode([1, 0])),
    numbered(Kind.REPLY, 1, encode([1, "x"])),
    numbered(Kind.PAYLOAD, 1, encode(["x"])),
    numbered(Kind.PAYLOAD, 1, b"\x92\xa1x\xd6\xff\0\0\0\0"),
    numbered(Kind.FIRED, 1, encode(["x", 1])),
    frame(Kind.PING, b"\0\0"),
    frame(Kind.PING, b"\0\0\0\0"),
    frame(Kind.RESYNC),
    frame(Kind.CLOCK, encode([1, 1, [0]])),
    frame(Kind.CLOCK, encode([1, 1, [-1, 0, 0, 0]])),
    frame(Kind.CLOCK, encode([1, 1, ["x"]])),
    frame(Kind.CLOCK, encode({})),
    frame(Kind.DIFF),
    frame(Kind.DIFF, b"\x01\0\0\0\0", encode([])),
    frame(Kind.DIFF, b"\x01\0\0\0\0", encode([None])),
    frame(Kind.STEP, b"\x01\0\0\0\0", encode([1])),
    frame(Kind.WELCOME, b"\x80"),
    ack(9),
]


@pytest.mark.parametrize("data", FROM_SERVER)
def test_wir_2_a_client_is_as_strict_with_its_server(data: bytes) -> None:
    pair = Pair()
    events = pair.client.receive_data(data, 0.0)
    assert codes(events) == [Code.PROTOCOL]
    assert pair.client.terminal
    assert kinds(pair.client.data_to_send()) == [Kind.BYE]


def test_nothing_after_a_fatal_frame_is_looked_at() -> None:
    pair = Pair()
    events = pair.serve(frame(255) + numbered(Kind.CALL, 1, encode([0, [0]])) + frame(254))
    assert [type(event) for event in events] == [Closed]
    assert pair.serve(numbered(Kind.CALL, 1, encode([0, [0]]))) == []
    assert pair.toy.q == 1


@settings(max_examples=150)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=6), st.booleans(), st.integers(0, 40))
def test_wir_2_garbage_never_raises(pieces: list[bytes], opened: bool, kind: int) -> None:
    pair = Pair(limits=Limits(hello=300, frame=300), connect=opened)
    for piece in pieces:
        for data in (piece, frame(kind, piece)):
            pair.conn.receive_data(data, 0.0)
            pair.client.receive_data(data, 0.0)
            pair.conn.data_to_send()
            pair.client.data_to_send()
    if pair.conn.session:
        assert pair.conn.session.memory() < 10_000


@settings(max_examples=150)
@given(st.data())
def test_wir_2_numbered_frames_with_any_value_inside_never_raise(data: st.DataObject) -> None:
    pair = Pair(run=False)
    scalars = st.none() | st.integers(-(2**40), 2**40) | st.text(max_size=5) | st.binary(max_size=5)
    values = st.recursive(scalars, lambda x: st.lists(x, max_size=6), max_leaves=12)
    calls = st.tuples(st.integers(0, 9), st.lists(st.integers(-2, 5), max_size=3), values).map(list)
    for i in range(data.draw(st.integers(1, 6))):
        kind = data.draw(st.sampled_from(MESSAGES))
        one = numbered(kind, 1 + i, encode(data.draw(values | calls)))
        pair.conn.receive_data(one, 0.0)
        pair.client.receive_data(one, 0.0)
        pair.conn.data_to_send()


# ---- numbers


def test_wir_7_recv_counts_what_was_accepted_and_ack_what_was_dealt_with() -> None:
    pair = Pair(run=False)
    for _ in range(3):
        pair.client.call(Op.ADD, [0], wants=False)
    pair.serve(pair.client.data_to_send())
    session = pair.session
    assert (session.recv, session.done) == (3, 0)
    session.ran()
    assert (session.recv, session.done) == (3, 1)
    session.tick(1.0)
    pair.client.receive_data(pair.conn.data_to_send(), 1.0)
    assert (pair.client.sent, pair.client.acked) == (3, 1)
    pair.cut()
    pair.connect()  # resume goes by recv: nothing is sent again
    assert pair.client.acked == 3
    assert session.recv == 3


def test_wir_8_each_end_sends_again_what_the_other_does_not_have() -> None:
    pair = Pair()
    session = pair.session
    for i in range(4):
        pair.client.call(Op.TOGGLE, [0], {"u": i})
        session.send_payload(f"p{i}", i)
    up, down = pair.client.data_to_send(), pair.conn.data_to_send()
    pair.serve(up[: len(up) // 2])
    pair.client.receive_data(down[: len(down) // 2], 0.0)
    some = (session.recv, pair.client.recv)
    assert 0 < some[0] < 4
    assert 0 < some[1] < 4
    pair.cut()
    events = pair.connect()
    assert [uid for uid, _, _ in pair.toy.log] == [0, 1, 2, 3]
    assert [e.data for e in of(events, Paid)] == list(range(some[1], 4))
    assert len(of(events, Delivered)) == 4
    assert len(of(events, Replied)) == 4
    assert not pair.client.outbox


def test_wir_8_an_impossible_resume_point_is_refused() -> None:
    for recv in (1, 7):
        pair = Pair()
        pair.cut()
        pair.client.recv = recv
        assert codes(pair.connect())[0] == Code.PROTOCOL


def test_wir_8_an_ack_during_the_resend_is_taken_at_its_word() -> None:
    pair = Pair(run=False)
    for i in range(3):
        pair.session.send_payload(f"p{i}", i)
    pair.conn.data_to_send()
    pair.cut()
    pair.client.connection_made(0.0)
    pair.conn = Conn(pair.hub, 0.0)
    pair.serve(pair.client.data_to_send())
    pair.serve(ack(2))  # odd, but possible: the numbers were sent
    assert kinds(pair.conn.data_to_send()) == [Kind.WELCOME, Kind.PAYLOAD]
    assert pair.session.cursor == pair.session.sent == 3


def test_wir_8_a_client_checks_the_resume_point_too() -> None:
    for fields in ({"recv": 5}, {"session": b"other"}):
        pair = Pair()
        pair.cut()
        pair.client.connection_made(0.0)
        conn = Conn(pair.hub, 0.0)
        conn.receive_data(pair.client.data_to_send(), 0.0)
        conn.data_to_send()
        welcome = {"session": pair.client.session, "resumed": True, "id": "src", **fields}
        body = encode({**welcome, "hash": pair.client.hash, "ticks": [0] * 4})
        assert codes(pair.client.receive_data(frame(Kind.WELCOME, body), 0.0)) == [Code.PROTOCOL]


def test_wir_9_a_gap_ends_the_connection_and_resume_repairs_it() -> None:
    pair = Pair()
    pair.client.call(Op.ADD, [0], {"u": 0})
    pair.client.data_to_send()  # swallowed by a broken path
    pair.client.call(Op.ADD, [1], {"u": 1})
    assert codes(pair.serve(pair.client.data_to_send())) == [Code.GAP]
    (heard,) = of(pair.shuttle(), Closed)
    assert heard.retry
    pair.cut()
    pair.connect()
    assert [uid for uid, _, _ in pair.toy.log] == [0, 1]


def test_wir_9_a_doubled_frame_is_a_gap_too() -> None:
    pair = Pair()
    pair.client.call(Op.ADD, [0], {"u": 0})
    data = pair.client.data_to_send()
    assert codes(pair.serve(data + data)) == [Code.GAP]
    assert len(pair.toy.log) == 1


def test_wir_10_a_reply_acknowledges_its_call_and_all_before_it() -> None:
    pair = Pair()
    pair.client.call(Op.ADD, [0], wants=False)
    pair.client.call(Op.ADD, [1])
    pair.serve(pair.client.data_to_send())
    down = pair.conn.data_to_send()
    assert Kind.ACK not in kinds(down)
    pair.client.receive_data(down, 0.0)
    assert pair.client.acked == 2
    assert not pair.client.outbox
    for _ in range(100):
        pair.client.call(Op.ADD, [1])
    pair.serve(pair.client.data_to_send())
    assert Kind.ACK not in kinds(pair.conn.data_to_send())
    pair.conn.tick(1.0)
    assert pair.conn.data_to_send() == b""


def test_wir_10_acks_go_out_after_32_frames_a_quarter_window_or_a_second() -> None:
    pair = Pair(push=None)
    for _ in range(31):
        pair.client.call(Op.NOP, [], wants=False)
    pair.serve(pair.client.data_to_send())
    assert pair.conn.data_to_send() == b""
    assert pair.conn.next_timer() == 1.0
    pair.client.call(Op.NOP, [], wants=False)
    pair.serve(pair.client.data_to_send())
    assert kinds(pair.conn.data_to_send()) == [Kind.ACK]

    pair.client.call(Op.NOP, [], bytes(64 << 10), wants=False)
    pair.serve(pair.client.data_to_send(1 << 20))
    assert kinds(pair.conn.data_to_send()) == [Kind.ACK]

    pair.client.call(Op.NOP, [], wants=False)
    pair.serve(pair.client.data_to_send())
    pair.conn.tick(0.9)
    assert pair.conn.data_to_send() == b""
    pair.conn.tick(1.0)
    assert kinds(pair.conn.data_to_send()) == [Kind.ACK]


def test_wir_10_acks_go_out_at_once_after_a_payload_a_ping_and_a_welcome() -> None:
    pair = Pair(connect=False)
    pair.client.connection_made(0.0)
    pair.serve(pair.client.data_to_send())
    pair.client.receive_data(pair.conn.data_to_send(), 0.0)
    assert kinds(pair.client.data_to_send()) == [Kind.ACK]
    pair.serve(ack(0))
    pair.session.send_payload("x", 1)
    pair.client.receive_data(pair.conn.data_to_send(), 0.0)
    assert kinds(pair.client.data_to_send()) == [Kind.ACK]
    pair.client.ping(0.0)
    pair.serve(pair.client.data_to_send() + ack(1))
    assert kinds(pair.conn.data_to_send()) == [Kind.ACK]


@pytest.mark.slow
def test_numbers_wrap_around() -> None:
    pair, uid = Pair(push=None), 0
    for turn in range(700):
        pair.now = float(turn)
        for _ in range(100):
            pair.client.call(Op.TOGGLE, [uid % 4], {"u": uid})
            uid += 1
        if turn % 50 == 49:  # cut with everything in flight, at the server only half read
            data = pair.client.data_to_send()
            pair.serve(data[: len(data) // 2])
            pair.cut()
            pair.connect()
        pair.shuttle()
        pair.session.ping(pair.now)
        pair.client.ping(pair.now)
        pair.shuttle()
        assert pair.client.open
        assert not pair.client.stale
    assert pair.client.sent > 65536
    assert [u for u, _, _ in pair.toy.log] == list(range(uid))
    assert not pair.client.pending
    assert pair.client.view.tolist() == pair.toy.ticks


# ---- liveness


def test_wir_28_a_ping_goes_out_every_ten_seconds_and_is_answered() -> None:
    pair = Pair()
    assert pair.client.next_timer() == 10.0
    assert not of(pair.until(100.0), Closed)
    assert pair.client.open
    assert pair.client.last_ping == pair.session.last_ping == 100.0


def test_wir_28_silence_of_five_seconds_after_it_closes() -> None:
    for end in ("client", "conn"):
        pair = Pair()
        side = getattr(pair, end)
        side.tick(10.0)
        assert kinds(side.data_to_send()) == [Kind.PING]
        assert side.next_timer() == 15.0
        assert side.tick(14.9) == []
        events = [e[1] if end == "conn" else e for e in side.tick(15.0)]
        assert codes(events) == [Code.TIMEOUT]
    assert pair.session.session == pair.client.session


def test_wir_28_any_byte_is_a_sign_of_life() -> None:
    pair = Pair()
    pair.client.tick(10.0)
    pair.client.receive_data(b"\x05", 12.0)
    assert pair.client.next_timer() == 20.0


def test_wir_28_a_ping_finds_a_lost_last_frame() -> None:
    pair = Pair()
    pair.session.send_payload("x", 1)
    pair.conn.data_to_send()  # swallowed, and nothing follows
    pair.session.ping(2.0)
    assert codes(pair.client.receive_data(pair.conn.data_to_send(), 2.0)) == [Code.GAP]
    pair.serve(pair.client.data_to_send())
    pair.cut()
    events = pair.connect()
    assert [e.name for e in of(events, Paid)] == ["x"]
    assert of(events, Delivered) == [Delivered(1)]


def test_wir_28_a_ping_finds_a_lost_last_diff() -> None:
    pair = Pair()
    pair.toy.run(Op.ADD, [1])
    assert kinds(pair.conn.data_to_send()) == [Kind.DIFF]  # swallowed, and nothing follows
    pair.session.ping(1.0)
    pair.client.receive_data(pair.conn.data_to_send(), 1.0)
    assert pair.client.stale
    pair.shuttle()
    assert pair.client.view.tolist() == pair.toy.ticks


def test_wir_29_after_a_sleep_the_peer_is_asked_before_it_is_judged() -> None:
    pair = Pair()
    pair.client.tick(10.0)  # pinged, and then the lid is closed
    assert pair.client.tick(60.0) == []
    assert pair.client.open
    assert pair.client.next_timer() == 65.0
    pair.now = 60.0
    pair.shuttle()
    assert pair.client.pinged < 0
    pair = Pair()
    pair.client.tick(10.0)
    pair.client.tick(60.0)
    assert codes(pair.client.tick(65.0)) == [Code.TIMEOUT]


def test_a_client_without_a_welcome_gives_up() -> None:
    pair = Pair(connect=False)
    pair.client.connection_made(5.0)
    assert pair.client.next_timer() == 8.0
    assert pair.client.tick(7.9) == []
    assert codes(pair.client.tick(8.0)) == [Code.TIMEOUT]
    assert pair.client.next_timer() is None


def test_a_timer_at_any_time_moves_when_it_is_ticked() -> None:
    """A host that ticks exactly at the asked time must not be asked for the same time again."""
    for start in (0.1, 0.7, 1e6 + 0.3):
        pair = Pair(push=0.1, limits=replace(Limits(), ping=0.7, pong=0.3, ack_delay=0.2))
        pair.now = start
        pair.connect()
        for step in range(200):
            if step % 3 == 0:
                pair.toy.run(Op.TOGGLE, [0])
                pair.client.call(Op.NOP, [], wants=False)
            for end in (pair.client, pair.conn):
                due = end.next_timer()
                if due is not None and due <= pair.now:
                    end.tick(pair.now)
                    again = end.next_timer()
                    assert again is None or again > pair.now
            pair.shuttle()
            timers = [t for t in (pair.client.next_timer(), pair.conn.next_timer()) if t]
            pair.now = max(pair.now, min(timers))
        assert pair.client.open


def test_events_that_nobody_collected_make_the_timer_due() -> None:
    pair = Pair()
    pair.client.events.append(Opened(True, b""))
    pair.client.last_tick = 3.0
    assert pair.client.next_timer() == 3.0
    assert pair.client.tick(3.0) == [Opened(True, b"")]
