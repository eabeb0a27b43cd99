"""What the page of a trace knows, as one JSON document in which texts are indexes.

    strings   all texts
    spans     [name, service, start, duration, parent, flags, id, message, attributes, events,
               links]
    rows      [depth, kind, label, service, own spans, drawn spans]
    gaps      [start, end] of idle time; each gets `share` of the rest

Times are nanoseconds since the trace began. Attributes are [key, value, ...]; events are
[time, name, attributes]; links are [span or -1, kind, id of a span that isn't here].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.traces.model import Trace
from amctl.traces.outline import Outline, is_idle_auto
from amctl.traces.reading import iso_time
from amctl.traces.text import clean, value_text
from amctl.traces.waterfall import timeline_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.traces.model import Event, Link, Span

MOST = 100_000
"""Spans of a page."""
KINDS = ("service", "machine", "states", "state", "instance", "transitions", "transition", "span")
_LONG = 4000
"""Letters of a value; a page isn't made to read files in."""
_IDLE = 4
"""Flag in a span's status: a refused auto transition. A refused other one is 8."""
_REFUSED = 8


def page_data(trace: Trace) -> dict[str, Any]:
    """The document; of a trace that is too large, a part."""
    whole = len(trace.spans)
    trace = _limited(trace)
    outline, texts = Outline(trace), _Texts()
    numbers = {span.span_id: number for number, span in enumerate(trace.spans)}
    services = {name: number for number, name in enumerate(trace.services)}
    encoder = _Spans(trace, texts, numbers, services)
    spans = [encoder.span(span) for span in trace.spans]
    rows = [
        [
            row.depth,
            KINDS.index(row.kind),
            texts.number(row.label),
            services[row.service],
            [numbers[span.span_id] for span in row.own],
            [numbers[span.span_id] for span in row.spans],
        ]
        for row in outline.rows
    ]
    began, timeline = trace.started_ns, timeline_of(outline)
    return {
        "trace": trace.trace_id,
        "started": iso_time(began),
        "began": str(began),
        "length": trace.ended_ns - began,
        "left_out": whole - len(trace.spans),
        "lost": trace.lost,
        "services": [clean(name) for name in services],
        "kinds": KINDS,
        "spans": spans,
        "rows": rows,
        "gaps": [[gap.start_ns - began, gap.end_ns - began] for gap in timeline.gaps],
        "share": timeline.share,
        "strings": texts.known(),
    }


def _limited(trace: Trace) -> Trace:
    """Without what says least: refused auto transitions first, then what was shortest."""
    if len(trace.spans) <= MOST:
        return trace
    parents = {span.parent_id for span in trace.spans}

    def weight(span: Span) -> tuple[bool, bool, bool, int]:
        return span.is_error, span.span_id in parents, not is_idle_auto(span), span.duration_ns

    kept = sorted(trace.spans, key=weight, reverse=True)[:MOST]
    kept.sort(key=lambda span: span.start_ns)
    return Trace(trace.trace_id, tuple(kept), trace.lost)


class _Texts:
    """Every text once, cleaned; those of several lines keep them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The index of a text."""
        if len(text) > _LONG:
            text = f"{text[:_LONG]} … {len(text) - _LONG:,} more"
        if not text.isprintable():
            text = "\n".join(map(clean, text.splitlines()))
        return self._numbers.setdefault(text, len(self._numbers))

    def known(self) -> list[str]:
        """All of them."""
        return list(self._numbers)


class _Spans:
    def __init__(
        self,
        trace: Trace,
        texts: _Texts,
        numbers: Mapping[str, int],
        services: Mapping[str, int],
    ) -> None:
        self._began, self._text = trace.started_ns, texts.number
        self._numbers, self._services = numbers, services

    def span(self, span: Span) -> list[Any]:
        """One of them."""
        flags = span.status & 3
        if span.about("accepted") is False:
            flags |= _REFUSED | (_IDLE if is_idle_auto(span) else 0)
        return [
            self._text(span.name),
            self._services[span.service.name],
            span.start_ns - self._began,
            span.duration_ns,
            self._numbers.get(span.parent_id, -1),
            flags,
            span.span_id,
            self._text(span.message),
            self._attributes(span.attributes),
            [self._event(event) for event in span.events],
            [self._link(link) for link in span.links],
        ]

    def _attributes(self, attributes: Mapping[str, Any]) -> list[int]:
        pairs = attributes.items()
        return [self._text(text) for key, value in pairs for text in (key, value_text(value))]

    def _event(self, event: Event) -> list[Any]:
        time = event.time_ns - self._began
        return [time, self._text(event.name), self._attributes(event.attributes)]

    def _link(self, link: Link) -> list[Any]:
        number = self._numbers.get(link.span_id, -1)
        return [number, self._text(link.kind), "" if number >= 0 else link.span_id]
