"""Notes are lines that become records again, and no other line does."""

from __future__ import annotations

import pytest

from amctl.dump.gob.notes import (
    Note,
    has_source,
    note_line,
    parse_note,
    plain,
    source_line,
    source_of,
)
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SourceRef

NOTES = [
    Note(pipe=PipeMsg("add", "a", "A", "b", "é", True, 7)),
    Note(gap=GapMsg(2**64 - 1, 'w"h\ny', "m", -1, 1)),
    Note(gone=GoneMsg("m", 3)),
    Note(reason=Reason("veto", "A", ("B", "C"), "AEnter", "b", "t")),
    Note(source=SourceRef("a/b", "c", 2)),
    Note(schema_ns=-(2**63)),
    Note(synthetic=True),
]


@pytest.mark.parametrize("note", NOTES)
def test_a_note_comes_back(note: Note) -> None:
    assert parse_note(note_line(note).text) == note


def test_a_note_can_be_read_by_a_person() -> None:
    line = note_line(Note(gone=GoneMsg("m", 3)))
    assert line == LogLine(5, '[amctl] {"gone":{"machine_id":"m","time_ns":3}}')


def test_half_of_a_surrogate_pair_is_spelled_out() -> None:
    assert plain("a\udc80é") == "a\\udc80é"
    text = note_line(Note(gone=GoneMsg("\udc80"))).text
    assert parse_note(text) == Note(gone=GoneMsg("\\udc80"))


@pytest.mark.parametrize(
    "text",
    [
        "[add] A",
        "[amctl] A",
        "[amctl] {",
        "[amctl] {}",
        '[amctl] {"other":1}',
        '[amctl] {"gone":{"machine_id":"m","time_ns":3} }',
        '[amctl] {"gone":{"time_ns":3,"machine_id":"m"}}',
        '[amctl] {"gone":{"machine_id":"m"}}',
        '[amctl] {"gone":{"machine_id":7,"time_ns":3}}',
        '[amctl] {"gone":{"machine_id":"m","time_ns":18446744073709551616}}',
        '[amctl] {"gone":{"machine_id":"m","time_ns":' + "1" * 9999 + "}}",
        '[amctl] {"pipe":{"kind":"other","source":"","source_state":"","target":""}}',
        "[amctl] " + '{"pipe":' * 100_000,
    ],
)
def test_any_other_line_is_none(text: str) -> None:
    assert parse_note(text) is None


def test_a_source_is_a_line_of_the_originals() -> None:
    source = SourceRef("a/b", "0123-4", 5)
    assert source_line(source) == LogLine(3, "[source] a/b/0123-4/5")
    assert source_of([LogLine(3, "[add] A"), source_line(source)]) == source


@pytest.mark.parametrize(
    "text", ["a", "a/b", "a/b/", "a/b/c", "a/b/-1", "a/b/07", "a/b/" + "9" * 20]
)
def test_a_source_line_that_is_none_says_nothing(text: str) -> None:
    lines = [LogLine(3, f"[source] {text}")]
    assert source_of(lines) is None
    assert has_source(lines)
    assert not has_source([LogLine(3, text)])
