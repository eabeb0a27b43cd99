"""The rows of a trace: service > machine > states and transitions, folded to what people read.

Spans that only nest (otel.md, section 3) become the rows they stand for: `mach:0:browser1` a
machine, `0:states` a group, `0:Working` a state whose row shows all times that it was active.
Spans of anything else are rows of their own, below their parents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amctl.traces.model import Span, Trace

__all__ = ["Kind", "Outline", "Row", "is_idle_auto"]

Kind = Literal[
    "service", "machine", "states", "state", "instance", "transitions", "transition", "span"
]
"""What a row is. An instance is one time of a state that was active more than once."""

_MACHINE = re.compile(r"mach:\d+:(.*)", re.DOTALL)
_GROUP = re.compile(r"\d+:(states|transitions|submachines)")
_NUMBER = re.compile(r"^\d+: ?")
_RANK = {"states": 0, "transitions": 1, "submachines": 3}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the picture."""

    depth: int
    kind: Kind
    label: str
    service: str
    machine: str
    """Id of the machine that it belongs to; empty if it belongs to none."""
    own: tuple[Span, ...]
    """Spans that the row stands for, but which have no duration to show."""
    spans: tuple[Span, ...]
    """Spans that are drawn on its line, the earliest first."""
    parent: int
    """Index of the row above it in the tree; -1 for none."""

    @property
    def all_spans(self) -> tuple[Span, ...]:
        """Those it stands for, and those it draws."""
        return (*self.own, *self.spans)


def is_idle_auto(span: Span) -> bool:
    """Whether it is an auto transition that was refused: the machine tried, nothing came of it."""
    return span.about("accepted") is False and span.about("auto") is True and not span.is_error


class Outline:
    """All rows of a trace, parents before their children."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.rows: list[Row] = []
        self._by_id = {span.span_id: span for span in trace.spans}
        self._kids, tops = _family(trace, self._by_id)
        for service, spans in tops.items():
            self._service(service, spans)
        self.row_of: dict[str, int] = {}
        """Span id -> index of the row that draws it, or stands for it; of an instance, that of its
        state."""
        for index, row in enumerate(self.rows):
            for span in row.all_spans:
                self.row_of.setdefault(span.span_id, index)

    @property
    def machines(self) -> dict[str, str]:
        """Id of each machine -> that of its parent, or empty."""
        return {
            row.machine: self.rows[row.parent].machine if row.parent >= 0 else ""
            for row in self.rows
            if row.kind == "machine"
        }

    def span(self, span_id: str) -> Span | None:
        """The span of that id; None if the trace hasn't got it."""
        return self._by_id.get(span_id)

    def below(self, index: int) -> range:
        """The rows below a row, at any depth."""
        end = index + 1
        while end < len(self.rows) and self.rows[end].depth > self.rows[index].depth:
            end += 1
        return range(index + 1, end)

    # --- building: a stack instead of recursion, as traces may be deep

    def _service(self, name: str, tops: list[Span]) -> None:
        own, inner = [], []
        for span in tops:
            kids = self._kids.get(span.span_id, ())
            if span.name == "root" and not span.duration_ns and kids:
                own.append(span)
                inner += kids
            else:
                inner.append(span)
        only = _MACHINE.fullmatch(inner[0].name) if len(inner) == 1 else None
        if only is not None and only[1] == name:
            own.append(inner[0])
            self._add(Row(0, "machine", name, name, name, tuple(own), (), -1))
            inner = list(self._kids.get(inner[0].span_id, ()))
        else:
            self._add(Row(0, "service", name, name, "", tuple(own), (), -1))
        top = len(self.rows) - 1
        waiting = [(span, top) for span in reversed(self._ordered(inner))]
        while waiting:
            span, above = waiting.pop()
            waiting += [(one, at) for one, at in reversed(self._place(span, above))]

    def _place(self, span: Span, above: int) -> list[tuple[Span, int]]:
        """Give a span its row; what comes next, and below which row."""
        parent = self.rows[above]
        kids = self._ordered(self._kids.get(span.span_id, ()))
        machine = _MACHINE.fullmatch(span.name)
        group = _GROUP.fullmatch(span.name) if parent.kind == "machine" else None
        if machine is not None:
            at = self._child(above, "machine", machine[1], machine[1], own=(span,))
        elif group is not None and group[1] == "submachines":
            return [(one, above) for one in kids]
        elif group is not None:
            kind: Kind = "states" if group[1] == "states" else "transitions"
            at = self._child(above, kind, kind, own=(span,))
        elif parent.kind == "states":
            return self._state(span, kids, above)
        elif parent.kind == "transitions":
            at = self._child(above, "transition", _NUMBER.sub("", span.name), spans=(span,))
        else:
            at = self._child(above, "span", span.name, spans=(span,))
        return [(one, at) for one in kids]

    def _state(self, span: Span, instances: Sequence[Span], above: int) -> list[tuple[Span, int]]:
        label = _NUMBER.sub("", span.name)
        same = [one for one in instances if one.name == span.name]
        other = [one for one in instances if one.name != span.name]
        at = self._child(above, "state", label, own=(span,), spans=tuple(same))
        following: list[tuple[Span, int]] = []
        for number, one in enumerate(same, start=1):
            below = at
            if len(same) > 1:
                below = self._child(at, "instance", f"{label} #{number}", spans=(one,))
            following += [(kid, below) for kid in self._ordered(self._kids.get(one.span_id, ()))]
        return [*following, *((one, at) for one in other)]

    def _child(
        self,
        above: int,
        kind: Kind,
        label: str,
        machine: str = "",
        own: tuple[Span, ...] = (),
        spans: tuple[Span, ...] = (),
    ) -> int:
        parent = self.rows[above]
        machine = machine or parent.machine
        row = Row(parent.depth + 1, kind, label, parent.service, machine, own, spans, above)
        return self._add(row)

    def _add(self, row: Row) -> int:
        self.rows.append(row)
        return len(self.rows) - 1

    def _ordered(self, spans: Sequence[Span]) -> list[Span]:
        """States before transitions, machines inside at the end; else as they began."""

        def rank(span: Span) -> int:
            group = _GROUP.fullmatch(span.name)
            return _RANK[group[1]] if group is not None else 2

        return sorted(spans, key=rank)


def _family(
    trace: Trace, by_id: Mapping[str, Span]
) -> tuple[dict[str, list[Span]], dict[str, list[Span]]]:
    """Children by their parents' ids, and each service's topmost spans."""
    kids: dict[str, list[Span]] = {}
    tops: dict[str, list[Span]] = {}
    for span in trace.spans:
        parent = by_id.get(span.parent_id)
        if parent is None or parent.service.name != span.service.name:
            tops.setdefault(span.service.name, []).append(span)
        else:
            kids.setdefault(parent.span_id, []).append(span)
    seen: set[str] = set()
    waiting = [span for spans in tops.values() for span in spans]
    for span in trace.spans if len(waiting) < len(trace.spans) else ():
        while waiting:
            one = waiting.pop()
            if one.span_id not in seen:
                seen.add(one.span_id)
                waiting += kids.get(one.span_id, ())
        if span.span_id not in seen:  # it is its own ancestor: cut the ring at its earliest span
            kids[span.parent_id].remove(span)
            tops.setdefault(span.service.name, []).append(span)
            waiting.append(span)
    return kids, {name: tops[name] for name in trace.services if name in tops}
