from __future__ import annotations

import pytest

from amctl.rpc.wire import (
    Backpressure,
    Call,
    ClientCore,
    Closed,
    Code,
    EncodeError,
    Failed,
    Fired,
    Hub,
    Kind,
    Limits,
    Lost,
    Mirror,
    Op,
    Opened,
    Paid,
    Replied,
    SchemaChanged,
    encode,
)
from amctl.rpc.wire.framer import frame
from tests.rpc.wire.pairs import ID, TOKEN, Pair, codes, kinds, of
from tests.rpc.wire.toy import Toy


def restart(pair: Pair, names: tuple[str, ...] = ()) -> None:
    """Another server process: the session is gone."""
    pair.cut()
    pair.toy = Toy(names or pair.toy.names, m=2)
    pair.toy.rev = 1 if names else 0
    pair.hub = Hub(pair.toy, TOKEN, push=0.0)


def test_a_client_opens_then_learns_names_then_the_clock() -> None:
    pair = Pair(connect=False)
    heard = [e for e in pair.connect() if type(e) in (SchemaChanged, Opened, Mirror)][1:]
    assert [type(event) for event in heard] == [SchemaChanged, Opened, Mirror]
    assert pair.client.names == ["a", "b", "c", "d"]
    assert pair.client.source_id == "src"


def test_nothing_but_hello_goes_out_before_welcome() -> None:
    pair = Pair(connect=False)
    pair.client.call(Op.ADD, [0])
    pair.client.connection_made(0.0)
    assert kinds(pair.client.data_to_send()) == [Kind.HELLO]
    assert pair.client.data_to_send() == b""


@pytest.mark.parametrize(
    "fields",
    [
        {"v": 2, "id": "s", "session": b"x"},
        {"id": "", "session": b"x"},
        {"id": "s"},
        {"id": "s", "session": b"x", "hash": "h"},
        {"id": "s", "session": b"x", "recv": 1},
        {"id": "s", "session": b"x", "resumed": True},
        {"id": "s", "session": b"x", "names": ["a"], "ticks": []},
        {"id": "s", "session": b"x", "names": ["a"], "ticks": [-1]},
        {"id": "s", "session": b"x", "names": ["a"], "ticks": [0], "m": -1},
    ],
)
def test_a_welcome_that_makes_no_sense_ends_the_client(fields: dict[str, object]) -> None:
    client = ClientCore(ID, TOKEN)
    client.connection_made(0.0)
    client.data_to_send()
    events = client.receive_data(frame(Kind.WELCOME, encode(fields)), 0.0)
    assert [e.retry for e in of(events, Closed)] == [False]
    assert client.terminal


def test_wir_14_calls_that_were_sent_have_an_unknown_outcome_others_carry_on() -> None:
    pair = Pair(run=False)
    sent = pair.client.call(Op.ADD, [0], {"u": 0})
    note = pair.client.call(Op.ADD, [0], {"u": 1}, wants=False)
    pair.client.data_to_send()
    waiting = pair.client.call(Op.ADD, [1], {"u": 2})
    restart(pair)
    pair.run = True
    events = pair.connect()
    assert of(events, Failed) == [Failed(sent, Code.UNKNOWN_OUTCOME, "session lost")]
    assert [e.cid for e in of(events, Replied)] == [waiting]
    assert [uid for uid, _, _ in pair.toy.log] == [2]
    assert note not in {e.cid for e in of(events, Replied)}


def test_wir_14_a_half_sent_call_starts_anew_from_its_first_part() -> None:
    pair = Pair(limits=Limits(chunk=100))
    cid = pair.client.call(Op.ADD, [0], {"u": 0, "x": bytes(1000)})
    pair.client.data_to_send(300)
    assert pair.client.bulk[0].offset > 0
    restart(pair)
    events = pair.connect()
    assert [e.cid for e in of(events, Replied)] == [cid]
    assert of(events, Call)[0].args["x"] == bytes(1000)


