"""Parts of a picture pushed together, since `dot` only stacks what isn't joined by lines.

Networks go first: each takes the highest free place, for several widths of the page, and the page
that a wide screen shows largest wins. Then the small things (the legend, machines that are joined
to nothing) go into the holes, those inside networks too; the page grows when none is left.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from amctl.vis.layout import Layout, Rect

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GAP", "RATIO", "packed"]

RATIO = 1.8
"""Width by height of the page that is aimed at."""
GAP = 24.0
"""Points between parts."""
_CELL = 8.0
"""Points: how finely holes are looked for."""
_MANY = 6
"""From so many parts that stand alone on, room is made for them first, to keep their order."""
_LOOSE = 1.15
"""Room for parts that stand alone, by their area."""
_WIDTHS = 24
"""Page widths that are tried."""


def packed(networks: Sequence[Layout], small: Sequence[Layout]) -> Layout:
    """All parts in one layout.

    Args:
        networks: Parts with lines.
        small: Other parts, each in the first hole that is large enough; the first is the legend.
    """
    page = _Page()
    measured = [(part, part.bounds) for part in networks]
    measured.sort(key=lambda pair: -pair[1].width * pair[1].height)
    sizes = [(bounds.width + GAP, bounds.height + GAP) for _, bounds in measured]
    for (part, bounds), (x, y) in zip(measured, _best_places(sizes), strict=True):
        page.put(part, bounds, x, y)
    for number, part in enumerate(small):
        if number == 1 and len(small) > _MANY:
            page.make_room(small[1:])
        page.fit(part)
    return page.layout


def _extent(width: float, height: float) -> float:
    """How far a screen of the aimed ratio must be zoomed out to show it all."""
    return max(width / RATIO, height)


def _best_places(sizes: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Left upper corners, y downwards, on the page that shows largest."""
    best: list[tuple[float, float]] = []
    least = float("inf")
    limit, widest = 0.0, max((w for w, _ in sizes), default=0.0)
    for width, _ in sizes[:_WIDTHS]:
        limit += width
        places = _places(sizes, max(limit, widest))
        corners = [(x + w, y + h) for (x, y), (w, h) in zip(places, sizes, strict=True)]
        extent = _extent(max(x for x, _ in corners), max(y for _, y in corners))
        if extent < least:
            best, least = places, extent
    return best


def _places(sizes: Sequence[tuple[float, float]], limit: float) -> list[tuple[float, float]]:
    """Each below what is above it already, at the x where that is highest."""
    placed: list[tuple[float, float, float, float]] = []
    for width, height in sizes:
        spots = []
        for x in {0.0, *(right for _, _, right, _ in placed)}:
            if x + width <= limit + 0.01:
                above = (b for left, _, right, b in placed if left < x + width and right > x)
                spots.append((max(above, default=0.0), x))
        y, x = min(spots)
        placed.append((x, y, x + width, y + height))
    return [(left, top) for left, top, _, _ in placed]


class _Page:
    """What is placed, and which cells of the page are taken. A row of cells is the bits of a
    number."""

    def __init__(self) -> None:
        self.layout = Layout()
        self.rows: list[int] = []
        self.width = 0
        """In cells; the height is that of `rows`."""

    def put(self, part: Layout, bounds: Rect, x: float, y: float) -> None:
        """Places a part with its left upper corner there, y downwards."""
        placed = part.moved(x - bounds.left, -y - bounds.top)
        self.layout = self.layout.joined(placed)
        self._grow(ceil((x + bounds.width) / _CELL), ceil((y + bounds.height) / _CELL))
        for rect in (*placed.nodes.values(), *placed.boxes.values()):
            self._take(rect)
        for line in placed.lines.values():
            for point in line.trail():
                self._take(Rect(point.x, point.y, point.x, point.y))

    def fit(self, part: Layout) -> None:
        """Places a part where the page grows least, at best not at all; else up, then left."""
        bounds = part.bounds
        wide, high = ceil(bounds.width / _CELL), ceil(bounds.height / _CELL)
        x, y = self._spot(wide, high) if self.rows else (0, 0)
        self.put(part, bounds, x * _CELL, y * _CELL)

    def make_room(self, parts: Sequence[Layout]) -> None:
        """Makes the page so large that most parts will fit, for them to stand in their order."""
        areas = ((p.bounds.width + GAP) * (p.bounds.height + GAP) for p in parts)
        needed = _LOOSE * sum(areas) / _CELL**2
        free = self.width * len(self.rows) - sum(row.bit_count() for row in self.rows)
        if needed > free:
            area = self.width * len(self.rows) + needed - free
            width = max(self.width, ceil((area * RATIO) ** 0.5))
            self._grow(width, ceil(area / width))

    def _grow(self, width: int, height: int) -> None:
        self.width = max(self.width, width)
        self.rows += [0] * (height - len(self.rows))

    def _take(self, rect: Rect) -> None:
        left, top = max(int(rect.left // _CELL), 0), max(int(-rect.top // _CELL), 0)
        right = max(ceil(rect.right / _CELL), left + 1)
        bits = ((1 << (right - left)) - 1) << left
        for y in range(top, min(max(ceil(-rect.bottom / _CELL), top + 1), len(self.rows))):
            self.rows[y] |= bits

    def _spot(self, wide: int, high: int) -> tuple[int, int]:
        """The best free place of so many cells, with free cells around it.

        The page's edges need no margin, so it is looked for on a page with a margin around.
        """
        gap = ceil(GAP / _CELL)
        rows = [0] * gap + [row << gap for row in self.rows] + [0] * (high + 2 * gap)
        starts = [_free_starts(row, wide + 2 * gap) for row in rows]
        best, least = (0, 0), (float("inf"), 0)
        for y in range(len(self.rows) + gap + 1):
            free = -1
            for row in starts[y : y + high + 2 * gap]:
                free &= row
            x = (free & -free).bit_length() - 1
            width, height = max(self.width, x + wide), max(len(self.rows), y + high)
            growth = _extent(width, height), width * height
            if growth < least:
                best, least = (x, y), growth
        return best


def _free_starts(row: int, length: int) -> int:
    """Bits where `length` clear bits begin. Bits beyond the page count as clear."""
    taken, reach = row, 1
    while reach < length:
        step = min(reach, length - reach)
        taken |= taken >> step
        reach += step
    return ~taken
