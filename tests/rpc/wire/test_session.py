from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from amctl.rpc.wire import (
    Call,
    Code,
    Delivered,
    Failed,
    Fired,
    Kind,
    Limits,
    Mirror,
    Op,
    OutOfTurnError,
    Paid,
    Replied,
    SchemaChanged,
    Usable,
)
from tests.rpc.wire.pairs import Pair, answer, codes, kinds, of

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_wir_15_calls_and_notes_run_one_at_a_time_in_order() -> None:
    pair = Pair(run=False)
    ids = [pair.client.call(Op.ADD, [0], {"u": i}, wants=i != 1) for i in range(4)]
    calls = of(pair.shuttle(), Call)
    assert [call.args["u"] for call in calls] == [0, 1, 2, 3]
    replied = []
    for call in calls:  # the host answers late, as a chained server does
        answer(pair.toy, pair.session, call)
        replied += [e.cid for e in of(pair.shuttle(), Replied)]
    assert replied == [ids[0], ids[2], ids[3]]


def test_wir_15_what_needs_no_host_waits_its_turn() -> None:
    pair = Pair(run=False)
    pair.client.call(Op.ADD, [0])
    wrong = pair.client.call(Op.ADD, [99])
    (call,) = of(pair.shuttle(), Call)
    assert len(pair.session.inbox) == 2
    answer(pair.toy, pair.session, call)
    settled = [e for e in pair.shuttle() if isinstance(e, Replied | Failed)]
    assert [type(e) for e in settled] == [Replied, Failed]
    assert settled[1].cid == wrong
    assert not pair.session.inbox


def test_wir_15_a_host_that_answers_out_of_turn_is_told() -> None:
    pair = Pair(run=False)
    for answer_one in (pair.session.reply, lambda _: pair.session.ran()):
        with pytest.raises(OutOfTurnError):
            answer_one(0)
    pair.client.call(Op.ADD, [0])
    pair.shuttle()
    with pytest.raises(OutOfTurnError):
        pair.session.ran()
    pair.session.reply(0)


def test_wir_16_the_clock_goes_before_each_reply_and_fired() -> None:
    pair = Pair(push=None)
    pair.client.subscribe(7, 2, None)
    pair.shuttle()
    pair.client.call(Op.ADD, [2])
    pair.serve(pair.client.data_to_send())
    down = pair.conn.data_to_send()
    assert kinds(down) == [Kind.DIFF, Kind.FIRED, Kind.REPLY]
    events = pair.client.receive_data(down, 0.0)
    assert [type(event) for event in events] == [Mirror, Fired, Replied]
    assert pair.client.view.tolist() == [0, 0, 1, 0]


def test_wir_16_a_reply_may_be_a_result_of_any_kind() -> None:
    pair = Pair(run=False)
    for result, code in ((0, 0), (1, 0), (17, 0), (0, Code.ARGS)):
        pair.client.call(Op.ADD, [0])
        pair.serve(pair.client.data_to_send())
        pair.session.reply(result, code, "t" * 300)
        (got,) = (e for e in pair.shuttle() if isinstance(e, Replied | Failed))
        if isinstance(got, Failed):
            assert (got.code, got.text) == (Code.ARGS, "t" * 200)
        else:
            assert got.result == result


# ---- schema


def test_wir_18_calls_made_before_a_schema_change_mean_the_old_names() -> None:
    pair = Pair()
    pair.client.call(Op.ADD, [1], {"u": 0, "n": ["b"]})
    pair.toy.names, pair.toy.ticks = ["d", "c", "b", "a", "e"], [0, 0, 0, 0, 0]
    pair.toy.rev, pair.toy.q = 1, 2
    for listener in list(pair.toy.listeners):
        listener(99, [], [])
    pair.client.receive_data(pair.conn.data_to_send(), 0.0)  # crosses the call
    assert pair.client.names[0] == "d"
    pair.client.call(Op.ADD, [0], {"u": 1, "n": ["d"]})
    data = pair.client.data_to_send()
    assert kinds(data) == [Kind.CALL, Kind.NOTE, Kind.CALL]
    pair.serve(data)
    pair.shuttle()
    assert [uid for uid, _, _ in pair.toy.log] == [0, 1]
    assert pair.session.marked == pair.session.gen == 2
    assert list(pair.session.tables) == [2]
    assert pair.client.view.tolist() == pair.toy.ticks


def test_wir_18_no_more_than_sixteen_unmarked_schemas() -> None:
    pair = Pair()
    ended: list[int] = []
    while not ended:
        pair.toy.rev += 1
        pair.toy.run(Op.ADD, [0])
        pair.conn.data_to_send()  # the client never answers
        assert len(pair.session.tables) <= 16
        ended += codes([e for _, e in pair.conn.tick(0.0)])
    assert ended == [Code.OVERLOADED]
    assert pair.toy.rev == 16


