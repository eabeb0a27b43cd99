from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.machine.lines import LogLine
from amctl.rpc.wire.codec import Codec, native_codec, pure_codec
from amctl.telemetry import dbgwire as wire
from amctl.telemetry.errors import DbgEncodeError, DbgWireError
from amctl.telemetry.messages import GoneMsg, Message, SchemaMsg, TxMsg
from tests.telemetry.dbgtools import scripts, simple_schema, simple_tx

CODECS = [c for c in (pure_codec(), native_codec()) if c is not None]
some_codec = st.sampled_from(CODECS)
PURE = CODECS[0]


def read(data: bytes, codec: Codec = PURE, cap: int = wire.MAX_FRAME) -> list[list[Any]]:
    return list(wire.FrameReader(codec, cap).feed(data))


def through(messages: list[Message], codec: Codec = PURE) -> list[Message]:
    """The same messages at the other end."""
    encoder, decoder = wire.StreamEncoder(codec), wire.StreamDecoder()
    (raw,) = read(wire.batch_frame(codec, 7, [encoder.encode(m) for m in messages]), codec)
    batch = wire.read_sender(raw)
    assert isinstance(batch, wire.Batch)
    assert batch.first == 7
    return list(decoder.batch(batch.messages))


def state_tags(messages: list[Message]) -> list[Any]:
    """What equality of StateDefs leaves out."""
    found = [m.states for m in messages if isinstance(m, SchemaMsg)]
    return [[state.tags for state in states.values()] for states in found]


# --- round trips


@pytest.mark.slow
@given(scripts(), some_codec)
def test_messages_come_out_as_they_went_in(script: list[Message], codec: Codec) -> None:
    got = through(script, codec)
    assert got == script
    assert state_tags(got) == state_tags(script)


@pytest.mark.slow
@given(scripts(), st.integers(0, 2**64 - 1), st.data())
def test_both_codecs_write_the_same_and_pieces_of_any_size_are_read(
    script: list[Message], first: int, data: st.DataObject
) -> None:
    streams = []
    for codec in CODECS:
        encoder = wire.StreamEncoder(codec)
        frames = [wire.hello_frame(codec, "token", "5e", "me", 3)]
        frames += [wire.batch_frame(codec, first, [encoder.encode(m)]) for m in script]
        streams.append(b"".join([*frames, wire.bye_frame(codec)]))
    assert len(set(streams)) == 1
    stream = streams[0]
    reader = wire.FrameReader(data.draw(some_codec), wire.MAX_FRAME)
    said, decoder, got, at = [], wire.StreamDecoder(), list[Message](), 0
    while at < len(stream):
        piece = stream[at : at + data.draw(st.integers(1, 40))]
        at += len(piece)
        said += [wire.read_sender(raw, reader.offset) for raw in reader.feed(piece)]
    assert said[0] == wire.Hello(1, "token", "5e", "me", 3)
    assert said[-1] == wire.Bye()
    for batch in said[1:-1]:
        assert isinstance(batch, wire.Batch)
        assert batch.first == first
        got += decoder.batch(batch.messages)
    assert got == script
    assert reader.pending == 0


def test_what_a_collector_says_is_read() -> None:
    for codec in CODECS:
        frames = [
            wire.welcome_frame(codec, 5, 2**64 - 1),
            wire.ack_frame(codec, 9),
            wire.refused_frame(codec, "wrong token" * 1000),
        ]
        said = [wire.read_collector(raw) for raw in read(b"".join(frames), codec)]
        assert said[0] == wire.Welcome(1, 5, 2**64 - 1)
        assert said[1] == wire.Ack(9)
        assert isinstance(said[2], wire.Refused)
        assert said[2].text.startswith("wrong token")
        assert len(said[2].text) == 1024


def test_a_transition_costs_few_bytes() -> None:
    encoder = wire.StreamEncoder(PURE)
    names = [f"State{i}" for i in range(60)]
    encoder.encode(simple_schema("m", *names))
    first = encoder.encode(simple_tx("m", 2**63, *[9] * 60, queue_tick=100, time_ns=2**60))
    second = encoder.encode(simple_tx("m", 2**63 + 1, 10, *[9] * 59, called=(0,), time_ns=2**60))
    assert len(first) > 80
    assert len(second) < 35


