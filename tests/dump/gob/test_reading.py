"""Files of any content: those of ours come back, all others are clean errors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from amctl.dump.errors import DumpFormatError, DumpNotFoundError
from amctl.dump.gob import Limits, encode_gob, read_gob
from amctl.dump.gob.inflate import deflate
from amctl.dump.gob.layout import DUMP, TYPES
from amctl.machine import StateDef
from amctl.telemetry.messages import SchemaMsg, TxMsg
from tests.dump.fuzz_gob import Fuzzer
from tests.dump.gob.samples import FIXTURE, VERSION, dump_of, everything, opened, packed, stream_of
from tests.dump.strategies import recordings, wild_streams

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.dump.memory import MemoryDump
    from amctl.telemetry.messages import Message


def comparable(dump: MemoryDump) -> dict[str, Any]:
    """What a gob can hold of it: one time, and lines for pipes that were not there before."""
    added = ("[pipe-", "[source] ", "[add] HandshakeDone (")

    def plain(tx: TxMsg) -> TxMsg:
        return replace(
            tx,
            received_ns=tx.time_ns,
            pre_logs=tuple(line for line in tx.pre_logs if not line.text.startswith(added)),
            logs=tuple(line for line in tx.logs if not line.text.startswith(added)),
        )

    return {
        "schemas": [dump.schema(machine) for machine in dump.machines()],
        "transitions": [[plain(tx) for tx in dump.transitions(m)] for m in dump.machines()],
        "pipes": sorted(map(repr, dump.pipes())),
        "gaps": {*dump.gaps()},
        "gone": dump.gone(),
    }


def test_a_recording_of_ours_comes_back() -> None:
    found = read_gob(packed(everything()))
    assert comparable(found) == comparable(everything())
    assert [tx.id for tx in found.transitions()] == [tx.id for tx in everything().transitions()]
    assert (found.name, found.format) == ("(bytes)", "gob.br")
    assert found.meta == {"layout": "current", "version": VERSION}


def test_the_first_file_of_this_format_can_be_read_for_ever() -> None:
    assert comparable(read_gob(FIXTURE)) == comparable(everything())
    assert read_gob(str(FIXTURE)).name == str(FIXTURE)
    assert read_gob(FIXTURE, name="http://x").name == "http://x"


@pytest.mark.slow
@given(recordings())
def test_any_recording_comes_back_to_the_byte(dump: MemoryDump) -> None:
    written = encode_gob(dump, VERSION)
    found = read_gob(written)
    assert comparable(found) == comparable(dump)
    assert encode_gob(found, VERSION) == written


@pytest.mark.slow
@settings(max_examples=60)
@given(wild_streams())
def test_messages_of_any_content_come_back_to_the_byte(messages: list[Message]) -> None:
    known = [m for m in messages if not isinstance(m, TxMsg) or m.type < 4]
    written = encode_gob(dump_of(*known), VERSION)
    assert encode_gob(read_gob(written), VERSION) == written


def test_machines_are_merged_by_time_and_keep_their_own_order() -> None:
    def of(machine: str, *times: int) -> list[Message]:
        schema = SchemaMsg(machine, ("A",), {"A": StateDef()})
        return [schema, *(TxMsg(machine, f"{machine}{t}", (), time_ns=t) for t in times)]

    found = read_gob(packed(dump_of(*of("a", 1, 5, 3, 6), *of("b", 2, 5, 7), *of("c", 0, 0))))
    assert " ".join(tx.id for tx in found.transitions()) == "c0 c0 a1 b2 a5 a3 b5 a6 b7"


def test_a_machine_that_stands_twice_is_the_later_one() -> None:
    part = {"MsgStruct": {"ID": "m", "StatesIndex": ["A"]}, "MsgTxs": [{"ID": "1"}]}
    other = {"MsgStruct": {"ID": "m", "StatesIndex": ["B"]}, "MsgTxs": [{"ID": "2"}, {"ID": "3"}]}
    found = read_gob(deflate(stream_of([part, other])))
    assert [tx.id for tx in found.transitions()] == ["2", "3"]
    assert [(at, one.names) for at, one in found.schemas("m")] == [(0, ("B",))]


def test_an_empty_list_is_an_empty_recording() -> None:
    assert read_gob(deflate(stream_of([]))).machines() == ()


def test_a_file_that_cannot_be_read_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(DumpNotFoundError, match="there is no such file"):
        read_gob(tmp_path / "x.gob.br")
    with pytest.raises(DumpNotFoundError, match="directory"):
        read_gob(tmp_path)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([{}], "a machine without a schema"),
        ([{"MsgStruct": {}, "MsgTxs": [{"Type": 9}]}], "has the type 9"),
        ([{"MsgStruct": {}, "MsgTxs": [{"Time": b"123"}]}], "a time of 3 bytes"),
    ],
)
def test_a_stream_that_is_no_dump_is_told_with_its_place(value: Any, problem: str) -> None:
    stream = stream_of(value)
    with pytest.raises(DumpFormatError, match=f"dump x: .*{problem}") as caught:
        read_gob(deflate(stream), name="x")
    assert caught.value.offset is not None
    assert 0 < caught.value.offset <= len(stream)


def test_types_that_are_no_dump_are_told_before_any_value() -> None:
    numbers = stream_of([1], [replace(TYPES[DUMP], elem=2)])
    with pytest.raises(
        DumpFormatError, match="an element of the value is a int instead of a struct"
    ):
        read_gob(deflate(numbers))


def test_bytes_after_the_dump_are_an_error() -> None:
    stream = stream_of([])
    with pytest.raises(
        DumpFormatError, match=f"bytes after the end of the dump at byte {len(stream)}"
    ):
        read_gob(deflate(stream + b"\0"))


def test_every_limit_holds() -> None:
    data = packed(everything())
    with pytest.raises(DumpFormatError, match="more than 1000 bytes"):
        read_gob(data, limits=Limits(size=1000))
    with pytest.raises(DumpFormatError, match="more than 500 values"):
        read_gob(data, limits=Limits(values=500))
    with pytest.raises(DumpFormatError, match="more than 3 levels"):
        read_gob(data, limits=Limits(depth=3))


def test_transitions_of_nothing_are_counted_by_what_they_become() -> None:
    part = {"MsgStruct": {"ID": "m"}, "MsgTxs": [{}] * 10_000}
    with pytest.raises(DumpFormatError, match="more than 50000 values"):
        read_gob(deflate(stream_of([part])), limits=Limits(values=50_000))


@pytest.mark.slow
def test_a_stream_that_ends_anywhere_is_an_error_there() -> None:
    stream = opened(packed(everything()))
    for size in range(len(stream)):
        with pytest.raises(DumpFormatError) as caught:
            read_gob(deflate(stream[:size]))
        assert caught.value.offset is not None
        assert caught.value.offset <= size


@pytest.mark.slow
def test_a_file_that_ends_anywhere_is_an_error_there() -> None:
    data = packed(everything())
    for size in range(len(data)):
        with pytest.raises(DumpFormatError) as caught:
            read_gob(data[:size])
        assert caught.value.offset == size


@pytest.mark.slow
def test_damage_of_any_kind_is_an_error_or_a_recording() -> None:
    fuzzer = Fuzzer(seed=2024)
    fuzzer.run(800)
    assert fuzzer.problems == []
    assert fuzzer.counts["error"] > 200
    assert fuzzer.counts["read"] > 20