def test_wir_18_a_client_that_lost_track_gets_a_new_session() -> None:
    pair = Pair(limits=replace(Limits(), schemas=2))
    pair.client.connection_lost(0.0)
    for _ in range(2):
        pair.toy.rev += 1
        pair.toy.run(Op.ADD, [0])
        pair.conn.data_to_send()
    pair.connect()
    assert pair.client.open
    assert pair.client.view.tolist() == pair.toy.ticks
    assert pair.session.gen == 1


def test_wir_18_a_schema_change_while_away_is_found_at_resume() -> None:
    pair = Pair()
    pair.client.call(Op.ADD, [3], {"u": 0, "n": ["d"]})
    pair.client.data_to_send()  # lost with the connection
    pair.cut()
    pair.toy.names, pair.toy.ticks, pair.toy.rev = ["z", "a", "b", "c", "d"], [0] * 5, 1
    events = pair.connect()
    assert len(of(events, SchemaChanged)) == 1
    assert [uid for uid, _, _ in pair.toy.log] == [0]
    assert pair.session.marked == 2


@pytest.mark.parametrize("states", [[99], [-1], [0, 99]])
def test_wir_19_an_index_out_of_range_is_answered_and_nothing_else(states: list[int]) -> None:
    pair = Pair()
    pair.client.call(Op.ADD, states, {"u": 0})
    pair.client.batch([(Op.ADD, [0], {"u": 1}), (Op.ADD, states, {"u": 2})])
    events = pair.shuttle()
    assert [e.code for e in of(events, Failed)] == [Code.STATE, Code.STATE]
    assert pair.client.open
    assert pair.toy.log == []


def test_wir_19_a_refused_note_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    pair = Pair()
    with caplog.at_level(logging.INFO, "amctl.rpc.wire"):
        pair.client.call(Op.ADD, [99], wants=False)
        pair.shuttle()
    assert "rc-a: note refused: 8 no such state" in caplog.text.replace("Code.STATE", "8")


def test_an_unknown_op_is_answered() -> None:
    pair = Pair()
    pair.client.call(9, [0])
    assert [e.code for e in of(pair.shuttle(), Failed)] == [Code.UNSUPPORTED]
    assert pair.client.open


# ---- batch


def test_a_batch_runs_back_to_back_with_one_result_each() -> None:
    pair = Pair()
    cid = pair.client.batch(
        [(Op.ADD, [0], {"u": 0}), (Op.REMOVE, [0], {"u": 1, "veto": 1}), (Op.NOP, [], None)],
        origin="m1",
    )
    events = pair.shuttle()
    (call,) = of(events, Call)
    assert call.args == [(0, ["a"], {"u": 0}), (1, ["a"], {"u": 1, "veto": 1}), (4, [], None)]
    assert (call.op, call.states, call.origin) == (Op.BATCH, [], "m1")
    assert of(events, Replied) == [Replied(cid, [0, 1, 0])]
    assert pair.client.view.tolist() == pair.toy.ticks


@pytest.mark.parametrize("op", [Op.SUBSCRIBE, Op.MARK, Op.BATCH, 9])
def test_a_batch_holds_mutations_only(op: int) -> None:
    pair = Pair()
    pair.client.batch([(op, [0], None)])
    assert [e.code for e in of(pair.shuttle(), Failed)] == [Code.UNSUPPORTED]


# ---- permissions


def test_a_refused_op_is_answered_and_does_not_run() -> None:
    asked: list[tuple[str, int, list[str]]] = []

    def read_only(client: str, op: int, states: Sequence[str]) -> Code | None:
        asked.append((client, op, list(states)))
        return None if op in (Op.NOP, Op.SUBSCRIBE) else Code.DENIED

    pair = Pair(allow=read_only)
    pair.client.call(Op.ADD, [1], {"u": 0})
    pair.client.batch([(Op.NOP, [], None), (Op.ADD, [0], {"u": 1})])
    pair.client.subscribe(1, 2, None)
    sync = pair.client.call(Op.NOP, [])
    events = pair.shuttle()
    assert [e.code for e in of(events, Failed)] == [Code.DENIED, Code.DENIED]
    assert [e.cid for e in of(events, Replied)][-1] == sync
    assert pair.toy.log == []
    assert asked[0] == ("rc-a", Op.ADD, ["b"])
    assert ("rc-a", Op.SUBSCRIBE, ["c"]) in asked
    assert pair.client.open


def test_a_subscription_can_be_refused() -> None:
    pair = Pair(allow=lambda client, op, states: Code.DENIED)
    pair.client.subscribe(1, 2, None)
    assert [e.code for e in of(pair.shuttle(), Failed)] == [Code.DENIED]
    assert not pair.session.subs


# ---- subscriptions


