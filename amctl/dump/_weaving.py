"""Several orders of the same things made one: how `merge` brings streams together.

Each stream is in order. Things have a time and an identity; the same thing may come in several
streams, even at other times. Between different times the time decides. Among things of one time
the streams themselves do: a thing waits as long as a stream that has it puts another one before
it. Where no stream says anything, or they contradict each other, the things' own order decides; so
it never matters which stream is named first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

__all__ = ["Thing", "Weaver"]

T = TypeVar("T")


@dataclass(slots=True)
class Thing(Generic[T]):
    """What a stream holds."""

    at: int
    """Its time; never less than that of the thing before it."""
    identity: Hashable
    """Equal for the same thing in another stream. May come several times within a stream."""
    order: tuple[Any, ...]
    """Compares with others of the same time."""
    value: T


class Weaver(Generic[T]):
    """Makes one stream of several, each thing once.

    Args:
        streams: Each in its order.
        prefer: Of two copies, whether the first is taken; that has to be an order.
        told: Told each thing that is new, and the number of the stream that it came from.
    """

    def __init__(
        self,
        streams: Sequence[Iterable[Thing[T]]],
        prefer: Callable[[T, T], bool],
        told: Callable[[Thing[T], int], None] | None = None,
    ) -> None:
        self.duplicates = 0
        """Copies that were left out."""
        self._sources = [iter(stream) for stream in streams]
        self._heads = [next(source, None) for source in self._sources]
        self._seen: dict[Hashable, int] = {}
        self._again: list[Counter[Hashable]] = [Counter() for _ in self._sources]
        self._prefer, self._told = prefer, told
        self._width = len(self._sources)

    def __iter__(self) -> Iterator[Thing[T]]:
        while times := [head.at for head in self._heads if head is not None]:
            at = min(times)
            runs = [self._run(number, at) for number in range(len(self._sources))]
            if fresh := [run for run in runs if run]:
                yield from self._woven(fresh)

    def _run(self, number: int, at: int) -> list[tuple[Hashable, Thing[T]]]:
        """Take what a stream holds of one time, as far as it is new, or of the same time."""
        run: list[tuple[Hashable, Thing[T]]] = []
        thing = self._heads[number]
        while thing is not None and thing.at == at:
            key = self._key(thing, number)
            had = self._seen.get(key)
            if had is None:
                self._seen[key] = at << self._width | 1 << number
                if self._told is not None:
                    self._told(thing, number)
                run.append((key, thing))
            else:
                self._seen[key] = had | 1 << number
                self.duplicates += 1
                if had >> self._width == at:
                    run.append((key, thing))
            thing = next(self._sources[number], None)
        self._heads[number] = thing
        return run

    def _key(self, thing: Thing[T], number: int) -> Hashable:
        """The n-th of its kind in one stream is the n-th in another."""
        if len(self._sources) == 1:
            return object()  # nothing to compare it with
        again = self._again[number]
        count = again.get(thing.identity, 0)
        key = (thing.identity, count) if count else thing.identity
        if self._seen.get(key, 0) >> number & 1:
            count += 1
            again[thing.identity] = count
            key = (thing.identity, count)
        return key

    def _woven(self, runs: Sequence[Sequence[tuple[Hashable, Thing[T]]]]) -> Iterator[Thing[T]]:
        """Things of one time in an order that all runs agree with, if there is one."""
        if len(runs) == 1:
            yield from (thing for _, thing in runs[0])
            return
        if all(len(run) == 1 and run[0][0] == runs[0][0][0] for run in runs):  # mostly
            taken = runs[0][0][1]
            for run in runs[1:]:
                taken = run[0][1] if self._prefer(run[0][1].value, taken.value) else taken
            yield taken
            return
        best: dict[Hashable, Thing[T]] = {}
        behind: Counter[Hashable] = Counter()  # in how many runs it isn't at the front
        for run in runs:
            for key, thing in run:
                behind[key] += 1
                if key not in best or self._prefer(thing.value, best[key].value):
                    best[key] = thing
        places = [0] * len(runs)
        done: set[Hashable] = set()
        for run in runs:
            behind[run[0][0]] -= 1
        while True:
            fronts = {run[at][0] for run, at in zip(runs, places, strict=True) if at < len(run)}
            if not fronts:
                return
            free = [key for key in fronts if not behind[key]] or list(fronts)
            key = free[0]
            if len(free) > 1:
                key = min(free, key=lambda each: (best[each].order, repr(each)))
            done.add(key)
            yield best[key]
            for number, run in enumerate(runs):
                at = places[number]
                while at < len(run) and run[at][0] in done:
                    at += 1
                    if at < len(run):
                        behind[run[at][0]] -= 1
                places[number] = at
