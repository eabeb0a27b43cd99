"""Two long sequences side by side, with little of them in memory.

As long as both are equal they go on together. Where they differ, both are looked ahead, first a
little and then further, for the nearest place from which a few items in a row are equal again. If
there is none as far as one looks, so much of both is taken as different, and the search goes on.
The sequences' ends count as equal items, so they always meet there.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

__all__ = ["aligned"]

_ANCHOR: Final = 3
"""Items that must be equal in a row."""
_REACHES: Final = (8, 64, 512)
"""How far one looks."""


class _Keyed(Protocol):
    @property
    def key(self) -> Hashable:
        """What is compared."""
        ...


K = TypeVar("K", bound=_Keyed)


class _Ahead:
    """A sequence that can be looked ahead in."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._rest = iter(items)
        self._held: deque[Any] = deque()

    def fill(self, count: int) -> int:
        """Have so many items, as far as there are; returns how many there are."""
        while len(self._held) < count:
            item = next(self._rest, None)
            if item is None:
                break
            self._held.append(item)
        return min(len(self._held), count)

    def head(self) -> Any:
        """The next item; None at the end."""
        return self._held[0] if self.fill(1) else None

    def take(self) -> Any:
        """The same, and go past it."""
        return self._held.popleft()

    def grams(self, count: int) -> list[tuple[Any, ...]]:
        """What follows at each of the next `count` places, and at the end if that is near."""
        there = self.fill(count + _ANCHOR)
        keys = [self._held[i].key for i in range(there)]
        if there < count + _ANCHOR:
            keys += [None] * _ANCHOR
        return [tuple(keys[i : i + _ANCHOR]) for i in range(len(keys) - _ANCHOR + 1)]


def aligned(
    a: Iterable[K], b: Iterable[K], parted: Callable[[K | None, K | None], None]
) -> Iterator[tuple[K | None, K | None]]:
    """Pairs of items with equal keys, and between them items that only one has, with None.

    Args:
        a: The one sequence.
        b: The other.
        parted: Told the two items at each place where they part; None is the end.
    """
    left, right = _Ahead(a), _Ahead(b)
    while True:
        one, other = left.head(), right.head()
        if one is None and other is None:
            return
        if one is not None and other is not None and one.key == other.key:
            yield left.take(), right.take()
            continue
        parted(one, other)
        skip, leap = _meeting(left, right)
        for _ in range(skip):
            yield left.take(), None
        for _ in range(leap):
            yield None, right.take()


def _meeting(left: _Ahead, right: _Ahead) -> tuple[int, int]:
    """How many items of each stand before the place where they are equal again."""
    for reach in _REACHES:
        places: dict[tuple[Any, ...], int] = {}
        for at, gram in enumerate(right.grams(reach)):
            places.setdefault(gram, at)
        found = [
            (at + places[gram], at) for at, gram in enumerate(left.grams(reach)) if gram in places
        ]
        if found:
            both, at = min(found)
            return at, both - at
    return left.fill(_REACHES[-1]), right.fill(_REACHES[-1])
