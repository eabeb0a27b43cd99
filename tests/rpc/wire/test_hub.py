from __future__ import annotations

import hmac
from typing import Any

import pytest

from amctl.rpc.wire import (
    ClientCore,
    Closed,
    Code,
    Conn,
    Failed,
    Hub,
    Kind,
    Limits,
    Lost,
    Mirror,
    Op,
    Opened,
    Replied,
    Sync,
)
from amctl.rpc.wire.codec import decode
from amctl.rpc.wire.framer import Framer, frame, varint
from amctl.rpc.wire.messages import Welcome
from tests.rpc.wire.pairs import ID, TOKEN, Pair, codes, hello, kinds, of
from tests.rpc.wire.toy import Toy


def refused(hub: Hub, data: bytes) -> int:
    """Feed the first bytes of a connection; it must be refused, harming nothing."""
    conn, before = Conn(hub, 0.0), dict(hub.sessions)
    ((session, event),) = conn.receive_data(data, 0.0)
    assert session is None
    assert isinstance(event, Closed)
    assert conn.closed
    assert kinds(conn.data_to_send()) == [Kind.BYE]
    assert conn.data_to_send() == b""
    assert hub.sessions == before
    return event.code


# ---- before HELLO


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GE",
        b"\x16\x03\x01",
        b"\x50\x02",
        b"\xff\x10\x02",
        frame(Kind.CALL, b"\x01\x92\x00\x90"),
        frame(Kind.PING, b"\0\0"),
        hello() + frame(Kind.ACK, b"\0\0"),
        hello() + b"\x05",
    ],
)
def test_wir_3_before_hello_only_hello_is_accepted_and_alone(data: bytes) -> None:
    assert refused(Pair().hub, data) == Code.PROTOCOL


def test_wir_3_a_hello_must_come_within_three_seconds() -> None:
    conn = Conn(Pair(connect=False).hub, 10.0)
    conn.receive_data(b"\x50\x01", 10.0)
    assert conn.next_timer() == 13.0
    assert conn.tick(12.9) == []
    assert [e.code for _, e in conn.tick(13.0) if isinstance(e, Closed)] == [Code.TIMEOUT]
    assert conn.next_timer() is None
    assert conn.tick(14.0) == []


def test_a_hello_may_come_byte_by_byte() -> None:
    pair = Pair(connect=False)
    data = hello()
    events = [event for i in range(len(data)) for event in pair.serve(data[i : i + 1])]
    assert [type(event) for event in events] == [Opened]


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x80", b"\x90", b"\x81\xa1v\xa1x", b"\x91" * 500])
def test_a_malformed_hello_is_refused(body: bytes) -> None:
    assert refused(Pair().hub, frame(Kind.HELLO, body)) == Code.PROTOCOL


def test_a_refused_connection_ignores_what_follows() -> None:
    conn = Conn(Pair(connect=False).hub, 0.0)
    conn.receive_data(b"GET", 0.0)
    assert conn.receive_data(hello(), 0.0) == []
    assert conn.connection_lost(1.0) == []


# ---- HELLO


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"magic": "http", "token": b"x", "v": 2, "id": ""}, Code.PROTOCOL),
        ({"token": b"x", "v": 2, "id": ""}, Code.AUTH),
        ({"token": b"", "v": 2}, Code.AUTH),
        ({"v": 2, "id": ""}, Code.VERSION),
        ({"id": ""}, Code.DENIED),
        ({"id": "a/b", "attempt": 0}, Code.DENIED),
        ({"id": "x" * 65}, Code.DENIED),
        ({"id": "rc-stranger"}, Code.DENIED),
        ({"attempt": 0, "inst": "other"}, Code.BUSY),
        ({"attempt": 0}, Code.STALE),
        ({"attempt": 9, "session": b"SAME", "recv": 5}, Code.PROTOCOL),
        ({"id": "rc-b"}, Code.OVERLOADED),
    ],
)
def test_wir_5_the_first_failed_check_of_a_hello_answers(
    fields: dict[str, Any], code: Code
) -> None:
    pair = Pair(limits=Limits(sessions=1), admit=lambda id: id != "rc-stranger", connect=False)
    pair.serve(hello(inst="i", attempt=1))
    if fields.get("session"):
        fields = {**fields, "session": pair.session.session}
    assert refused(pair.hub, hello(**fields)) == code
    assert pair.session.attached


