"""The log around the cursor: lines with their level, gutter and parts to colour.

The lines of a recording stay as they are. What was queued, canceled, or moved nothing has one line
more, as the original's debugger shows it: `[queue] +A`, `[cance] +A`, `[empty] +A`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from amctl.debugger.views import page_of, wall_text
from amctl.dump.following import plain
from amctl.telemetry.messages import args_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.debugger.session import Session
    from amctl.debugger.store import Record

__all__ = ["Gutter", "LogRow", "Span", "gutter_of", "log_rows", "rows_of", "spans"]

MAX_LEVEL: Final = 5
_SECOND: Final = 10**9
_EXTERNAL: Final = ("[exter] ", "[extern] ")
_TOKEN: Final = re.compile(
    r"(?P<tag>^\[[^\]]*\])|(?P<key>[A-Za-z_][\w.]*)=(?P<value>\"[^\"]*\"|[^\s)]*)"
    r"|(?P<word>[+\-*]?[A-Za-z_]\w*)"
)
_NOTE: Final = "[amctl] {"


class Gutter(StrEnum):
    """What became of the transition of a line."""

    EXECUTED = "executed"
    QUEUED = "queued"
    CANCELED = "canceled"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a line to colour."""

    start: int
    stop: int
    style: str
    """`tag`, `state`, `called`, `removed`, `key`, `value`, `external`, `trace`."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line."""

    cursor: int
    """Its transition: a click goes there."""
    text: str
    level: int
    gutter: Gutter
    is_current: bool
    kind: str = "log"
    """`log`, `pre` (written before the transition began), `made` (ours), `time`, `trace`."""
    state: str = ""
    """Of a line that tells changes: the first changed state, which a click selects."""
    spans: tuple[Span, ...] = ()


def log_rows(
    session: Session,
    lines: int = 120,
    *,
    level: int = 2,
    times: bool = False,
    traces: bool = True,
) -> tuple[LogRow, ...]:
    """Lines around the cursor, at least so many each way if there are.

    While stepping the next transition is the current one.

    Args:
        session: Where one is.
        lines: How many each way.
        level: 0 none to 5 all; at 1 the words that mark messages of users are left out.
        times: With a line of time where a new second begins, or more than one has passed.
        traces: With the lines of stack traces.
    """
    if level <= 0:
        return ()
    current = session.next_cursor if session.step else session.cursor
    found: list[LogRow] = []
    last = 0
    for cursor in page_of(session, lines, lines):
        record = session.store.record(session.machine, cursor)
        if record is None:
            continue
        found += rows_of(record, level, is_current=cursor == current, traces=traces)
        if times and _is_due(last, record.wall_ns):
            text = f"{wall_text(record.wall_ns)} t{record.time_sum}"
            found.append(LogRow(cursor, text, 0, gutter_of(record), cursor == current, "time"))
        last = record.wall_ns
    at = next((n for n, row in enumerate(found) if row.cursor >= current), len(found))
    stop = next((n for n, row in enumerate(found) if row.cursor > current), len(found))
    return tuple(found[max(at - lines, 0) : stop + lines])


def _is_due(last: int, now: int) -> bool:
    return now > 0 and (now // _SECOND != last // _SECOND or now - last > _SECOND)


def gutter_of(record: Record) -> Gutter:
    """What became of a transition."""
    if record.tx.is_queued:
        return Gutter.QUEUED
    if not record.tx.accepted:
        return Gutter.CANCELED
    return Gutter.EXECUTED if record.time_diff else Gutter.EMPTY


def rows_of(
    record: Record, level: int, *, is_current: bool = False, traces: bool = True
) -> Iterator[LogRow]:
    """The lines of one transition."""
    gutter = gutter_of(record)
    made = _made(record, gutter)
    for kind, lines in (("pre", record.tx.pre_logs), ("log", record.tx.logs)):
        for line in lines:
            if line.level <= level and line.text != made and not line.text.startswith(_NOTE):
                text = _bare(line.text) if level == 1 else line.text
                yield from _split(record, text, line.level, gutter, is_current, kind, traces)
    if made and level >= 2:
        yield _row(record, made, 2, gutter, is_current, "made")


def _made(record: Record, gutter: Gutter) -> str:
    """The line that the original writes instead of all others."""
    if gutter is Gutter.EXECUTED:
        return ""
    tag = {Gutter.QUEUED: "queue", Gutter.CANCELED: "cance", Gutter.EMPTY: "empty"}[gutter]
    if gutter is Gutter.QUEUED and record.tx.is_auto:
        tag = "aqueu"
    sign = "-" if record.tx.type == 1 else "+"
    called = " ".join(sign + name for name in record.called)
    return f"[{tag}] {called}{args_text(record.tx.args)}"


def _bare(text: str) -> str:
    for prefix in _EXTERNAL:
        text = text.removeprefix(prefix)
    return text


def _split(
    record: Record,
    text: str,
    level: int,
    gutter: Gutter,
    is_current: bool,
    kind: str,
    traces: bool,
) -> Iterator[LogRow]:
    """A line of several is one row each: a stack trace stands below its error."""
    first, *more = text.splitlines() or [""]
    yield _row(record, first, level, gutter, is_current, kind)
    for line in more if traces else ():
        shown = plain(line.replace("\t", "    "))
        yield LogRow(
            record.cursor, shown, level, gutter, is_current, "trace",
            spans=(Span(0, len(shown), "trace"),),
        )  # fmt: skip


def _row(
    record: Record, text: str, level: int, gutter: Gutter, is_current: bool, kind: str
) -> LogRow:
    text = plain(text)
    state = ""
    if text.startswith(("[state", "[auto_")):
        match = re.search(r"[+\-]([A-Za-z_]\w*)", text)
        state = match[1] if match and match[1] in record.names else ""
    marked = spans(text, record.names, record.called)
    return LogRow(record.cursor, text, level, gutter, is_current, kind, state, marked)


def spans(text: str, names: Sequence[str], called: Sequence[str] = ()) -> tuple[Span, ...]:
    """What of a line to colour: its tag, the states that it names, its arguments."""
    found: list[Span] = []
    if text.startswith(_EXTERNAL):
        end = text.index("]") + 1
        return Span(0, end, "tag"), Span(end, len(text), "external")
    known = frozenset(names)
    for match in _TOKEN.finditer(text):
        if match["tag"]:
            found.append(Span(*match.span("tag"), "tag"))
        elif match["key"]:
            found.append(Span(*match.span("key"), "key"))
            found.append(Span(*match.span("value"), "value"))
        else:
            word = match["word"]
            name = word.lstrip("+-*")
            if name in known:
                style = "removed" if word[0] == "-" else "called" if name in called else "state"
                found.append(Span(*match.span("word"), style))
    return tuple(found)