def test_a_subscription_fires_once_when_its_arguments_are_contained() -> None:
    pair = Pair()
    pair.client.subscribe(7, 1, {"id": 5})
    pair.shuttle()
    pair.toy.run(Op.ADD, [1], {"id": 4})
    pair.toy.run(Op.REMOVE, [1], {"id": 5})
    pair.toy.run(Op.ADD, [2], {"id": 5})
    assert of(pair.shuttle(), Fired) == []
    pair.toy.run(Op.ADD, [1], {"id": 5, "more": 1})
    pair.toy.run(Op.TOGGLE, [1])
    pair.toy.run(Op.ADD, [1], {"id": 5})
    (fired,) = of(pair.shuttle(), Fired)
    assert fired.sub == 7
    assert fired.q == pair.toy.q - 2
    assert pair.client.view[1] == 5
    assert not pair.client.subs


def test_subscriptions_are_bounded() -> None:
    pair = Pair(limits=replace(Limits(), subscriptions=2))
    for sid in (1, 2, 2, 3):
        pair.client.subscribe(sid, 0, None)
    assert [e.code for e in of(pair.shuttle(), Failed)] == [Code.OVERLOADED]
    pair.client.subscribe(4, 0, [1])
    pair.client.subscribe(5, 99, None)
    assert [e.code for e in of(pair.shuttle(), Failed)] == [Code.ARGS, Code.STATE]


# ---- payloads


def test_payloads_wait_until_the_client_is_usable() -> None:
    pair = Pair(connect=False)
    pair.client.connection_made(0.0)
    pair.serve(pair.client.data_to_send())
    pair.session.send_payload("x", 1)
    down = pair.conn.data_to_send()
    assert kinds(down) == [Kind.WELCOME]
    pair.client.receive_data(down, 0.0)
    events = pair.shuttle()
    assert [type(e) for e in events] == [Usable, Paid, Delivered]


def test_each_connection_tells_once_that_it_is_usable() -> None:
    pair = Pair(connect=False)
    assert len(of(pair.connect(), Usable)) == 1
    pair.client.call(Op.ADD, [0])
    assert of(pair.shuttle(), Usable) == []
    pair.cut()
    assert len(of(pair.connect(), Usable)) == 1


def test_payloads_are_delivered_once_and_in_order() -> None:
    pair = Pair()
    pids = [pair.session.send_payload(f"p{i}", i) for i in range(3)]
    pair.client.receive_data(pair.conn.data_to_send(), 0.0)
    pair.cut()  # the ACK is lost
    events = pair.connect()
    assert of(events, Paid) == []
    assert [e.pid for e in of(events, Delivered)] == pids


# ---- questions


def asked(pair: Pair, params: Any) -> Call:
    """A question that has arrived and waits for its answer."""
    pair.client.call(Op.ASK, [], params)
    (call,) = of(pair.serve(pair.client.data_to_send()), Call)
    return call


def test_a_question_goes_to_the_host_and_its_answer_is_text() -> None:
    pair = Pair(run=False)
    call = asked(pair, {"q": "about", "n": b"\0"})
    assert (call.op, call.states, call.args) == (Op.ASK, [], {"q": "about", "n": b"\0"})
    pair.session.reply(0, 0, '{"id":"m"}')
    assert of(pair.shuttle(), Replied) == [Replied(1, 0, '{"id":"m"}')]


def test_the_text_that_refuses_a_question_is_longer() -> None:
    pair = Pair(run=False)
    asked(pair, {"q": "about"})
    pair.session.reply(0, Code.ARGS, "t" * 3000)
    assert of(pair.shuttle(), Failed) == [Failed(1, Code.ARGS, "t" * 1000)]


def test_a_question_with_states_is_none() -> None:
    pair = Pair()
    pair.client.call(Op.ASK, [0], {"q": "about"})
    (failed,) = of(pair.shuttle(), Failed)
    assert (failed.code, failed.text) == (Code.UNSUPPORTED, "a question has no states")


def test_who_answers_a_question_asks_for_its_permission() -> None:
    pair = Pair(run=False, allow=lambda client, op, states: Code.DENIED if states else None)
    asked(pair, {"q": "mutate"})
    assert pair.session.refuses(Op.ADD, ["b"]) is Code.DENIED
    assert pair.session.refuses(Op.ASK, []) is None
    assert Pair().session.refuses(Op.ADD, ["b"]) is None


def test_long_answers_that_wait_to_be_read_are_no_fault_of_the_client() -> None:
    pair = Pair(run=False)
    lim = pair.session.lim
    text, sent = "x" * (512 << 10), 0
    while not pair.session.is_behind:
        asked(pair, {"q": "long"})
        pair.session.reply(0, 0, text)
        pair.conn.data_to_send(1 << 30)  # written, never acknowledged
        sent += 1
    assert sent == 4
    assert pair.session.outbox_bytes > 4 * lim.window_bytes
    asked(pair, {"q": "long"})
    assert pair.session.open
    pair.session.reply(0, Code.BUSY, "too much")
    pair.session.acknowledged(pair.session.sent)
    assert (pair.session.is_behind, pair.session.long_bytes) == (False, 0)
