"""Calls and answers, from one side to the other."""

from __future__ import annotations

import pytest

from amctl.dump.gob.calls import (
    SCHEMA_METHOD,
    TX_METHOD,
    Answer,
    AnswerReader,
    AnswerWriter,
    Call,
    CallReader,
    CallWriter,
)
from amctl.dump.gob.decoder import GobError
from amctl.dump.gob.encoder import GobValueError, ValueWriter
from amctl.dump.gob.layout import CALL_TYPES, REQUEST, SCHEMA
from amctl.dump.gob.types import STRING

SCHEMA_BODY = {"ID": "m", "StatesIndex": ["A"]}


def one(reader: CallReader, data: bytes) -> Call:
    (call,) = reader.feed(data)
    return call


def test_types_are_sent_once_and_calls_are_counted_from_0() -> None:
    reader, writer = CallReader(), CallWriter()
    seq, data = writer.call(SCHEMA_METHOD, SCHEMA_BODY)
    call = one(reader, data)
    assert (seq, call.seq, call.method, call.body, call.problem) == (
        0,
        0,
        SCHEMA_METHOD,
        SCHEMA_BODY,
        "",
    )
    seq, again = writer.call(SCHEMA_METHOD, SCHEMA_BODY)
    assert seq == one(reader, again).seq == 1
    assert len(again) * 5 < len(data)


def test_a_call_that_cant_be_written_leaves_the_stream_as_it_was() -> None:
    reader, writer = CallReader(), CallWriter()
    with pytest.raises(GobValueError):
        writer.call(TX_METHOD, {"ID": "t", "Clocks": [-1]})
    seq, data = writer.call(TX_METHOD, {"ID": "t", "Clocks": [1]})
    assert seq == 0
    assert one(reader, data).body == {"ID": "t", "Clocks": [1]}


def test_it_does_not_matter_how_the_bytes_come() -> None:
    writer = CallWriter()
    data = writer.call(SCHEMA_METHOD, SCHEMA_BODY)[1] + writer.call(TX_METHOD, {"ID": "t"})[1]
    reader = CallReader()
    calls = [call for i in range(len(data)) for call in reader.feed(data[i : i + 1])]
    whole = list(CallReader().feed(data))
    assert [(call.seq, call.body) for call in calls] == [(call.seq, call.body) for call in whole]
    assert len(calls) == 2
    assert reader.buffered == 0
    assert reader.pending is None


def test_other_methods_and_other_bodies_are_told_apart() -> None:
    reader, writer = CallReader(), CallWriter()
    unknown = writer.call(TX_METHOD, {"ID": "t"})[1].replace(b"DbgMsgTx", b"DbgMsgXx")
    assert one(reader, unknown).problem == "rpc: can't find method RPCServer.DbgMsgXx"
    assert one(reader, writer.call(TX_METHOD, {"ID": "t"})[1]).body == {"ID": "t"}


def test_a_body_of_another_type_is_told() -> None:
    values = ValueWriter(CALL_TYPES)
    request = values.value(REQUEST, {"ServiceMethod": TX_METHOD})
    call = one(CallReader(), request + values.value(SCHEMA, SCHEMA_BODY))
    assert call.problem == f"{TX_METHOD}: the value has no Clocks, so this is no transition"
    assert call.body is None


@pytest.mark.parametrize("type_id", [SCHEMA, STRING])
def test_a_stream_of_anything_else_is_no_call(type_id: int) -> None:
    value = "x" if type_id == STRING else SCHEMA_BODY
    with pytest.raises(GobError, match="no request: "):
        list(CallReader().feed(ValueWriter(CALL_TYPES).value(type_id, value)))


def test_answers_say_that_all_is_well_or_what_is_not() -> None:
    writer, reader = AnswerWriter(), AnswerReader()
    data = writer.answer(TX_METHOD, 0) + writer.answer(TX_METHOD, 1, "no") + writer.answer("x", 2)
    assert list(reader.feed(data)) == [Answer(0, ""), Answer(1, "no"), Answer(2, "")]


def test_an_answer_is_what_go_sends() -> None:
    # dbg.md 3: a top-level string is type id 6, a zero byte, length 0
    assert AnswerWriter().answer(TX_METHOD, 0).endswith(b"\x03\x0c\x00\x00")
