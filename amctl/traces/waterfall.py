"""A trace as lines of a terminal: names at the left, bars in the middle, durations at the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from amctl.traces.picking import Filters, is_trouble, pick
from amctl.traces.text import clean, cut, padded, width
from amctl.traces.timeline import Timeline, duration_text, gaps_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amctl.traces.model import Link, Span
    from amctl.traces.outline import Outline, Row
    from amctl.traces.picking import Picked

__all__ = ["Glyphs", "Line", "Look", "Waterfall", "timeline_of"]

Tone = Literal["axis", "group", "state", "transition", "error", "refused", "link", "elsewhere"]
"""What a line is, for its colours."""

_TIME = 7
_LEAST_BAR = 8


class Glyphs(NamedTuple):
    """What bars and marks are drawn with."""

    bar: str = "━"
    short: str = "┃"
    event: str = "╋"
    gap: str = "┊"
    over: str = "┅"
    next: str = "┣"
    cause: str = "◦"
    error: str = "▲"
    refused: str = "×"  # noqa: RUF001 - the glyph of a cancelled thing everywhere here
    more: str = "…"
    times: str = "×"  # noqa: RUF001


ASCII = Glyphs("=", "|", "+", ":", "~", "[", "o", "!", "x", ".", "x")


@dataclass(frozen=True, slots=True)
class Look:
    """How it is drawn."""

    columns: int = 100
    ascii: bool = False
    links: bool = False
    """All links of a transition below it; by default only causes in other services."""

    @property
    def label(self) -> int:
        """Columns of names."""
        return max(12, min(self.columns * 2 // 5, 48, self.columns - _LEAST_BAR - _TIME - 2))

    @property
    def bar(self) -> int:
        """Columns of bars; 0 if there is no room for any."""
        room = self.columns - self.label - _TIME - 2
        return room if room >= _LEAST_BAR else 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line, in parts that differ in their colours. Joined, they fit the columns."""

    label: str
    """Indented name."""
    note: str
    """Behind it; together they fill the columns of names."""
    bar: str
    time: str
    tone: Tone
    service: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        parts = (f"{self.label}{self.note}", self.bar, self.time)
        return " ".join(part for part in parts if part).rstrip()


def timeline_of(outline: Outline) -> Timeline:
    """The time of a trace, its idle gaps pressed together."""
    trace = outline.trace
    busy = [s for row in outline.rows if row.kind in ("transition", "span") for s in row.spans]
    gaps = gaps_of(trace.spans, busy)
    return Timeline(trace.started_ns, trace.ended_ns, gaps)


