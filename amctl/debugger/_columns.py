"""Columns of an index: sets of positions as bits, and rows of numbers.

A set of positions is one Python int, bit N for position N. So a question about a million
transitions (which are visible, where did this become true) takes a few operations on 125 kB, some
ten microseconds each, and no loop. Sets are kept as toggles where the set itself has long runs:
`filled` makes the runs of them in log2(N) shifts.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import compress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "Bits",
    "Numbers",
    "below",
    "cut",
    "edges",
    "filled",
    "flags",
    "following",
    "members",
    "nth",
    "nths",
    "packed",
    "preceding",
]

_TOP: Final = (1 << 64) - 1
_TO_FLAGS: Final = bytes(255 if n not in b"01" else n - 48 for n in range(256))
_TO_DIGITS: Final = bytes(48 + (n & 1) for n in range(256))
_ROOM: Final = 256
"""Bytes by which a set grows."""


class Bits:
    """A set of positions that grows at its end."""

    __slots__ = ("_bytes", "_value")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._value: int | None = 0

    def add(self, at: int) -> None:
        """Put a position in."""
        place = at >> 3
        held = self._bytes
        if place >= len(held):
            held.extend(bytes(place - len(held) + _ROOM))
        held[place] |= 1 << (at & 7)
        self._value = None

    @property
    def value(self) -> int:
        """The set."""
        if self._value is None:
            self._value = int.from_bytes(self._bytes, "little")
        return self._value

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return len(self._bytes) * (1 if self._value is None else 2)


class Numbers:
    """A row of numbers, of 32 bits each as long as they fit. Beyond 64 bits they are cut."""

    __slots__ = ("_held", "is_sorted", "last")

    def __init__(self) -> None:
        self._held = array("I")
        self.is_sorted = True
        """Whether no number is smaller than the one before it."""
        self.last = 0

    def append(self, number: int) -> None:
        """Put one at the end; a negative one counts as 0."""
        try:
            self._held.append(number)
        except OverflowError:
            number = min(max(number, 0), _TOP)
            if number >> 32 and self._held.typecode == "I":
                self._held = array("Q", self._held)
            self._held.append(number)
        if number < self.last:
            self.is_sorted = False
        self.last = number

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, at: int) -> int:
        return self._held[at]

    def first_at_least(self, number: int) -> int:
        """Where the first one stands that is no smaller; the length if none is."""
        if self.is_sorted:
            return bisect_left(self._held, number)
        return next((at for at, one in enumerate(self._held) if one >= number), len(self._held))

    def index(self, number: int, start: int = 0) -> int:
        """Where a number stands first, from `start` on; -1 if nowhere."""
        if self.is_sorted:
            at = bisect_left(self._held, number, start)
            return at if at < len(self._held) and self._held[at] == number else -1
        try:
            return self._held.index(number, start)
        except ValueError:
            return -1

    def where(self, chosen: bytes, start: int) -> Iterator[int]:
        """Those from `start` on whose byte isn't 0."""
        return compress(self._held[start : start + len(chosen)], chosen)

    def __iter__(self) -> Iterator[int]:
        return iter(self._held)

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return len(self._held) * self._held.itemsize


def below(end: int) -> int:
    """All positions before `end`."""
    return (1 << end) - 1 if end > 0 else 0


def filled(toggles: int, end: int) -> int:
    """The positions before `end` that have an odd number of toggles up to and with themselves."""
    found = toggles & below(end)
    shift = 1
    while shift < end:
        found ^= found << shift
        shift <<= 1
    return found & below(end)


def flags(found: int, width: int) -> bytes:
    """A set as bytes of 0 and 1, one a position; those behind `width` are left out."""
    if width <= 0:
        return b""
    return format(found & below(width), f"0{width}b").encode()[::-1].translate(_TO_FLAGS)


def packed(held: bytes | bytearray) -> int:
    """The other way round."""
    return int(held[::-1].translate(_TO_DIGITS), 2) if held else 0


def edges(found: int) -> int:
    """Where each run of a set begins."""
    return found & ~(found << 1)


def following(found: int, at: int) -> int:
    """The first position of a set behind `at`; -1 if there is none."""
    rest = found >> (at + 1)
    return at + (rest & -rest).bit_length() if rest else -1


def preceding(found: int, at: int) -> int:
    """The last position of a set before `at`; -1 if there is none."""
    return (found & below(at)).bit_length() - 1


def members(found: int) -> Iterator[int]:
    """The positions of a set, the first one first."""
    for place, byte in enumerate(found.to_bytes((found.bit_length() + 7) // 8, "little")):
        while byte:
            low = byte & -byte
            yield place * 8 + low.bit_length() - 1
            byte ^= low


def nth(found: int, number: int) -> int:
    """The position of a set's N-th member, from 0; -1 if it has no more than that."""
    if not 0 <= number < found.bit_count():
        return -1
    low, width = 0, found.bit_length()
    while width > 1:
        half = width // 2
        part = found & below(half)
        count = part.bit_count()
        if number < count:
            found, width = part, half
        else:
            found, number = found >> half, number - count
            low, width = low + half, width - half
    return low


def nths(found: int, numbers: Sequence[int]) -> list[int]:
    """The positions of many members, by ascending numbers that are there: all in one go.

    Both halves of a set are looked at once, whichever members are in them.
    """
    places: list[int] = []
    waiting = [(found, 0, found.bit_length(), numbers)]
    while waiting:
        part, low, width, wanted = waiting.pop()
        if width <= 1:
            places += [low] * len(wanted)
            continue
        half = width // 2
        left = part & below(half)
        count = left.bit_count()
        at = bisect_left(wanted, count)
        if at < len(wanted):
            behind = [number - count for number in wanted[at:]]
            waiting.append((part >> half, low + half, width - half, behind))
        if at:
            waiting.append((left, low, half, wanted[:at]))
    return places


def cut(found: int, bounds: Sequence[int]) -> list[int]:
    """A set in the parts between ascending positions, each as if it began at 0.

    What lies before the first position, and from the last one on, is left out.
    """
    parts: list[int] = []
    waiting = [(found >> bounds[0], bounds[0], bounds)] if bounds else []
    while waiting:
        part, low, ends = waiting.pop()
        if len(ends) == 2:
            parts.append(part & below(ends[1] - low))
        elif len(ends) > 2:
            at = len(ends) // 2
            middle = ends[at]
            waiting.append((part >> (middle - low), middle, ends[at:]))
            waiting.append((part & below(middle - low), low, ends[: at + 1]))
    return parts