def test_wir_14_waiting_calls_fail_if_the_names_changed() -> None:
    pair = Pair()
    pair.cut()
    cid = pair.client.call(Op.ADD, [0], {"u": 0})
    restart(pair, ("b", "a"))
    events = pair.connect()
    assert of(events, Failed) == [Failed(cid, Code.SESSION_LOST, "schema changed")]
    assert pair.toy.log == []


def test_wir_14_a_mark_of_the_lost_session_is_not_sent_to_the_new_one() -> None:
    pair = Pair()
    pair.toy.rev += 1
    pair.toy.run(Op.NOP, [])
    pair.client.receive_data(pair.conn.data_to_send(), 0.0)
    assert len(pair.client.bulk) == 1
    names, rev = pair.toy.names, pair.toy.rev
    restart(pair)
    pair.toy.names, pair.toy.rev = names, rev
    pair.connect()
    assert pair.client.open
    assert pair.session.recv == 0


def test_wir_14_subscriptions_are_made_again_by_name() -> None:
    pair = Pair()
    pair.client.subscribe(7, 1, {"id": 5})
    pair.client.subscribe(8, 3, None)
    pair.shuttle()
    restart(pair, ("x", "y", "b"))  # d is no more
    pair.connect()
    assert pair.session.subs == {7: ("b", {"id": 5})}
    pair.toy.run(Op.ADD, [2], {"id": 5})
    assert [e.sub for e in of(pair.shuttle(), Fired)] == [7]


def test_wir_14_a_subscription_that_still_waits_is_not_made_twice() -> None:
    pair = Pair()
    pair.cut()
    pair.client.subscribe(7, 1, None)
    restart(pair)
    calls = pair.connect()
    assert pair.session.recv == 1
    assert len(of(calls, Replied)) == 1


def test_wir_14_the_server_reports_payloads_lost_and_runs_no_further_call() -> None:
    pair = Pair(run=False)
    session = pair.session
    session.send_payload("x", 1)
    pair.client.call(Op.ADD, [0], {"u": 0})
    pair.serve(pair.client.data_to_send())
    pair.cut()
    assert [e for _, e in pair.hub.drop(session)] == [Lost(1)]
    session.reply(0)  # a host that finishes late says nothing to anybody
    assert not session.urgent
    assert pair.hub.drop(session) == []


def test_wir_16_replies_wait_while_the_mirror_is_stale() -> None:
    pair = Pair()
    pair.client.call(Op.ADD, [0])
    pair.serve(pair.client.data_to_send())
    data = bytearray(pair.conn.data_to_send())
    data[4] ^= 1  # damage the diff that precedes the reply
    assert of(pair.client.receive_data(bytes(data), 0.0), Replied) == []
    assert pair.client.view[0] == 0
    events = [type(e) for e in pair.shuttle() if type(e) in (Mirror, Replied)]
    assert sorted(events, key=str) == sorted([Mirror, Replied], key=str)
    assert pair.client.view[0] == 1


def test_wir_20_cancel_succeeds_only_if_nothing_was_sent() -> None:
    pair = Pair(connect=False)
    cid = pair.client.call(Op.ADD, [0], {"u": 0})
    assert pair.client.cancel(cid)
    assert not pair.client.cancel(cid)
    pair.connect()
    assert pair.toy.log == []
    cid = pair.client.call(Op.ADD, [0], {"u": 1})
    pair.client.data_to_send()
    assert not pair.client.cancel(cid)


def test_wir_20_a_half_sent_call_cannot_be_cancelled() -> None:
    pair = Pair(limits=Limits(chunk=100))
    cid = pair.client.call(Op.ADD, [0], {"u": 0, "x": bytes(1000)})
    pair.client.data_to_send(300)
    assert not pair.client.cancel(cid)


def test_wir_20_the_session_sends_again_what_a_caller_abandoned() -> None:
    pair = Pair()
    pair.client.call(Op.ADD, [0], {"u": 0})
    pair.client.data_to_send()
    pair.cut()
    assert len(of(pair.connect(), Replied)) == 1
    assert len(pair.toy.log) == 1


