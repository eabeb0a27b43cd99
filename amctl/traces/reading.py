"""Files of traces, read from beginning to end.

OTLP JSON lines (OpenTelemetry's file format), one OTLP JSON object, or Jaeger's JSON; each of them
gzipped as well. Lines are read one by one, so that a file may be larger than memory; it may also be
one that a run is still writing.
"""

from __future__ import annotations

import gzip
import json
import zlib
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, cast

from amctl.traces._jaeger import as_otlp
from amctl.traces._otlp import Converter, dropped, raw_spans, span_id_of, trace_id_of
from amctl.traces.errors import TraceFormatError, TraceNotFoundError
from amctl.traces.model import ERROR, Span, Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from amctl.traces._otlp import Scope
    from amctl.traces.model import Service

__all__ = ["Summary", "Tally", "iso_time", "load", "summaries"]

_LONGEST = 512 << 20
"""Bytes of one JSON text; it stands in memory whole."""
_MOST = 1_000_000
"""Spans that are kept; about a kilobyte each."""
_SIGNALS = ("resourceSpans", "resourceLogs", "resourceMetrics", "resourceProfiles")
_BAD = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What hostile or damaged JSON brings about."""


@dataclass(slots=True)
class Tally:
    """What reading came across, for people to know."""

    lines: int = 0
    """Lines that hold what they should."""
    bad_lines: int = 0
    """Damaged ones; they were left out."""
    bad_spans: int = 0
    """Spans without proper ids or times; they were left out."""
    doubles: int = 0
    """Spans that had been there before."""
    over: int = 0
    """Spans for which there was no room."""
    is_cut: bool = False
    """A gzipped file ends too early."""

    def told(self, name: str) -> Iterator[str]:
        """Lines for people; nothing if all was well."""
        if self.bad_lines:
            yield f"{name}: {_counted(self.bad_lines, 'damaged line')} left out"
        if self.bad_spans:
            yield f"{name}: {_counted(self.bad_spans, 'damaged span')} left out"
        if self.is_cut:
            yield f"{name}: the file ends too early; what came before is shown"
        if self.over:
            yield f"{name}: only the first {_MOST:,} spans are read, {self.over:,} more are in it"


@dataclass(slots=True)
class Summary:
    """What a list tells of a trace."""

    trace_id: str
    started_ns: int
    """Unix time of the earliest beginning."""
    ended_ns: int
    """Unix time of the latest end."""
    spans: int = 0
    errors: int = 0
    lost: int = 0
    """Spans that their makers say they lost."""
    services: dict[str, int] = field(default_factory=dict)
    """Name -> when its earliest span began."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of services, in the order in which they began."""
        return tuple(sorted(self.services, key=lambda name: self.services[name]))

    def to_json(self) -> dict[str, Any]:
        """As `amctl traces list --json` has it."""
        return {
            "trace_id": self.trace_id,
            "started": iso_time(self.started_ns),
            "spans": self.spans,
            "services": list(self.names),
            "duration_ms": round((self.ended_ns - self.started_ns) / 1e6, 3),
            "errors": self.errors,
            "lost": self.lost,
        }


def summaries(paths: Iterable[Path], tally: Tally) -> list[Summary]:
    """The traces of files that belong together, the last one to begin first.

    Keeps no spans, only their ids: 500,000 take some 60 MB.

    Raises:
        TraceNotFoundError, TraceFormatError: A file isn't there, or is no trace.
    """
    found: dict[str, Summary] = {}
    for raw, service, lost in _spans(paths, tally):
        try:
            trace = trace_id_of(raw)
            start = int(raw.get("startTimeUnixNano") or 0)
            end = max(int(raw.get("endTimeUnixNano") or 0), start)
            failed = (raw.get("status") or {}).get("code") in (ERROR, "STATUS_CODE_ERROR")
        except _BAD:
            tally.bad_spans += 1
            continue
        about = found.get(trace)
        if about is None:
            about = found[trace] = Summary(trace, start, end)
        about.started_ns, about.ended_ns = min(about.started_ns, start), max(about.ended_ns, end)
        about.spans += 1
        about.errors += failed
        about.lost += lost
        name = service[0].name
        about.services[name] = min(about.services.get(name, start), start)
    return sorted(found.values(), key=lambda one: -one.started_ns)


def load(paths: Iterable[Path], prefix: str, tally: Tally, most: int = _MOST) -> list[Trace]:
    """The traces whose ids begin so, the last one to begin first.

    Args:
        paths: Files that belong together, the oldest first.
        prefix: Small hexadecimal digits; empty for all traces.
        tally: Counts what is left out.
        most: Spans that are kept.

    Raises:
        TraceNotFoundError, TraceFormatError: A file isn't there, or is no trace.
    """
    found: dict[str, list[Span]] = {}
    lost: dict[str, int] = {}
    kept, converter = 0, Converter()
    for raw, (service, scope), dropped_spans in _spans(paths, tally, converter):
        try:
            if not trace_id_of(raw).startswith(prefix):
                continue
            if kept >= most:
                tally.over += 1
                continue
            span = converter.span(raw, service, scope)
        except _BAD:
            tally.bad_spans += 1
            continue
        kept += 1
        found.setdefault(span.trace_id, []).append(span)
        lost[span.trace_id] = lost.get(span.trace_id, 0) + dropped_spans
    traces = []
    for trace_id, spans in found.items():
        spans.sort(key=lambda span: span.start_ns)
        traces.append(Trace(trace_id, tuple(spans), lost[trace_id]))
    return sorted(traces, key=lambda trace: -trace.started_ns)


