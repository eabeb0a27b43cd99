"""Lines made calmer, and their notes placed, once `dot` has found places.

`dot` routes a line through free space piece by piece, which makes it wave. Where a single curve
from end to end is free as well, that is taken: it leaves both ends level, so that arrows point
along their rows. A note stands where it hides least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.vis.layout import Layout, Line, Point, Rect
from amctl.vis.text import width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amctl.vis.dotgraph import DotGraph

__all__ = ["calmed", "noted"]

MARGIN = 6.0
"""Points between a calmed line and what it passes."""
_NOTE_SIZE = 11
_AROUND = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1), (0, 0))
"""Where a note stands beside a point of its line, by its own size."""
_REACHES = ((0.45, 0.45), (0.2, 0.6), (0.6, 0.2), (0.1, 0.8), (0.8, 0.1))
"""How far the tangents of both ends reach, as parts of the way: the first ones look best."""


def calmed(layout: Layout, graph: DotGraph) -> Layout:
    """The layout with single curves for lines between ports, where nothing is in their way."""
    lines = dict(layout.lines)
    for edge in graph.edges:
        line = lines.get(edge.id)
        if line and edge.tail_port and edge.head_port and len(line.points) > 4:
            others = [r for name, r in layout.nodes.items() if name not in (edge.tail, edge.head)]
            own = [layout.nodes[edge.tail], layout.nodes[edge.head]]
            curves = (_curve(line, *reach) for reach in _REACHES)
            free = (c for c in curves if c and _is_free(c, others, own))
            lines[edge.id] = next(free, line)
    return Layout(layout.nodes, layout.boxes, lines, layout.labels)


def _curve(line: Line, first_reach: float, last_reach: float) -> Line | None:
    """One curve from the left end to the right one, level at both."""
    first, last = line.start or line.points[0], line.end or line.points[-1]
    back = _gap(line.start, line.points[0])
    ahead = _gap(line.end, line.points[-1])
    one, other = Point(first.x + back, first.y), Point(last.x - ahead, last.y)
    way = other.x - one.x
    if way <= 0:
        return None
    ahead_of_one = Point(one.x + way * first_reach, one.y)
    before_other = Point(other.x - way * last_reach, other.y)
    return Line((one, ahead_of_one, before_other, other), line.start, line.end)


def _gap(tip: Point | None, end: Point) -> float:
    """The length of an arrow."""
    return ((tip.x - end.x) ** 2 + (tip.y - end.y) ** 2) ** 0.5 if tip else 0.0


def _is_free(line: Line, others: Iterable[Rect], own: Iterable[Rect]) -> bool:
    trail = list(line.trail(24))
    around = Rect.around(Rect(p.x, p.y, p.x, p.y) for p in trail)
    obstacles = [*(r.grown(MARGIN) for r in others), *(r.grown(-1) for r in own)]
    return not any(r.holds(p) for r in obstacles if _meet(r, around) for p in trail)


def noted(layout: Layout, graph: DotGraph) -> Layout:
    """The layout with a place for every note."""
    labels = dict(layout.labels)
    notes = [edge for edge in graph.edges if edge.note and edge.id in layout.lines]
    if not notes:
        return layout
    crowd = _Crowd()
    for rect in layout.nodes.values():
        crowd.add(rect.grown(1))
    for box in layout.boxes.values():
        for side in _sides(box):
            crowd.add(side)
    for line in layout.lines.values():
        for point in line.trail(24):
            crowd.add(Rect(point.x, point.y, point.x, point.y).grown(1))
    for edge in notes:
        rect = crowd.freest(_candidates(layout.lines[edge.id], edge.note))
        crowd.add(rect)
        labels[edge.id] = Point((rect.left + rect.right) / 2, (rect.bottom + rect.top) / 2)
    return Layout(layout.nodes, layout.boxes, layout.lines, labels)


class _Crowd:
    """What notes should not hide, found by where it is."""

    SIZE = 24

    def __init__(self) -> None:
        self.near: dict[tuple[int, int], list[Rect]] = {}

    def add(self, rect: Rect) -> None:
        for place in self._places(rect):
            self.near.setdefault(place, []).append(rect)

    def freest(self, candidates: Iterable[Rect]) -> Rect:
        """The first that hides nothing, else the one that hides least."""
        best, least = None, float("inf")
        for rect in candidates:
            cost = self._cost(rect, least)
            if cost < least:
                best, least = rect, cost
            if not cost:
                break
        assert best is not None
        return best

    def _cost(self, rect: Rect, limit: float) -> float:
        """The area that is hidden; what lies across a border of places counts more than once."""
        left, bottom, right, top = rect
        cost = 0.0
        for place in self._places(rect):
            for x0, y0, x1, y1 in self.near.get(place, ()):
                if x0 < right and x1 > left and y0 < top and y1 > bottom:
                    wide = (x1 if x1 < right else right) - (x0 if x0 > left else left)
                    high = (y1 if y1 < top else top) - (y0 if y0 > bottom else bottom)
                    cost += wide * high
            if cost >= limit:
                break
        return cost

    def _places(self, rect: Rect) -> list[tuple[int, int]]:
        left, bottom, right, top = (int(side // self.SIZE) for side in rect)
        return [(x, y) for x in range(left, right + 1) for y in range(bottom, top + 1)]


def _sides(box: Rect) -> tuple[Rect, Rect, Rect, Rect]:
    """The frame of a box."""
    left, bottom, right, top = box
    return (
        Rect(left - 1, bottom, left + 1, top),
        Rect(right - 1, bottom, right + 1, top),
        Rect(left, bottom - 1, right, bottom + 1),
        Rect(left, top - 1, right, top + 1),
    )


def _candidates(line: Line, text: str) -> Iterator[Rect]:
    """Places beside the line and on it, from its middle outwards."""
    half_w, half_h = width(text, _NOTE_SIZE) / 2 + 2, _NOTE_SIZE / 2 + 1
    trail = list(line.trail(24))
    middle = len(trail) // 2
    for away in range(int(len(trail) * 0.4)):
        for index in {middle - away: None, middle + away: None}:
            x, y = trail[index]
            up, aside = half_h + 1, half_w + 2
            for dx, dy in _AROUND:
                left, low = x + dx * aside - half_w, y + dy * up - half_h
                yield Rect(left, low, left + 2 * half_w, low + 2 * half_h)


def _meet(one: Rect, other: Rect) -> bool:
    wide = one.left < other.right and other.left < one.right
    return wide and one.bottom < other.top and other.bottom < one.top