def test_wir_30_goodbye_ends_the_session_at_once() -> None:
    pair = Pair(run=False)
    sent = pair.client.call(Op.ADD, [0])
    pair.shuttle()
    waiting = pair.client.call(Op.ADD, [1])
    events = pair.client.goodbye()
    assert of(events, Closed) == [Closed(Code.OK, "goodbye", False)]
    assert [(e.cid, e.code) for e in of(events, Failed)] == [
        (sent, Code.UNKNOWN_OUTCOME),
        (waiting, Code.SESSION_LOST),
    ]
    assert codes(pair.serve(pair.client.data_to_send())) == [Code.OK]
    assert pair.hub.sessions == {}
    assert pair.client.terminal


def test_a_goodbye_while_offline_settles_calls_too() -> None:
    pair = Pair(connect=False)
    cid = pair.client.call(Op.ADD, [0])
    assert [e.cid for e in of(pair.client.goodbye(), Failed)] == [cid]
    assert pair.client.data_to_send() == b""


@pytest.mark.parametrize("code", [Code.AUTH, Code.REPLACED, 31])
def test_a_terminal_bye_settles_every_call(code: int) -> None:
    pair = Pair(run=False)
    sent = pair.client.call(Op.ADD, [0])
    pair.shuttle()
    waiting = pair.client.call(Op.ADD, [1])
    events = pair.client.receive_data(frame(Kind.BYE, encode([int(code), "why"])), 0.0)
    assert of(events, Failed) == [
        Failed(sent, Code.UNKNOWN_OUTCOME, "session lost"),
        Failed(waiting, int(code), "why"),
    ]
    assert not pair.client.pending


@pytest.mark.parametrize("after", [float("nan"), float("inf"), -1.0, 1e9])
def test_an_absurd_wait_is_not_waited(after: float) -> None:
    pair = Pair()
    (closed,) = pair.client.receive_data(frame(Kind.BYE, encode([33, "x" * 999, after])), 0.0)
    assert isinstance(closed, Closed)
    assert closed.after == 0.0
    assert len(closed.text) == 200


def test_what_cannot_be_sent_is_not_queued() -> None:
    pair = Pair()
    with pytest.raises(EncodeError):
        pair.client.call(Op.ADD, [0], {"x": object()})
    with pytest.raises(EncodeError):
        pair.client.batch([(Op.ADD, [0], object())])
    with pytest.raises(EncodeError):
        pair.client.subscribe(1, 0, object())
    assert not pair.client.bulk
    assert not pair.client.subs
    assert pair.client.cids == 0


def test_a_subscription_that_met_backpressure_is_not_kept() -> None:
    pair = Pair(limits=Limits(queue_items=0))
    with pytest.raises(Backpressure):
        pair.client.subscribe(1, 0, None)
    assert not pair.client.subs


def test_unsubscribing_is_final_for_the_caller() -> None:
    pair = Pair()
    pair.client.subscribe(1, 0, None)
    pair.shuttle()
    pair.client.unsubscribe(1)
    pair.client.unsubscribe(1)
    pair.toy.run(Op.ADD, [0])  # fires while the unsubscription is under way
    assert of(pair.shuttle(), Fired) == []
    assert not pair.session.subs


def test_a_reply_to_nothing_or_to_another_call_ends_the_connection() -> None:
    pair = Pair(run=False)
    pair.client.call(Op.ADD, [0])
    pair.client.data_to_send()
    wrong = frame(Kind.REPLY, b"\x01", encode([9]))
    assert codes(pair.client.receive_data(wrong, 0.0)) == [Code.GAP]


def test_origin_trace_and_tx_travel_both_ways() -> None:
    pair = Pair(run=False)
    pair.client.call(Op.ADD, [0], {"k": 1}, origin="m1", tx="t1", trace=b"T")
    pair.client.call(Op.ADD, [0], trace=bytes(600))
    one, two = of(pair.shuttle(), Call)
    assert (one.args, one.origin, one.tx, one.trace) == ({"k": 1}, "m1", "t1", b"T")
    assert (two.origin, two.trace) == (ID, b"")
    pair.session.send_payload("p", [1], "src", 5, "tok", b"T")
    assert of(pair.shuttle(), Paid) == [Paid("p", [1], "src", 5, "tok", b"T")]