def test_the_receivers_time_becomes_part_of_a_transition() -> None:
    encoder, decoder = wire.StreamEncoder(PURE), wire.StreamDecoder()
    for message in (simple_schema("m", "A"), simple_tx("m", 1, 0)):
        got = decoder.decode(PURE.unpack(encoder.encode(message)), received_ns=8)
    assert got == replace(simple_tx("m", 1, 0), received_ns=8)


def test_a_machine_that_comes_back_is_another_one() -> None:
    script: list[Message] = [
        simple_schema("m", "A"),
        simple_tx("m", 1, 5),
        GoneMsg("m"),
        simple_schema("m", "A", "B"),
        simple_tx("m", 2, 1, 0),
    ]
    assert through(script) == script


# --- what can't be sent


def test_a_refused_message_changes_nothing() -> None:
    encoder, decoder = wire.StreamEncoder(PURE), wire.StreamDecoder()

    def carry(message: Message) -> Message:
        return decoder.decode(PURE.unpack(encoder.encode(message)))

    schema = simple_schema("m", "A", "B")
    with pytest.raises(DbgEncodeError, match="'m' can't be sent: its schema wasn't sent"):
        encoder.encode(simple_tx("m", 1, 0, 0))
    assert not encoder.knows("m")
    assert carry(schema) == schema
    assert encoder.knows("m")
    assert carry(simple_tx("m", 1, 1, 0)) == simple_tx("m", 1, 1, 0)
    huge = simple_tx("m", 2, 2, 2, logs=(LogLine(3, "x" * wire.MAX_MESSAGE),))
    with pytest.raises(DbgEncodeError, match="bytes, at most 1048576"):
        encoder.encode(huge)
    with pytest.raises(DbgEncodeError, match="can't be encoded"):
        encoder.encode(simple_tx("m", 2, 2, 2, args={"k": "\ud800"}))
    with pytest.raises(DbgEncodeError, match="16385 states, at most 16384"):
        encoder.encode(simple_schema("m", *map(str, range(16_385))))
    assert carry(simple_tx("m", 3, 2, 1)) == simple_tx("m", 3, 2, 1)


# --- what must not be believed


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: c.name)
@pytest.mark.parametrize(
    ("data", "text", "offset"),
    [
        (b"\x00\x00\x00\x00", "a frame of 0 bytes", 6),
        (b"\xff\xff\xff\xff", "a frame of 4294967295 bytes, at most 8388608", 6),
        (b"GET / HTTP/1.1\r\n", "a frame of 1195725856 bytes", 6),
        (b"\x00\x00\x00\x01\x03", "no array with a kind", 6),
        (b"\x00\x00\x00\x01\x90", "no array with a kind", 6),
        (b"\x00\x00\x00\x02\x91\xc3", "no array with a kind", 6),
        (b"\x00\x00\x00\x02\x92\x01", "truncated or damaged value", 6),
        (b"\x00\x00\x00\x02\x91\xc1", "", 6),
    ],
)
def test_garbage_is_a_clean_error_that_says_where(
    codec: Codec, data: bytes, text: str, offset: int
) -> None:
    reader = wire.FrameReader(codec, wire.MAX_FRAME)
    bye = wire.bye_frame(codec)
    frames = reader.feed(bye + data)
    assert next(frames) == [3]
    with pytest.raises(DbgWireError) as caught:
        next(frames)
    assert text in str(caught.value)
    assert caught.value.offset == offset
    assert str(caught.value).startswith(f"debug stream at byte {offset}: ")


def test_a_stranger_gets_little_room_before_it_has_said_who_it_is() -> None:
    reader = wire.FrameReader(PURE)
    with pytest.raises(DbgWireError, match="a frame of 16385 bytes, at most 16384"):
        list(reader.feed((16_385).to_bytes(4, "big")))


@pytest.mark.parametrize(
    "raw",
    [
        [0],
        [0, "amctl", 1, "", "", "", 0],
        [0, "amctl-dbg", 1, "", "", "", -1],
        [0, "amctl-dbg", True, "", "", "", 0],
        [0, "amctl-dbg", 1, "x" * 1025, "", "", 0],
        [1, 0],
        [1, "0", []],
        [1, -1, []],
        [2, 0],
        [4],
        [-1],
        [1, 0, [[3]] * 10_001],
    ],
)
def test_a_sender_can_not_say_everything(raw: list[Any]) -> None:
    with pytest.raises(DbgWireError, match="at byte 77"):
        wire.read_sender(raw, 77)