def iso_time(ns: int) -> str:
    """A Unix time as `2026-01-31T12:34:56.123456Z`; what no calendar holds becomes 1970."""
    try:
        moment = datetime.fromtimestamp(ns // 1_000_000_000, UTC)
    except (ValueError, OverflowError, OSError):
        moment, ns = datetime.fromtimestamp(0, UTC), 0
    moment = moment.replace(microsecond=ns % 1_000_000_000 // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


_Raw = tuple["Mapping[str, Any]", tuple["Service", "Scope"], int]


def _spans(
    paths: Iterable[Path], tally: Tally, converter: Converter | None = None
) -> Iterator[_Raw]:
    """Each span once, as it stands in its document; the first of a document with its losses."""
    converter = converter or Converter()
    seen: dict[str, set[bytes]] = {}
    for path in paths:
        for document in _documents(path, tally):
            try:
                lost = dropped(document, converter)
                for raw, service, scope in raw_spans(document, converter):
                    try:
                        ids = seen.setdefault(trace_id_of(raw), set())
                        id = bytes.fromhex(span_id_of(raw))
                    except _BAD:
                        tally.bad_spans += 1
                        continue
                    if id in ids:
                        tally.doubles += 1
                        continue
                    ids.add(id)
                    yield raw, (service, scope), lost
                    lost = 0
            except _BAD:
                tally.bad_lines += 1


def _documents(path: Path, tally: Tally) -> Iterator[dict[str, Any]]:
    """The OTLP documents of a file.

    Raises:
        TraceNotFoundError, TraceFormatError: The file isn't there, or is no trace.
    """
    lines, bad = tally.lines, tally.bad_lines
    with closing(_opened(path)) as file:
        try:
            first = _line(file, path)
            found = _Line(first)
            if found.is_bad and (whole := _whole(path)) is not None:
                tally.lines += 1
                yield whole
                return
            while first:
                if found.document is not None:
                    yield found.document
                tally.lines += found.is_good
                tally.bad_lines += found.is_bad
                first = _line(file, path)
                found = _Line(first)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            tally.is_cut = True
        except OSError as error:
            raise TraceFormatError(str(path), error.strerror or str(error)) from error
    if tally.lines == lines and (tally.bad_lines > bad or tally.is_cut):
        raise TraceFormatError(str(path), "it is no file of traces")


class _Line:
    """What a line of a file turns out to be."""

    __slots__ = ("document", "is_bad", "is_good")

    def __init__(self, line: bytes) -> None:
        self.document: dict[str, Any] | None = None
        self.is_good = self.is_bad = False
        if not line.strip():
            return
        try:
            found = json.loads(line)
            self.document = _document(found)
            # the file format has lines of other signals too
            other = isinstance(found, dict) and (not found or any(x in found for x in _SIGNALS))
            self.is_good = self.document is not None or other
            self.is_bad = not self.is_good
        except _BAD:
            # a half one at the end is being written
            self.is_bad = line.endswith(b"\n") or not line.lstrip().startswith(b"{")


def _opened(path: Path) -> IO[bytes]:
    try:
        if path.is_dir():
            raise TraceNotFoundError(str(path), "there is no traces.jsonl in that folder")
        with path.open("rb") as file:
            is_zipped = file.read(2) == b"\x1f\x8b"
        return cast("IO[bytes]", gzip.open(path)) if is_zipped else path.open("rb")
    except FileNotFoundError as error:
        if isinstance(error, TraceNotFoundError):
            raise
        raise TraceNotFoundError(str(path)) from error
    except OSError as error:
        raise TraceFormatError(str(path), error.strerror or str(error)) from error


def _line(file: IO[bytes], path: Path) -> bytes:
    line = file.readline(_LONGEST + 1)
    if len(line) > _LONGEST:
        raise TraceFormatError(str(path), f"it has a line of more than {_LONGEST >> 20} MiB")
    return line


def _whole(path: Path) -> dict[str, Any] | None:
    """A file that is one document over several lines."""
    with closing(_opened(path)) as file:
        text = file.read(_LONGEST + 1)
    if len(text) > _LONGEST:
        return None
    try:
        return _document(json.loads(text))
    except _BAD:
        return None


def _document(found: Any) -> dict[str, Any] | None:
    """The OTLP document that JSON is; None if it is none.

    Raises:
        ValueError, TypeError, AttributeError, KeyError: It looks like Jaeger's, but is damaged.
    """
    if isinstance(found, dict) and isinstance(found.get("data"), list):
        return as_otlp(found)
    if isinstance(found, dict) and isinstance(found.get("resourceSpans"), list):
        return found
    return None


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
