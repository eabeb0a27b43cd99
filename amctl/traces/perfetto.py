"""A trace for Perfetto's UI, and for Chrome's: JSON of the Trace Event format.

A service is a process. A machine has two threads: one of transitions, whose slices stand one after
another, and one of states, with a mark for each time that one was called. That a state is active is
an asynchronous slice: states overlap, and slices of a thread must not. Spans of other things get
threads too, as many as they need not to cross. An arrow leads from a cause to what it caused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.traces.outline import Outline
from amctl.traces.reading import iso_time
from amctl.traces.text import clean, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from amctl.traces.model import Span, Trace
    from amctl.traces.outline import Row

__all__ = ["perfetto_document"]


def perfetto_document(trace: Trace) -> dict[str, Any]:
    """The object. Times are microseconds since the trace began, to the nanosecond."""
    return {
        "traceEvents": list(_Export(trace).events()),
        "displayTimeUnit": "ms",
        "otherData": {
            "trace_id": trace.trace_id,
            "started": iso_time(trace.started_ns),
            "started_ns": str(trace.started_ns),
            "writer": "amctl traces export",
        },
    }


class _Lanes:
    """Threads whose slices nest: each span goes to the first on which it crosses nothing."""

    def __init__(self) -> None:
        self._open: list[list[int]] = []

    def put(self, span: Span) -> int:
        """The number of its lane. Spans must come as they begin, the longer of equal ones first."""
        for number, ends in enumerate(self._open):
            while ends and ends[-1] <= span.start_ns:
                ends.pop()
            if not ends or span.end_ns <= ends[-1]:
                ends.append(span.end_ns)
                return number
        self._open.append([span.end_ns])
        return len(self._open) - 1


class _Export:
    def __init__(self, trace: Trace) -> None:
        self.trace, self.outline = trace, Outline(trace)
        self.pids = {name: number for number, name in enumerate(trace.services, start=1)}
        self.tids: dict[tuple[str, str, str, int], int] = {}
        """Service, machine, kind of track, lane -> thread."""
        self.places: dict[str, tuple[int, int]] = {}
        """Span id -> process and thread of its slice."""
        self.began = trace.started_ns
        counts: dict[str, int] = {}
        for row in self.outline.rows:
            counts[row.service] = counts.get(row.service, 0) + (row.kind == "machine")
        self.has_many = {name for name, count in counts.items() if count > 1}

    def events(self) -> Iterator[dict[str, Any]]:
        """Names first, then slices, then arrows."""
        slices = [*self._slices(), *self._states()]
        yield from self._names()
        yield from sorted(slices, key=lambda event: event["ts"])
        yield from self._arrows()

    # --- tracks

    def _names(self) -> Iterator[dict[str, Any]]:
        for service, pid in self.pids.items():
            yield _meta("process_name", pid, 0, name=clean(service))
            yield _meta("process_sort_index", pid, 0, sort_index=pid)
        for (service, machine, kind, lane), tid in self.tids.items():
            name = f"{machine} {kind}" if machine else kind
            name += f" ({lane + 1})" if lane else ""
            yield _meta("thread_name", self.pids[service], tid, name=clean(name))
            yield _meta("thread_sort_index", self.pids[service], tid, sort_index=tid)

    def _thread(self, row: Row, kind: str, lane: int = 0) -> tuple[int, int]:
        key = (row.service, row.machine, kind, lane)
        return self.pids[row.service], self.tids.setdefault(key, len(self.tids) + 1)

    # --- what goes on them

    def _slices(self) -> Iterator[dict[str, Any]]:
        """Transitions, and spans of other things."""
        tracks: dict[tuple[str, str, str], list[tuple[Span, Row]]] = {}
        for row in self.outline.rows:
            if row.kind in ("transition", "span"):
                kind = "transitions" if row.kind == "transition" else "spans"
                key = (row.service, row.machine, kind)
                tracks.setdefault(key, []).extend((span, row) for span in row.spans)
        for (_, _, kind), found in tracks.items():
            lanes = _Lanes()
            for span, row in sorted(found, key=lambda one: (one[0].start_ns, -one[0].end_ns)):
                pid, tid = self._thread(row, kind, lanes.put(span))
                self.places[span.span_id] = (pid, tid)
                yield {
                    "ph": "X",
                    "name": clean(row.label),
                    "cat": _category(span, row),
                    "pid": pid,
                    "tid": tid,
                    "ts": self._ts(span.start_ns),
                    "dur": span.duration_ns / 1000,
                    "args": _args(span),
                }

    def _states(self) -> Iterator[dict[str, Any]]:
        for row in self.outline.rows:
            if row.kind != "state":
                continue
            pid, tid = self._thread(row, "states")
            label = clean(f"{row.machine}: {row.label}" if self._is_one_of_many(row) else row.label)
            for span in row.spans:
                common = {
                    "name": label,
                    "cat": "state",
                    "id": f"0x{span.span_id}",
                    "pid": pid,
                    "tid": tid,
                }
                start = self._ts(span.start_ns)
                yield {"ph": "b", **common, "ts": start, "args": _args(span)}
                yield {"ph": "e", **common, "ts": self._ts(span.end_ns)}
                for event in span.events:
                    yield {
                        "ph": "i",
                        "s": "t",
                        "name": clean(f"{row.label}: {event.name}"),
                        "cat": "state",
                        "pid": pid,
                        "tid": tid,
                        "ts": self._ts(event.time_ns),
                        "args": _plain(event.attributes),
                    }

    def _is_one_of_many(self, row: Row) -> bool:
        return row.service in self.has_many and row.machine != row.service

    def _arrows(self) -> Iterator[dict[str, Any]]:
        """From each cause to its transition.

        Clocks of threads differ a little: an arrow begins with its cause, and ends at the first
        moment of what it caused that isn't before. If there is none, there is no arrow.
        """
        number = 0
        for span in self.trace.spans:
            for link in span.links:
                cause = self.outline.span(link.span_id)
                if link.kind not in ("", "source") or cause is None:
                    continue
                at, to = self.places.get(cause.span_id), self.places.get(span.span_id)
                if at is None or to is None or span.end_ns < cause.start_ns or cause is span:
                    continue
                number += 1
                common = {"name": "cause", "cat": "cause", "id": number}
                start, end = cause.start_ns, max(span.start_ns, cause.start_ns)
                yield {"ph": "s", **common, "pid": at[0], "tid": at[1], "ts": self._ts(start)}
                target = {"pid": to[0], "tid": to[1], "ts": self._ts(end)}
                yield {"ph": "f", "bp": "e", **common, **target}

    def _ts(self, time_ns: int) -> float:
        return max(time_ns - self.began, 0) / 1000


def _meta(kind: str, pid: int, tid: int, **args: Any) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "cat": "__metadata", "pid": pid, "tid": tid, "args": args}


def _category(span: Span, row: Row) -> str:
    return f"{row.kind},error" if span.is_error else row.kind


def _args(span: Span) -> dict[str, Any]:
    made = _plain(span.attributes)
    made["span"] = span.span_id
    if span.message:
        made["status"] = clean(span.message)
    for number, event in enumerate(_noted(span), start=1):
        made[f"event {number}"] = event
    return made


def _noted(span: Span) -> Iterable[str]:
    return (clean(event.name) for event in span.events)


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {clean(key): plain_value(value) for key, value in attributes.items()}
