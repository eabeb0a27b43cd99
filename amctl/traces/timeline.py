"""Time with its idle gaps pressed together.

Most of a run is waiting: for a browser, for a person. A stretch in which nothing begins, ends or
happens, although states may be active all the while, gets a small fixed share of the picture when
it would take a large one.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amctl.traces.model import Span

__all__ = ["Gap", "Timeline", "duration_text", "gaps_of"]

_IDLE = 0.12
"""Share of the rest that makes a stretch an idle gap."""
_UNUSUAL = 4
"""And that many times what is usual between two moments: few moments alone make no gaps."""
_WIDTH, _WIDTHS = 0.03, 0.3
"""Share of the rest that a gap gets, and all of them at most."""
_MOST = 24
"""Gaps of one trace."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing happens between these moments, in Unix nanoseconds."""

    start_ns: int
    end_ns: int

    @property
    def duration_ns(self) -> int:
        """How long nothing happens."""
        return self.end_ns - self.start_ns


def gaps_of(spans: Iterable[Span], busy: Iterable[Span] = ()) -> list[Gap]:
    """The idle gaps of spans, in order.

    Args:
        spans: What happens, happens at their beginnings, ends, and events.
        busy: Those of them that are at work from beginning to end, unlike states, which may wait.
    """
    moments: set[int] = set()
    for span in spans:
        moments.add(span.start_ns)
        moments.add(span.end_ns)
        for event in span.events:
            if span.start_ns <= event.time_ns <= span.end_ns:
                moments.add(event.time_ns)
    if len(moments) < 3:
        return []
    ordered = sorted(moments)
    covered = _Cover(busy)
    stretches = [Gap(a, b) for a, b in pairwise(ordered) if not covered.holds(a, b)]
    stretches.sort(key=lambda gap: -gap.duration_ns)
    usual = median(b - a for a, b in pairwise(ordered))
    rest, count = ordered[-1] - ordered[0], 0
    is_falling = True
    for number, gap in enumerate(stretches[:_MOST], start=1):
        is_falling = is_falling and gap.duration_ns > rest * _IDLE
        rest -= gap.duration_ns
        # waits between many rounds are each a small share of it all
        is_long = is_falling or gap.duration_ns * (number + 1) > _UNUSUAL * rest
        if is_long and gap.duration_ns > usual * _UNUSUAL:
            count = number
    return sorted(stretches[:count], key=lambda gap: gap.start_ns)


class _Cover:
    """The union of spans."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted((span.start_ns, span.end_ns) for span in spans):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def holds(self, start: int, end: int) -> bool:
        """Whether all of a stretch is covered."""
        at = bisect_right(self._starts, start) - 1
        return at >= 0 and end <= self._ends[at]


class Timeline:
    """Where on a line of length 1 a moment lies.

    Args:
        start_ns: The moment at 0.
        end_ns: The moment at 1.
        gaps: Idle ones between these, in order; they get a small share each.
    """

    def __init__(self, start_ns: int, end_ns: int, gaps: Sequence[Gap] = ()) -> None:
        self.start_ns, self.end_ns, self.gaps = start_ns, max(end_ns, start_ns), tuple(gaps)
        rest = self.end_ns - start_ns - sum(gap.duration_ns for gap in gaps)
        self.share = min(_WIDTH, _WIDTHS / len(gaps)) if gaps else 0.0
        """Of a gap, of the time without gaps."""
        share = self.share * max(rest, 1)
        self._times, self._places = [start_ns], [0.0]
        for gap in gaps:
            self._add(gap.start_ns, gap.start_ns - self._times[-1])
            self._add(gap.end_ns, share)
        self._add(self.end_ns, self.end_ns - self._times[-1])
        self._whole = self._places[-1] or 1.0

    def _add(self, time_ns: int, width: float) -> None:
        self._times.append(time_ns)
        self._places.append(self._places[-1] + width)

    def place(self, time_ns: int) -> float:
        """From 0 to 1; never falls as time goes on."""
        at = min(max(bisect_right(self._times, time_ns) - 1, 0), len(self._times) - 2)
        start, end = self._times[at], self._times[at + 1]
        inside = min(max((time_ns - start) / (end - start), 0.0), 1.0) if end > start else 0.0
        before, after = self._places[at], self._places[at + 1]
        return min((before + (after - before) * inside) / self._whole, 1.0)

    def time(self, place: float) -> int:
        """The moment at a place, in Unix nanoseconds."""
        wanted = min(max(place, 0.0), 1.0) * self._whole
        at = min(max(bisect_right(self._places, wanted) - 1, 0), len(self._places) - 2)
        before, after = self._places[at], self._places[at + 1]
        inside = (wanted - before) / (after - before) if after > before else 0.0
        start, end = self._times[at], self._times[at + 1]
        return start + round((end - start) * min(inside, 1.0))


def duration_text(ns: int, *, ascii: bool = False) -> str:
    """`12µs`, `1.25ms`, `319ms`, `3.61s`, `5m03s`, `2h05m`: at most seven characters."""
    if ns < 999_500:
        return f"{round(ns / 1000)}{'us' if ascii else 'µs'}"
    for limit, unit, name in ((999_500_000, 1e6, "ms"), (59_950_000_000, 1e9, "s")):
        if ns < limit:
            value = ns / unit
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f}{name}"
    seconds = round(ns / 1e9)
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    if seconds < 360_000:
        return f"{seconds // 3600}h{seconds // 60 % 60:02}m"
    return f"{seconds // 86400}d"
