"""Looking into the queue of mutations (QUE-10 to QUE-12)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Literal

from amctl.machine.relations import ADD, REMOVE
from amctl.machine.waits import Waits

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable, Iterator

    from amctl.machine.event import Mutation
    from amctl.machine.reads import StatesLike

__all__ = ["Position", "Queued"]

Position = Literal["any", "first", "last"]
"""Where in the queue to look."""


class Queued(Waits):
    """What waits, and for what. `Core` fills and empties the queue.

    Only called states count, not what they imply. Questions (Can*) are left out unless they are
    asked for, the running mutation always is.
    """

    __slots__ = ("_queue",)

    _queue: deque[Mutation]

    def queue(self) -> list[Mutation]:
        """Everything that waits, first one first; questions too."""
        return list(self._queue)

    def is_queued(
        self,
        kinds: tuple[int, ...],
        states: StatesLike,
        *,
        strict: bool = False,
        without_args: bool = False,
        min_queue_tick: int = 0,
        checks: bool = False,
        position: Position = "any",
    ) -> int:
        """The place in the queue of the first mutation that calls all these states; -1 if none.

        Args:
            kinds: MutationType values.
            states: Names; repeated ones count (QUE-11).
            strict: Call these states and no others.
            without_args: Only mutations without arguments.
            min_queue_tick: Only mutations that run at or after this queue tick.
            checks: Questions (Can*) instead of mutations.
            position: Look at the `first` or `last` item alone, whose place is 0 then.
                # differs from Go, which fails for the first of none.
        """
        among = self._among(position)
        found = self._matching(
            among, kinds, states, strict, without_args, min_queue_tick, checks=checks
        )
        return next((at for at, _ in found), -1)

    def find_queued(
        self,
        kinds: tuple[int, ...],
        states: StatesLike,
        *,
        strict: bool = False,
        without_args: bool = False,
        min_queue_tick: int = 0,
        checks: bool = False,
        position: Position = "any",
    ) -> Mutation | None:
        """The mutation that `is_queued` finds; its `queue_tick` says when it runs."""
        among = self._among(position)
        found = self._matching(
            among, kinds, states, strict, without_args, min_queue_tick, checks=checks
        )
        return next((mutation for _, mutation in found), None)

    def is_queued_above(
        self,
        count: int,
        kinds: tuple[int, ...],
        states: StatesLike,
        *,
        strict: bool = False,
        without_args: bool = False,
        min_queue_tick: int = 0,
    ) -> bool:
        """Whether at least `count` such mutations wait; to limit rates. See `is_queued`."""
        found = self._matching(self._queue, kinds, states, strict, without_args, min_queue_tick)
        return len(list(islice(found, max(count, 0)))) == max(count, 0)

    def will_be(self, states: StatesLike, position: Position = "any") -> bool:
        """Whether an add that calls all of these waits."""
        return self.is_queued((ADD,), states, position=position) >= 0

    def will_be_any(self, *states: StatesLike) -> bool:
        """Whether an add waits that calls one of these (or all of one group)."""
        return any(self.will_be(s) for s in states)

    def will_be_removed(self, states: StatesLike, position: Position = "any") -> bool:
        """Whether a remove that calls all of these waits."""
        return self.is_queued((REMOVE,), states, position=position) >= 0

    def _among(self, position: Position) -> Iterable[Mutation]:
        queue = self._queue
        if position == "any" or not queue:
            return queue
        return (queue[0] if position == "first" else queue[-1],)

    def _matching(
        self,
        among: Iterable[Mutation],
        kinds: tuple[int, ...],
        states: StatesLike,
        strict: bool,
        without_args: bool,
        min_queue_tick: int,
        *,
        checks: bool = False,
    ) -> Iterator[tuple[int, Mutation]]:
        names = (states,) if isinstance(states, str) else tuple(states)
        bits, mask = self._compiled.bits, 0
        for name in names:
            if name not in bits:
                return
            mask |= bits[name]
        for at, m in enumerate(among):
            if m.is_check is not checks or m.type not in kinds or m.queue_tick < min_queue_tick:
                continue
            if (strict and m.called.mask != mask) or (without_args and m.args):
                continue
            if not mask & ~m.called.mask and len(m.called.order) >= len(names):
                yield at, m
