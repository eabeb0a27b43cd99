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
_CELL = 12.0
"""Points: how finely holes are looked for."""
_WIDTHS = 24
"""Page widths that are tried."""


def packed(networks: Sequence[Layout], small: Sequence[Layout]) -> Layout:
    """All parts in one layout.

    Args:
        networks: Parts with lines.
        small: Other parts; the first ones get the better places.
    """
    page = _Page()
    ordered = sorted(networks, key=lambda part: -part.bounds.width * part.bounds.height)
    sizes = [(part.bounds.width + GAP, part.bounds.height + GAP) for part in ordered]
    for part, (x, y) in zip(ordered, _best_places(sizes), strict=True):
        page.put(part, x, y)
    for part in small:
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

    def put(self, part: Layout, x: float, y: float) -> None:
        """Places a part with its left upper corner there, y downwards."""
        bounds = part.bounds
        placed = part.moved(x - bounds.left, -y - bounds.top)
        self.layout = self.layout.joined(placed)
        self._grow(ceil((x + bounds.width) / _CELL), ceil((y + bounds.height) / _CELL))
        for rect in (*placed.nodes.values(), *placed.boxes.values()):
            self._take(rect)
        for line in placed.lines.values():
            for point in line.trail():
                self._take(Rect(point.x, point.y, point.x, point.y))

    def fit(self, part: Layout) -> None:
        """Places a part in the first hole from the top, then from the left; else beside or
        below."""
        bounds = part.bounds
        gap = ceil(GAP / _CELL)
        wide, high = ceil(bounds.width / _CELL), ceil(bounds.height / _CELL)
        spot = self._hole(wide, high, gap)
        if spot is None:
            beside = (self.width + gap + wide, max(len(self.rows), high))
            below = (max(self.width, wide), len(self.rows) + gap + high)
            spot = (self.width + gap, 0)
            if not self.rows or _extent(*below) < _extent(*beside):
                spot = (0, len(self.rows) + gap if self.rows else 0)
        self.put(part, spot[0] * _CELL, spot[1] * _CELL)

    def _grow(self, width: int, height: int) -> None:
        self.width = max(self.width, width)
        self.rows += [0] * (height - len(self.rows))

    def _take(self, rect: Rect) -> None:
        left, right = int(rect.left // _CELL), int(rect.right // _CELL)
        bits = ((1 << (right - left + 1)) - 1) << max(left, 0)
        for y in range(int(-rect.top // _CELL), int(-rect.bottom // _CELL) + 1):
            if 0 <= y < len(self.rows):
                self.rows[y] |= bits

    def _hole(self, wide: int, high: int, gap: int) -> tuple[int, int] | None:
        """The first free place of so many cells, with a margin of `gap` free cells around.

        The page's edges need no margin, so it is looked for on a page with free cells around.
        """
        if wide > self.width or high > len(self.rows):
            return None
        edge = [0] * gap
        rows = [*edge, *(row << gap for row in self.rows), *edge]
        inside = (1 << (self.width - wide + 1)) - 1
        span = high + 2 * gap
        starts = [_free_starts(row, wide + 2 * gap) for row in rows]
        for y in range(len(self.rows) - high + 1):
            free = inside
            for row in starts[y : y + span]:
                free &= row
                if not free:
                    break
            if free:
                return (free & -free).bit_length() - 1, y
        return None


def _free_starts(row: int, length: int) -> int:
    """Bits where `length` clear bits begin. Bits beyond the page count as clear."""
    taken, reach = row, 1
    while reach < length:
        step = min(reach, length - reach)
        taken |= taken >> step
        reach += step
    return ~taken