@pytest.mark.parametrize("raw", [[0, 2, 0, 0], [0, 1, 0], [1, 5], [2, "3"], [2, -1], [3], [2]])
def test_a_collector_can_not_say_everything(raw: list[Any]) -> None:
    with pytest.raises(DbgWireError, match="a collector can't say"):
        wire.read_collector(raw, 77)


def test_later_versions_may_say_more() -> None:
    assert wire.read_collector([2, 5, "more"]) == wire.Ack(5)
    assert wire.read_sender([3, {}]) == wire.Bye()
    assert wire.read_sender([0, "amctl-dbg", 2, "t", "s", "n", 1, []]) == wire.Hello(
        2, "t", "s", "n", 1
    )
    decoder = wire.StreamDecoder()
    state = [0, [], [], [], [], [], "more"]
    decoder.decode([0, 0, "m", ["A"], [state], "", [], {}, [], 0, "more"])
    got = decoder.decode([1, 0, 1, 64, [0], [1], 0, 0, 0, None, {"zz": [], "lo": []}, "more"])
    assert got == TxMsg("m", f"{1:016x}", (1,), called=(0,), accepted=False)


GOOD_SCHEMA = [0, 0, "m", ["A", "B"], [[0, [], [], [], [], []]] * 2, "", [], {}, [], 0]
GOOD_TX = [1, 0, 1, 64, [0], [1, 0], 0, 0, 0, None, None]


def decoded(*raws: Any) -> None:
    decoder = wire.StreamDecoder()
    for raw in raws:
        decoder.decode(raw, 77)


def changed(raw: list[Any], **fields: Any) -> list[Any]:
    """With some fields (f3=...) replaced."""
    places = {int(name[1:]): value for name, value in fields.items()}
    return [places.get(i, value) for i, value in enumerate(raw)]


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        ["1"],
        [5],
        [True],
        [2, 0, "a", "b", "c", "d", 0, 0],
        [2, 2, "a", "b", "c", "d", False, 0],
        [2, 0, "a", "b", "c", None, False, 0],
        [2, 0, "a", "b", "c"],
        [3, -1, "", "", 0, 0],
        [3, 1, "", ""],
        [4, 5, 0],
        [4, "m", -1],
        changed(GOOD_SCHEMA, f1=1),
        changed(GOOD_SCHEMA, f1=-1),
        changed(GOOD_SCHEMA, f1=1 << 20, f2="n"),
        changed(GOOD_SCHEMA, f2="n"),
        changed(GOOD_SCHEMA, f2=b"m"),
        changed(GOOD_SCHEMA, f3="AB"),
        changed(GOOD_SCHEMA, f3=["A", "A"]),
        changed(GOOD_SCHEMA, f3=["A", 1]),
        changed(GOOD_SCHEMA, f3=None),
        changed(GOOD_SCHEMA, f4=[[0, [], [], [], [], []]]),
        changed(GOOD_SCHEMA, f4=[[0, [2], [], [], [], []]] * 2),
        changed(GOOD_SCHEMA, f4=[[0, [-1], [], [], [], []]] * 2),
        changed(GOOD_SCHEMA, f4=[[0, "AB", [], [], [], []]] * 2),
        changed(GOOD_SCHEMA, f4=[[0, []]] * 2),
        changed(GOOD_SCHEMA, f4=[7, 7]),
        changed(GOOD_SCHEMA, f7=[]),
        changed(GOOD_SCHEMA, f7={"g": [2]}),
        changed(GOOD_SCHEMA, f7={1: [1]}),
        changed(GOOD_SCHEMA, f6=[None]),
        GOOD_SCHEMA[:9],
        changed(GOOD_TX, f1=1),
        changed(GOOD_TX, f1=[]),
        changed(GOOD_TX, f2=-1),
        changed(GOOD_TX, f2=[1]),
        changed(GOOD_TX, f2=[1, -1]),
        changed(GOOD_TX, f2=None),
        changed(GOOD_TX, f3=True),
        changed(GOOD_TX, f4=[2]),
        changed(GOOD_TX, f4=[-1]),
        changed(GOOD_TX, f4="A"),
        changed(GOOD_TX, f5=[1, 0, 0]),
        changed(GOOD_TX, f5=[-1, 0]),
        changed(GOOD_TX, f5=["1", 0]),
        changed(GOOD_TX, f5=None),
        changed(GOOD_TX, f3=0, f5=[0]),
        changed(GOOD_TX, f3=0, f5=[2, 1]),
        changed(GOOD_TX, f3=0, f5=[-1, 1]),
        changed(GOOD_TX, f3=0, f5=[0, -1]),
        changed(GOOD_TX, f3=0, f5=[0, 2**64 - 1]),
        changed(GOOD_TX, f6=-1),
        changed(GOOD_TX, f7=1.5),
        changed(GOOD_TX, f8=None),
        changed(GOOD_TX, f9=["m", 1]),
        changed(GOOD_TX, f9=[1, 1, 1]),
        changed(GOOD_TX, f9=5),
        changed(GOOD_TX, f10=[]),
        changed(GOOD_TX, f10={"st": [32, 0, -1, 0]}),
        changed(GOOD_TX, f10={"st": [32, 2, -1, 0, 0]}),
        changed(GOOD_TX, f10={"st": [32, 0, -2, 0, 0]}),
        changed(GOOD_TX, f10={"st": [32, 0, -1, 0, 0], "sd": {0: 1}}),
        changed(GOOD_TX, f10={"st": [32, 0, -1, 0, 0], "sd": 3}),
        changed(GOOD_TX, f10={"st": "steps"}),
        changed(GOOD_TX, f10={"lo": [[1]]}),
        changed(GOOD_TX, f10={"lo": [["1", "x"]]}),
        changed(GOOD_TX, f10={"pl": {}}),
        changed(GOOD_TX, f10={"ar": []}),
        changed(GOOD_TX, f10={"ar": {"a": 1}}),
        changed(GOOD_TX, f10={"ar": {1: "a"}}),
        changed(GOOD_TX, f10={"mq": -1}),
        changed(GOOD_TX, f10={"sk": 1}),
        changed(GOOD_TX, f10={"re": []}),
        changed(GOOD_TX, f10={"re": ["veto", "A", "by", "", "", ""]}),
        GOOD_TX[:10],
    ],
    ids=lambda raw: f"{raw!r:.60}",
)
def test_a_damaged_message_is_a_clean_error(raw: Any) -> None:
    decoded(GOOD_SCHEMA, GOOD_TX)
    with pytest.raises(DbgWireError, match="at byte 77"):
        decoded(GOOD_SCHEMA, GOOD_TX, raw)