class Waterfall:
    """The lines.

    Args:
        outline: The trace.
        filters: What to show of it.
        look: How.
    """

    def __init__(self, outline: Outline, filters: Filters, look: Look) -> None:
        self.outline, self.filters, self.look = outline, filters, look
        self.timeline = timeline_of(outline)
        self.glyphs = ASCII if look.ascii else Glyphs()
        self.picked = pick(outline, filters)
        """The rows that are shown."""
        self._gaps = {
            self._column((self.timeline.place(g.start_ns) + self.timeline.place(g.end_ns)) / 2)
            for g in self.timeline.gaps
        }

    def lines(self) -> Iterator[Line]:
        """The axis, then each row, with its links below."""
        if self.look.bar:
            yield self._axis()
        for one in self.picked:
            yield self._row(one)
            if one.row.kind in ("transition", "span"):
                for span in one.spans:
                    yield from self._links(one.row, span)

    # --- columns

    def _column(self, place: float) -> int:
        return max(min(int(place * self.look.bar), self.look.bar - 1), 0)

    def _at(self, time_ns: int) -> int:
        return self._column(self.timeline.place(time_ns))

    def _empty(self) -> list[str]:
        return [self.glyphs.gap if i in self._gaps else " " for i in range(self.look.bar)]

    def _bar(self, spans: Iterable[Span]) -> str:
        cells, glyphs = self._empty(), self.glyphs
        if not cells:
            return ""
        shown = list(spans)
        for span in shown:
            first, last = self._at(span.start_ns), self._at(span.end_ns)
            is_next = first > 0 and cells[first - 1] == glyphs.bar
            for column in range(first, last + 1):
                cells[column] = glyphs.over if column in self._gaps else glyphs.bar
            if first == last:
                cells[first] = glyphs.short
            elif is_next:  # two times of a state that touch
                cells[first] = glyphs.next
        for span in shown:
            first, last = self._at(span.start_ns), self._at(span.end_ns)
            for event in span.events if "[M]" in span.name else ():
                if first < (column := self._at(event.time_ns)) < last:
                    cells[column] = glyphs.event
        return "".join(cells)

    def _axis(self) -> Line:
        timeline, start = self.timeline, self.timeline.start_ns
        cells = self._empty()
        end = duration_text(timeline.end_ns - start, ascii=self.look.ascii)
        taken = len(cells) - len(end)
        cells[taken:] = end
        moments = [start, *(gap.end_ns for gap in timeline.gaps)]
        moments += [timeline.time(number / 4) for number in range(1, 4)]
        used: list[tuple[int, int]] = [(taken, len(cells))]
        for moment in moments:
            text = "0" if moment == start else duration_text(moment - start, ascii=self.look.ascii)
            column = self._at(moment) + (moment != start and self._at(moment) in self._gaps)
            room = (column, column + len(text))
            if all(room[1] < a or room[0] > b for a, b in used) and room[1] < taken:
                cells[column : room[1]] = text
                used.append(room)
        return Line("", " " * self.look.label, "".join(cells), "", "axis")

    # --- rows

    def _row(self, picked: Picked) -> Line:
        row, spans = picked.row, picked.spans
        tone, mark = self._tone(row, spans)
        label = f"{'  ' * row.depth}{mark}{clean(row.label)}"
        if len(spans) > 1 and row.kind == "state":
            label += f" {self.glyphs.times}{len(spans)}"
        label = cut(label, self.look.label, self.glyphs.more)
        note = padded(self._note(picked), self.look.label - width(label), self.glyphs.more)
        time = ""
        if spans and not picked.folded:
            time = duration_text(sum(s.duration_ns for s in spans), ascii=self.look.ascii)
        return Line(label, note, self._bar(spans), f"{time:>{_TIME}}", tone, row.service)

    def _tone(self, row: Row, spans: Sequence[Span]) -> tuple[Tone, str]:
        if row.kind in ("service", "machine", "states", "transitions"):
            return "group", ""
        if any(map(is_trouble, spans)):
            return "error", f"{self.glyphs.error} "
        if row.kind == "transition":
            is_refused = any(span.about("accepted") is False for span in spans)
            return ("refused", f"{self.glyphs.refused} ") if is_refused else ("transition", "")
        return "state", ""

    def _note(self, picked: Picked) -> str:
        row, spans = picked.row, picked.spans
        if row.kind == "transitions":
            inside = sum(self.outline.rows[i].kind == "transition" for i in self._below(picked))
            return f" {inside}{self._folded(picked)}"
        if row.kind != "transition" or not spans:
            return ""
        if spans[0].is_error and spans[0].message:
            return f"  {clean(spans[0].message)}"
        return f"  {clean(str(spans[0].about('states_diff') or ''))}".rstrip()

    def _below(self, picked: Picked) -> Iterator[int]:
        depth = picked.row.depth + 1
        rows = self.outline.rows
        return (i for i in self.outline.below(picked.index) if rows[i].depth == depth)

    def _folded(self, picked: Picked) -> str:
        if not picked.folded:
            return ""
        idle = f"{picked.idle} idle autos" if picked.idle else ""
        rest = picked.folded - picked.idle
        return f", folded: {', '.join(x for x in (f'{rest}' if rest else '', idle) if x)}"

    # --- links

    def _links(self, row: Row, span: Span) -> Iterator[Line]:
        for link in span.links:
            there = self.outline.span(link.span_id)
            is_elsewhere = there is not None and there.service.name != row.service
            is_lost = there is None and link.kind in ("", "source")
            if self.look.links or is_elsewhere or is_lost:
                yield self._link(row, link, there, is_elsewhere=is_elsewhere)

    def _link(self, row: Row, link: Link, there: Span | None, *, is_elsewhere: bool) -> Line:
        name = f"span {link.span_id}, not in this file"
        cells = self._empty()
        if there is not None:
            name = there.name.partition(": ")[2] or there.name.partition(":")[2] or there.name
            name = f"{there.service.name} {name}"
            if cells:
                cells[self._at(there.start_ns)] = self.glyphs.cause
        kind = "" if link.kind in ("", "source") else f"{link.kind} "
        text = f"{'  ' * (row.depth + 1)}<- {kind}{clean(name)}"
        label = cut(text, self.look.label, self.glyphs.more)
        note = " " * (self.look.label - width(label))
        tone: Tone = "elsewhere" if is_elsewhere else "link"
        return Line(label, note, "".join(cells), "", tone, there.service.name if there else "")
