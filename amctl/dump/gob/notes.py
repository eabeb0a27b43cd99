"""What our messages say beyond the original's, as lines of the log.

The original's tools read pipes, sources and RPC edges from log lines, so those lines are written
if they aren't there (`lines`). They can't hold everything. What is missing then stands in notes:
lines like `[amctl] {"pipe":{...}}`, which say nothing to the original's tools, and which become
records again when we read them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason  # noqa: TC001  # msgspec looks it up
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SourceRef

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "PREFIX",
    "Note",
    "has_source",
    "note_line",
    "parse_note",
    "plain",
    "source_line",
    "source_of",
]

PREFIX: Final = "[amctl] {"
"""How the line of a note begins."""

_SOURCE: Final = "[source] "
_OPS, _EVERYTHING = 3, 5
"""Levels of lines."""

_INT64 = 1 << 63


class Note(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, frozen=True):
    """One note; one of these is set."""

    pipe: PipeMsg | None = None
    gap: GapMsg | None = None
    gone: GoneMsg | None = None
    reason: Reason | None = None
    source: SourceRef | None = None
    """Only if the `[source]` line of its transition says something else."""
    schema_ns: int = 0
    """When the schema of its machine was told."""
    synthetic: bool = False
    """Its transition is there for its lines alone."""


def note_line(note: Note, level: int = _EVERYTHING) -> LogLine:
    """A note as a line. Equal notes make equal lines."""
    return LogLine(level, f"[amctl] {_compact(_plain_parts(msgspec.to_builtins(note)))}")


def parse_note(text: str) -> Note | None:
    """The other way round; None if it is any other line, or a note that we don't understand."""
    if not text.startswith(PREFIX):
        return None
    try:
        raw = json.loads(text[len(PREFIX) - 1 :])
        note = msgspec.convert(raw, Note)
    except (ValueError, RecursionError, msgspec.ValidationError):
        return None
    # Only what we would write again, to the byte, is taken out of the log.
    return note if _fits(raw) and note_line(note).text == text and note != Note() else None


def source_line(source: SourceRef) -> LogLine:
    """Where a mutation came from, as the original logs it."""
    return LogLine(_OPS, f"{_SOURCE}{source.machine_id}/{source.tx_id}/{source.time}")


def source_of(lines: Iterable[LogLine]) -> SourceRef | None:
    """What the first `[source]` line says, if it can be understood."""
    for line in lines:
        if line.text.startswith(_SOURCE):
            parts = line.text.removeprefix(_SOURCE).rsplit("/", 2)
            if len(parts) != 3 or not _is_small_number(parts[2]):
                return None
            return SourceRef(parts[0], parts[1], int(parts[2]))
    return None


def has_source(lines: Iterable[LogLine]) -> bool:
    """Whether there is such a line, whatever it says."""
    return any(line.text.startswith(_SOURCE) for line in lines)


def _is_small_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and str(int(text)) == text


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def plain(text: str) -> str:
    """A string as it comes back from a file: half of a surrogate pair becomes `\\uNNNN`."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _plain_parts(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {key: _plain_parts(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_parts(part) for part in value]
    return value


def _fits(value: Any) -> bool:
    """Whether all numbers have 64 bits, signed or not, as everywhere in a recording."""
    if isinstance(value, dict):
        return all(_fits(part) for part in value.values())
    if isinstance(value, list):
        return all(_fits(part) for part in value)
    return not isinstance(value, int) or -_INT64 <= value < 2 * _INT64