def test_increments_need_a_whole_vector_after_each_schema() -> None:
    more = changed(GOOD_TX, f3=0, f5=[0, 1])
    decoded(GOOD_SCHEMA, GOOD_TX, more)
    with pytest.raises(DbgWireError, match="before its whole vector"):
        decoded(GOOD_SCHEMA, more)
    with pytest.raises(DbgWireError, match="before its whole vector"):
        decoded(GOOD_SCHEMA, GOOD_TX, GOOD_SCHEMA, more)


scalars = st.none() | st.booleans() | st.integers(-2, 2**64 - 1) | st.text(max_size=3)
anything = st.recursive(
    scalars | st.binary(max_size=3),
    lambda x: st.lists(x, max_size=12) | st.dictionaries(st.text(max_size=2), x, max_size=3),
    max_leaves=30,
)
GOOD = (GOOD_SCHEMA, GOOD_TX, [2, 0, *"abcd", False, 0], [3, 1, "", "", 0, 0], [4, "m", 0])


@given(anything, st.integers(0, 4), st.data())
def test_no_value_brings_the_decoder_down(value: Any, kind: int, data: st.DataObject) -> None:
    decoder, raw = wire.StreamDecoder(), list(GOOD[kind])
    decoder.decode(GOOD_SCHEMA)
    raw[data.draw(st.integers(0, len(raw) - 1))] = value
    with contextlib.suppress(DbgWireError):
        decoder.decode(raw)


@given(st.binary(max_size=60), some_codec)
def test_no_bytes_bring_the_reader_down(data: bytes, codec: Codec) -> None:
    reader = wire.FrameReader(codec, 64)
    with contextlib.suppress(DbgWireError):
        for raw in reader.feed(data):
            wire.read_sender(raw, reader.offset)
    assert 0 <= reader.offset <= len(data)
