"""Reports in Markdown."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from amctl.dump.copying import copy
from amctl.dump.markdown import MarkdownWriter
from amctl.dump.memory import MemoryDump
from amctl.telemetry.messages import GapMsg, GoneMsg, Message, SchemaMsg, TxMsg
from tests.support.recordings import HOSTILE, lamp

if TYPE_CHECKING:
    from collections.abc import Callable


def report(dump: MemoryDump, limit: int | None = None, **meta: str) -> str:
    stream = io.BytesIO()
    writer = MarkdownWriter(stream, meta=meta, limit=limit)
    copy(dump, writer)
    writer.finish()
    return stream.getvalue().decode()


def test_a_report_reads_well(golden: Callable[[str, str], None]) -> None:
    dump = lamp()
    dump.write(GapMsg(3, "outbox full", "lamp"))
    dump.write(GapMsg(0, "the file ends early"))
    dump.write(GoneMsg("lamp", 1))
    golden("dump/report.md", report(dump, name="lamp.sqlite", run="r1"))


def test_the_log_is_capped_and_says_so() -> None:
    text = report(lamp(), limit=2)
    assert "Showing 2 of 3," in text
    assert "ErrBulb" not in text.split("## Transitions")[1]


def test_an_empty_recording_has_a_report() -> None:
    text = report(MemoryDump())
    assert "| machines | 0 |" in text
    assert "Showing 0 of 0." in text


def test_what_was_recorded_means_nothing_in_markdown() -> None:
    bad = HOSTILE + "|a|`b`*c*[d](e)```"
    schema = SchemaMsg(bad, (bad,), {}, parent=bad)
    tx = TxMsg(bad, bad, (1,), called=(0,), args={bad: bad})
    messages: list[Message] = [schema, tx, GapMsg(1, bad, bad)]
    text = report(MemoryDump(messages=messages), name=bad)
    assert "\x00" not in text
    head, log = text.split("````text\n")
    assert "<script>" not in head
    assert all(line.count(" | ") in (0, 1, 6) for line in head.splitlines())
    assert log.count("````") == 1
    assert len(log.splitlines()) == 2


def test_texts_that_are_no_unicode_are_written_too() -> None:
    dump = MemoryDump(messages=[SchemaMsg("\ud800", (), {})])
    assert r"\ud800" in report(dump)


def test_many_gaps_are_counted() -> None:
    dump = MemoryDump(messages=[GapMsg(1, f"gap {i}") for i in range(25)])
    text = report(dump)
    assert "- and 5 more gaps" in text
    assert "| known to be missing | 25 messages |" in text