def test_wir_5_the_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    plain = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        seen.append((one, other))
        return plain(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert refused(Pair(connect=False).hub, hello(token=b"no")) == Code.AUTH
    assert seen == [(b"no", TOKEN)]


def test_an_unauthenticated_peer_learns_nothing_of_ours() -> None:
    conn = Conn(Pair(connect=False).hub, 0.0)
    conn.receive_data(hello(token=b"no"), 0.0)
    assert b"src" not in conn.data_to_send()


# ---- sessions


def test_wir_6_a_session_outlives_its_connection_by_two_minutes() -> None:
    pair = Pair()
    pair.session.send_payload("x", b"1")
    assert pair.hub.next_timer() is None
    pair.now = 10.0
    pair.cut()
    assert pair.hub.next_timer() == 130.0
    assert pair.hub.tick(129.9) == []
    assert [type(event) for _, event in pair.hub.tick(130.0)] == [Lost]
    assert pair.hub.sessions == {}
    assert pair.toy.listeners == []
    assert pair.hub.next_timer() is None


def test_wir_11_a_delayed_hello_does_not_throw_out_its_successor() -> None:
    pair = Pair(connect=False)
    pair.serve(hello(attempt=7))
    for attempt in (6, 7):
        assert refused(pair.hub, hello(attempt=attempt)) == Code.STALE
    assert not pair.conn.closed


def test_wir_11_a_client_told_so_on_its_live_connection_jumps_ahead() -> None:
    pair = Pair(connect=False)
    pair.client.attempt = 10_000
    pair.connect()
    pair.cut()
    reloaded = ClientCore(ID, TOKEN, inst=pair.client.inst)
    assert codes(pair.connect(reloaded)) == [Code.STALE, Code.STALE]
    assert not reloaded.terminal
    pair.connect()
    assert reloaded.open


def test_wir_12_the_same_session_resumes_and_its_old_connection_closes() -> None:
    pair = Pair()
    old = pair.conn
    pair.client.connection_lost(1.0)
    assert [e.resumed for e in of(pair.connect(), Opened)] == [True, True]
    assert old.closed
    assert kinds(old.data_to_send()) == [Kind.BYE]
    assert old.connection_lost(2.0) == []
    assert pair.session.conn is pair.conn


def test_wir_12_the_host_of_the_old_connection_is_woken() -> None:
    pair, woken = Pair(), []
    old = pair.conn
    old.wake = lambda: woken.append(old.closed)
    pair.client.connection_lost(1.0)
    pair.connect()
    assert woken == [True]


def test_wir_12_a_reloaded_tab_takes_over_at_once() -> None:
    pair = Pair()
    old, session = pair.conn, pair.session
    session.send_payload("x", b"1")
    again = ClientCore(ID, TOKEN, inst=pair.client.inst, attempt=pair.client.attempt)
    events = pair.connect(again)
    assert again.open
    assert [e.resumed for e in of(events, Opened)] == [False, False]
    assert of(events, Lost) == [Lost(1)]
    assert old.closed
    assert session.ended
    assert pair.session is not session


def test_wir_12_another_instance_is_busy_and_the_holder_is_asked_at_once() -> None:
    pair, woken = Pair(), []
    holder, held = pair.client, pair.conn
    held.wake = lambda: woken.append(1)
    other = ClientCore(ID, TOKEN, inst="other")
    (server_said, client_heard) = of(pair.connect(other), Closed)
    assert (server_said.code, client_heard.code) == (Code.BUSY, Code.BUSY)
    assert client_heard.retry
    assert client_heard.after == 5.0
    assert woken == [1]
    probe = held.data_to_send()
    assert kinds(probe) == [Kind.PING]
    holder.receive_data(probe, 1.0)
    held.receive_data(holder.data_to_send(), 1.0)
    assert held.tick(6.0) == []
    assert not held.closed


def test_wir_12_a_holder_that_misses_the_ping_is_replaced() -> None:
    pair = Pair()
    held, other = pair.conn, ClientCore(ID, TOKEN, inst="other")
    pair.connect(other)
    assert held.next_timer() == 5.0
    assert [e.code for _, e in held.tick(5.0) if isinstance(e, Closed)] == [Code.TIMEOUT]
    pair.now = 5.0
    pair.connect()
    assert other.open
    assert pair.session.inst == "other"


def test_wir_12_a_detached_holder_is_replaced_at_once() -> None:
    pair = Pair()
    pair.cut()
    other = ClientCore(ID, TOKEN, inst="other")
    pair.connect(other)
    assert other.open


@pytest.mark.parametrize("change", [{"sync": Sync(shallow=True)}, {"session": b"unknown"}])
def test_wir_13_other_options_or_an_unknown_session_make_a_new_one(change: dict[str, Any]) -> None:
    pair = Pair()
    session = pair.session
    pair.client.call(Op.ADD, [0])
    pair.shuttle()
    pair.cut()
    for name, value in change.items():
        setattr(pair.client, name, value)
    assert [e.resumed for e in of(pair.connect(), Opened)] == [False, False]
    assert session.ended
    assert (pair.client.sent, pair.client.recv, pair.session.recv) == (0, 0, 0)
    pair.client.call(Op.ADD, [1])
    assert len(of(pair.shuttle(), Replied)) == 1


def test_a_session_of_somebody_else_opens_nothing() -> None:
    pair = Pair()
    other = ClientCore("rc-b", TOKEN)
    other.session = pair.session.session
    pair.connect(other)
    assert other.session != pair.session.session
    assert len(pair.hub.sessions) == 2


def test_unknown_schema_is_sent_and_known_schema_is_not() -> None:
    pair = Pair()
    assert pair.client.schema == pair.toy.schema
    assert pair.client.args_names == ["Work.payload"]
    pair.cut()
    pair.client.connection_made(0.0)
    conn = Conn(pair.hub, 0.0)
    conn.receive_data(pair.client.data_to_send(), 0.0)
    (welcome,) = Framer(1 << 20).feed(conn.data_to_send())
    known = decode(welcome[1:], Welcome)
    assert (known.names, known.schema, known.args) == (None, None, None)


# ---- goodbye


@pytest.mark.parametrize("all_at_once", [False, True])
def test_wir_30_a_server_that_is_away_asks_to_come_back(all_at_once: bool) -> None:
    pair, woken = Pair(), []
    pair.conn.wake = lambda: woken.append(1)
    if all_at_once:
        pair.hub.stop(Code.AWAY, "restarting", after=2.0)
        assert woken == [1]
    else:
        pair.conn.bye(Code.AWAY, "restarting", after=2.0)
    assert pair.conn.closed
    assert of(pair.shuttle(), Closed) == [Closed(Code.AWAY, "restarting", True, 2.0)]
    assert not pair.client.terminal
    assert ID in pair.hub.sessions
    pair.connect()
    assert pair.client.open


def test_wir_30_a_server_that_stops_asks_not_to() -> None:
    pair = Pair(run=False)
    cid = pair.client.call(Op.ADD, [0])
    pair.shuttle()
    pair.hub.stop(Code.STOPPED, "bye")
    events = pair.shuttle()
    assert of(events, Closed) == [Closed(Code.STOPPED, "bye", False)]
    assert of(events, Failed) == [Failed(cid, Code.UNKNOWN_OUTCOME, "session lost")]
    assert pair.client.terminal
    assert pair.hub.sessions == {}


def test_stopping_ends_sessions_without_a_connection_too() -> None:
    pair = Pair()
    pair.session.send_payload("x", 1)
    pair.cut()
    assert [type(e) for _, e in pair.hub.stop(Code.STOPPED)] == [Lost]
    assert pair.hub.sessions == {}


def test_a_connection_without_a_session_can_be_told_goodbye() -> None:
    conn = Conn(Pair(connect=False).hub, 0.0)
    assert codes([e for _, e in conn.bye(Code.AWAY)]) == [Code.AWAY]
    assert conn.bye(Code.AWAY) == []


# ---- harm to others


def test_wir_2_a_malformed_frame_harms_no_other_connection() -> None:
    pair = Pair()
    good, conn = pair.client, pair.conn
    bad = ClientCore("rc-bad", TOKEN)
    pair.connect(bad)
    assert codes(pair.serve(frame(Kind.CALL, b"\x01\xc1"))) == [Code.PROTOCOL]
    assert kinds(pair.conn.data_to_send()) == [Kind.BYE]
    assert "rc-bad" not in pair.hub.sessions
    pair.conn = conn
    pair.client = good
    good.call(Op.ADD, [0])
    assert [type(e) for e in pair.shuttle() if not isinstance(e, Mirror)][-1] is Replied


def test_a_prefix_of_a_large_frame_costs_nothing_before_hello() -> None:
    conn = Conn(Pair(connect=False).hub, 0.0)
    conn.receive_data(varint(16 << 10) + b"\x01" + bytes(5000), 0.0)
    assert conn.framer.pending <= 16 << 10


def test_wir_3_who_dials_a_relay_waits_for_the_first_byte_without_a_limit() -> None:
    hub = Hub(Toy(["A", "Exception"]), b"secret")
    hub.is_dialling = True
    conn = Conn(hub, 0.0)
    assert conn.next_timer() is None
    assert conn.tick(3600.0) == []
    conn.receive_data(b"\x10", 3600.0)
    due = conn.next_timer()
    assert due == 3600.0 + hub.lim.hello_timeout
    conn.tick(due)
    assert conn.closed
