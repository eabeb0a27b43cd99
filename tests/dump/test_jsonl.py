"""Lines of JSON: whole round trips, and what is told of a file that is cut, damaged or hostile."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from backports.zstd import compress, decompress
from hypothesis import given
from hypothesis import strategies as st

from amctl.dump.errors import DumpFormatError, DumpVersionError, UnknownMachineError
from amctl.dump.jsonl import KEYFRAME, MAX_STATES, JsonlReader, JsonlWriter, TextLimits
from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, TxMsg
from tests.dump.strategies import wild_streams
from tests.support.house import ROOT
from tests.support.recordings import lamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.telemetry.messages import Message

NAMES = ("Start", "Ready")
SCHEMA = SchemaMsg("m", NAMES, {name: StateDef() for name in NAMES})
HEAD = b'{"format":"amctl-dump","version":1}\n'
A_SCHEMA = b'{"kind":"schema","machine":"m","names":["A"],"states":{}}\n'


def written(messages: Iterable[Message], *, packed: bool = False, **meta: str) -> bytes:
    stream = io.BytesIO()
    writer = JsonlWriter(stream, packed=packed, meta=meta)
    for message in messages:
        writer.write(message)
    writer.finish()
    return stream.getvalue()


def read(data: bytes, limits: TextLimits | None = None) -> list[Message]:
    return list(JsonlReader(io.BytesIO(data), "x", limits))


def run_of(count: int) -> list[Message]:
    """A machine that ticks once in each of `count` transitions."""
    txs = [TxMsg("m", f"{i:x}", (i + 1, 1), called=(0,), time_ns=100 + i) for i in range(count)]
    return [SCHEMA, *txs]


def parsed(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.splitlines()]


@pytest.mark.slow
@given(wild_streams())
def test_every_field_comes_back(messages: list[Message]) -> None:
    assert read(written(messages)) == messages
    assert read(written(messages, packed=True)) == messages


def test_the_header_says_what_it_is() -> None:
    reader = JsonlReader(io.BytesIO(written([], run="r1", packed=True)), "x")
    assert (reader.meta, reader.format) == ({"run": "r1"}, "jsonl.zst")
    assert JsonlReader(io.BytesIO(written([])), "x").format == "jsonl"


def test_lines_name_states_and_leave_defaults_out() -> None:
    tx = TxMsg("m", "1f", (1, 0), 1, (0,))
    assert parsed(written([SCHEMA, tx]))[2:] == [
        {
            "kind": "tx",
            "machine": "m",
            "n": 0,
            "id": "1f",
            "type": "remove",
            "called": ["Start"],
            "clocks": [1, 0],
        },
        {"kind": "end", "lines": 2},
    ]


def test_clocks_are_deltas_between_keyframes() -> None:
    lines = [line for line in parsed(written(run_of(KEYFRAME + 3))) if line.get("kind") == "tx"][1:]
    whole = [line["n"] for line in lines if "clocks" in line]
    assert whole == [KEYFRAME + 1]
    assert lines[0]["ticks"] == {"Start": 1}


@pytest.mark.parametrize("names", [("A", "A"), ()])
def test_states_that_names_cant_tell_are_numbers(names: tuple[str, ...]) -> None:
    schema = SchemaMsg("m", names, {})
    txs = [TxMsg("m", "1", (0, 0)), TxMsg("m", "2", (0, 1), called=(1,))]
    data = written([schema, *txs])
    assert parsed(data)[3]["called"] == [1]
    assert parsed(data)[3]["clocks"] == [0, 1]
    assert read(data) == [schema, *txs]


def test_a_new_schema_begins_with_whole_clocks() -> None:
    more = SchemaMsg("m", ("Ready", "Start"), {})
    messages = [*run_of(2), more, TxMsg("m", "z", (1, 3))]
    assert "clocks" in parsed(written(messages))[5]
    assert read(written(messages)) == messages


def test_a_transition_needs_its_machines_schema() -> None:
    with pytest.raises(UnknownMachineError, match="'m'"):
        written([TxMsg("m", "1", ())])
    with pytest.raises(DumpFormatError, match="line 2: a transition of 'm' before its schema"):
        read(HEAD + b'{"kind":"tx","machine":"m","n":0}\n')


@pytest.mark.parametrize("packed", [True, False])
def test_a_cut_tail_yields_what_is_whole_and_says_so(packed: bool) -> None:
    messages = run_of(3000)
    data = written(messages, packed=packed)
    part = read(data[: len(data) * 2 // 3])
    assert part[:-1] == messages[: len(part) - 1]
    assert len(part) > 500
    gap = part[-1]
    assert isinstance(gap, GapMsg)
    assert (gap.count, gap.why[:20]) == (0, "the file ends early,")


def test_a_cut_at_a_lines_end_is_told_too() -> None:
    data = written(run_of(2))
    whole = data[: data.rindex(b'{"kind":"end"')]
    assert read(whole) == [*run_of(2), GapMsg(0, "the file ends early, after line 4")]


def test_every_cut_is_told() -> None:
    data = written(run_of(5))
    for size in range(len(HEAD), len(data) - 1):
        assert isinstance(read(data[:size])[-1], GapMsg)


@pytest.mark.parametrize("packed", [True, False])
def test_nothing_can_be_read_without_a_whole_first_line(packed: bool) -> None:
    data = written(run_of(5), packed=packed)
    with pytest.raises(DumpFormatError, match="ends within its first line"):
        read(data[:30])


def test_missing_lines_cost_what_they_held_and_what_was_told_against_them() -> None:
    messages = run_of(2 * KEYFRAME)
    lines = written(messages).splitlines(keepends=True)
    del lines[10:13]  # transitions 8 to 10
    found = read(b"".join(lines))
    gaps = [each for each in found if isinstance(each, GapMsg)]
    again = KEYFRAME + 1  # the next one with whole clocks
    assert gaps == [GapMsg(again - 8, "lines are missing", "m", 107, 100 + again)]
    assert [m for m in found if isinstance(m, TxMsg)] == [*messages[1:9], *messages[again + 1 :]]


def test_a_missing_line_of_another_kind_is_counted_at_the_end() -> None:
    lines = written([PipeMsg("add", "a", "A", "b", "B"), *run_of(1)]).splitlines(keepends=True)
    del lines[1]
    assert read(b"".join(lines))[-1] == GapMsg(1, "lines are missing")


def test_transitions_lost_to_the_very_end_are_told() -> None:
    lines = written(run_of(5)).splitlines(keepends=True)
    del lines[3]
    assert read(b"".join(lines))[-1] == GapMsg(4, "lines are missing", "m", 100)


def test_frames_may_follow_each_other() -> None:
    data = written(run_of(2))
    assert read(compress(data[:50]) + compress(data[50:])) == run_of(2)


def test_unknown_fields_are_for_later_versions_to_add() -> None:
    line = b'{"kind":"gap","count":1,"why":"x","new":{"deep":[1]}}\n'
    assert read(HEAD + line)[0] == GapMsg(1, "x")


DAMAGED = {
    "no json": (b"{nope}\n", "line 2"),
    "no object": (b"[1]\n", "line 2: Expected `object`"),
    "an unknown kind": (b'{"kind":"zzz"}\n', "line 2: Invalid value 'zzz'"),
    "a wrong type": (b'{"kind":"gap","count":"3","why":""}\n', r"Expected `int`.*\$.count"),
    "no utf-8": (b'{"kind":"gone","machine":"\xff"}\n', "line 2"),
    "a missing field": (b'{"kind":"gone"}\n', "missing required field `machine`"),
    "a wrong pipe": (b'{"kind":"pipe","mutation":"x","source":"","target":""}\n', "Invalid"),
    "values too deep": (b'{"kind":"gone","machine":"a","x":' + b"[" * 200_000 + b"\n", "too deep"),
    "a long number": (b'{"kind":"gone","machine":"a","time_ns":' + b"9" * 5000 + b"}\n", "line 2"),
    "an unknown state": (
        A_SCHEMA + b'{"kind":"tx","machine":"m","n":0,"clocks":[0],"called":["B"]}\n',
        "line 3: there is no state 'B'",
    ),
    "an unknown word": (
        A_SCHEMA + b'{"kind":"tx","machine":"m","n":0,"clocks":[0],"type":"Add"}\n',
        "there is no type 'Add'",
    ),
    "a clock below zero": (
        A_SCHEMA + b'{"kind":"tx","machine":"m","n":0,"clocks":[-1]}\n',
        "clocks that can't be",
    ),
    "a tick back": (
        A_SCHEMA
        + b'{"kind":"tx","machine":"m","n":0,"clocks":[1]}\n'
        + b'{"kind":"tx","machine":"m","n":1,"ticks":{"A":-1}}\n',
        "clocks that can't be: 'A' -1",
    ),
    "a tick of no clock": (
        A_SCHEMA
        + b'{"kind":"tx","machine":"m","n":0,"clocks":[]}\n'
        + b'{"kind":"tx","machine":"m","n":1,"ticks":{"A":1}}\n',
        "clocks that can't be: 'A'",
    ),
    "a line twice": (
        A_SCHEMA + b'{"kind":"tx","machine":"m","n":0,"clocks":[1]}\n' * 2,
        "line 4: transition 0 of 'm' comes again",
    ),
    "a second recording": (HEAD, "another recording begins"),
    "more after the end": (b'{"kind":"end","lines":0}\nx\n', "something follows"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damage_is_told_with_its_line(what: str) -> None:
    lines, told = DAMAGED[what]
    with pytest.raises(DumpFormatError, match=told) as caught:
        read(HEAD + lines)
    assert caught.value.offset is not None
    assert caught.value.offset >= len(HEAD)


def test_the_offset_is_that_of_the_line() -> None:
    with pytest.raises(DumpFormatError) as caught:
        read(HEAD + A_SCHEMA + b"x\n")
    assert caught.value.offset == len(HEAD + A_SCHEMA)
    assert "line 3" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\n", b"{}\n", b"hello", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_recording_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(DumpFormatError, match="isn't a jsonl recording"):
        JsonlReader(io.BytesIO(data), "x")


def test_other_formats_and_newer_versions_are_refused() -> None:
    with pytest.raises(DumpFormatError, match="is of the format 'other'"):
        read(b'{"format":"other","version":1}\n')
    for version in (0, -1):
        with pytest.raises(DumpVersionError):
            read(b'{"format":"amctl-dump","version":%d}\n' % version)
    with pytest.raises(DumpVersionError, match="version 2, this amctl knows up to 1"):
        read(b'{"format":"amctl-dump","version":2}\n')


def test_bombs_end_at_the_limits() -> None:
    long = compress(HEAD + b" " * 3_000_000)
    with pytest.raises(DumpFormatError, match="line 2 has more than 1000000 bytes"):
        read(long, TextLimits(line=1_000_000))
    many = compress(HEAD + b'{"kind":"gone","machine":"a"}\n' * 100_000)
    with pytest.raises(DumpFormatError, match="unpacks to more than 1000000 bytes"):
        read(many, TextLimits(size=1_000_000))


def test_a_machine_has_so_many_states() -> None:
    names = json.dumps([f"s{i}" for i in range(MAX_STATES + 1)]).encode()
    with pytest.raises(DumpFormatError, match="16385 states, at most 16384"):
        read(HEAD + b'{"kind":"schema","machine":"m","states":{},"names":' + names + b"}\n")
    clocks = json.dumps([0] * (MAX_STATES + 1)).encode()
    with pytest.raises(DumpFormatError, match="clocks that can't be"):
        read(HEAD + A_SCHEMA + b'{"kind":"tx","machine":"m","n":0,"clocks":' + clocks + b"}\n")


def test_damaged_packing_is_told_with_its_offset() -> None:
    data = bytearray(written(run_of(3000), packed=True))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(DumpFormatError, match=r"the packed data are damaged.*at byte \d+"):
        read(bytes(data))


@pytest.mark.slow
@given(st.data(), st.booleans())
def test_any_damage_is_told_or_harmless(data: st.DataObject, packed: bool) -> None:
    made = bytearray(written(run_of(20), packed=packed))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(made)))
        new = data.draw(
            st.binary(max_size=6) | st.sampled_from([b'"', b"[", b"-1", b"null", b"\n"])
        )
        made[at : at + data.draw(st.integers(0, 8))] = new
    try:
        read(bytes(made))
    except (DumpFormatError, DumpVersionError) as err:
        assert str(err).startswith("dump x: ")  # noqa: PT017 - it may as well be harmless


def test_the_file_is_text_that_other_tools_read() -> None:
    data = written(run_of(3), packed=True)
    assert not re.search(rb"[\x00-\x09\x0b-\x1f]", decompress(data))


def test_nothing_is_written_by_a_writer_that_gave_up() -> None:
    stream = io.BytesIO()
    writer = JsonlWriter(stream)
    writer.write(SCHEMA)
    writer.abandon()
    assert stream.getvalue() == b""


def test_version_1_is_read_for_ever() -> None:
    """The file was written when the version was new; it is never written anew."""
    path = ROOT / "tests" / "cases" / "dumps" / "version-1.jsonl.zst"
    reader = JsonlReader(io.BytesIO(path.read_bytes()), path.name)
    messages = list(reader)
    assert (reader.meta, reader.format) == ({"run": "r1"}, "jsonl.zst")
    assert messages == [*every_kind()]


def every_kind() -> Iterable[Message]:
    yield lamp().schema("lamp")
    yield PipeMsg("remove", "lamp", "On", "other", "Off", gone=True, time_ns=5)
    yield from lamp().transitions()
    queued = TxMsg("lamp", "3-0", (1, 1, 2, 1, 0, 0), 1, (0,), is_queued=True, stack="x:1")
    queued.queue, queued.queue_tick, queued.mut_queue_tick = 1, 7, 9
    queued.reason = Reason("require", "On", ("Plugged",), "OnEnter", "b", "why")
    queued.pre_logs = queued.logs = (LogLine(2, "[state] +On"),)
    yield queued
    yield GapMsg(3, "outbox full", "lamp", 1, 2)
    yield GoneMsg("lamp", 9)
