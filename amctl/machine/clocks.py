"""Ticks by themselves: what they mean, and how two moments compare (CLK-7, CLK-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Time",
    "TimeIndex",
    "activations",
    "is_active_tick",
    "next_active",
    "next_active_in",
    "next_inactive",
    "next_inactive_in",
]


def is_active_tick(tick: int) -> bool:
    """Odd is active."""
    return tick & 1 == 1


def next_active_in(tick: int) -> int:
    """How many ticks are left to the next activation, which the present one is not."""
    return 2 if tick & 1 else 1


def next_inactive_in(tick: int) -> int:
    """How many ticks are left to the next end, which the present one is not."""
    return 1 if tick & 1 else 2


def next_active(tick: int) -> int:
    """The tick of the next activation."""
    return tick + next_active_in(tick)


def next_inactive(tick: int) -> int:
    """The tick of the next end."""
    return tick + next_inactive_in(tick)


def activations(tick: int) -> int:
    """How many times a plain state was activated."""
    return (tick + 1) // 2


class Time(tuple[int, ...]):
    """Ticks by state index, of one moment. Indexes that there aren't are inactive, with tick 0."""

    __slots__ = ()

    def after(self, other: Sequence[int], *, or_equal: bool = False) -> bool:
        """Whether every slot is later than the other's, as far as both go."""
        pairs = zip(self, other, strict=False)
        return all(a > b or (or_equal and a == b) for a, b in pairs)

    def before(self, other: Sequence[int], *, or_equal: bool = False) -> bool:
        """Whether every slot is earlier than the other's, as far as both go."""
        pairs = zip(self, other, strict=False)
        return all(a < b or (or_equal and a == b) for a, b in pairs)

    def equals(self, other: Sequence[int], *, strict: bool = True) -> bool:
        """Whether all slots are equal; as far as both go, unless `strict`."""
        if strict and len(self) != len(other):
            return False
        return all(a == b for a, b in zip(self, other, strict=False))

    def plus(self, other: Sequence[int]) -> Time:
        """Slot by slot; slots that the other lacks stay."""
        return Time(t + (other[i] if i < len(other) else 0) for i, t in enumerate(self))

    def diff_since(self, before: Sequence[int]) -> Time:
        """How much each slot grew; zeros when the lengths differ."""
        if len(self) != len(before):
            return Time([0] * len(self))
        return Time(a - b for a, b in zip(self, before, strict=True))

    def filtered(self, indexes: Iterable[int]) -> Time:
        """The slots at these indexes, in their order."""
        return Time(self.tick(i) for i in indexes)

    def total(self, indexes: Iterable[int] | None = None) -> int:
        """The sum of all slots, or of these."""
        return sum(self) if indexes is None else sum(self.tick(i) for i in indexes)

    def non_zero(self) -> tuple[int, ...]:
        """Indexes of the states that have moved at least once."""
        return tuple(i for i, tick in enumerate(self) if tick)

    def active(self) -> tuple[int, ...]:
        """Indexes of the active states."""
        return tuple(i for i, tick in enumerate(self) if tick & 1)

    def is_(self, indexes: Iterable[int]) -> bool:
        """Whether all of these are active; of none at all they are not."""
        found = [self.tick(i) & 1 for i in indexes]
        return bool(found) and all(found)

    def not_(self, indexes: Iterable[int]) -> bool:
        """Whether all of these exist and are inactive."""
        return all(0 <= i < len(self) and not self[i] & 1 for i in indexes)

    def any_(self, indexes: Iterable[int]) -> bool:
        """Whether one of these is active."""
        return any(self.tick(i) & 1 for i in indexes)

    def incremented(self, index: int) -> Time:
        """With one more tick at an index."""
        return Time(tick + (i == index) for i, tick in enumerate(self))

    def tick(self, index: int) -> int:
        """The slot at an index; 0 out of range."""
        return self[index] if 0 <= index < len(self) else 0

    def __str__(self) -> str:
        return " ".join(map(str, self))


class TimeIndex(Time):
    """Ticks along with the names of their states."""

    names: tuple[str, ...]

    def __new__(cls, names: Iterable[str], ticks: Iterable[int]) -> TimeIndex:
        """Args:
        names: Of the states, in index order.
        ticks: As many.

        Raises:
            ValueError: Their numbers differ.
        """
        found, known = super().__new__(cls, ticks), tuple(names)
        if len(found) != len(known):
            raise ValueError(f"{len(known)} names for {len(found)} ticks")
        found.names = known
        return found

    def active_names(self) -> tuple[str, ...]:
        """Names of the active states."""
        return tuple(self.names[i] for i in self.active())

    def __str__(self) -> str:
        return " ".join(self.active_names())
