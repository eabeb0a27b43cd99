"""Looking into the queue of mutations (QUE-10 to QUE-12)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from amctl.machine.relations import ADD, REMOVE
from amctl.machine.waits import Waits

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterator

    from amctl.machine.event import Mutation
    from amctl.machine.reads import StatesLike

__all__ = ["Queued"]


class Queued(Waits):
    """What waits, and for what. `Core` fills and empties the queue.

    Only called states count, not what they imply. Questions (Can*) and the running mutation are
    left out.
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
    ) -> int:
        """The place in the queue of the first mutation that calls all these states; -1 if none.

        Args:
            kinds: MutationType values.
            states: Names; repeated ones count (QUE-11).
            strict: Call these states and no others.
            without_args: Only mutations without arguments.
            min_queue_tick: Only mutations that run at or after this queue tick.
        """
        found = self._matching(kinds, states, strict, without_args, min_queue_tick)
        return next(found, -1)

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
        found = self._matching(kinds, states, strict, without_args, min_queue_tick)
        return len(list(islice(found, max(count, 0)))) == max(count, 0)

    def will_be(self, states: StatesLike) -> bool:
        """Whether an add that calls all of these waits."""
        return self.is_queued((ADD,), states) >= 0

    def will_be_any(self, *states: StatesLike) -> bool:
        """Whether an add waits that calls one of these (or all of one group)."""
        return any(self.will_be(s) for s in states)

    def will_be_removed(self, states: StatesLike) -> bool:
        """Whether a remove that calls all of these waits."""
        return self.is_queued((REMOVE,), states) >= 0

    def _matching(
        self,
        kinds: tuple[int, ...],
        states: StatesLike,
        strict: bool,
        without_args: bool,
        min_queue_tick: int,
    ) -> Iterator[int]:
        names = (states,) if isinstance(states, str) else tuple(states)
        mask, complete = self._known(names)
        for at, m in enumerate(self._queue if complete else ()):
            if m.is_check or m.type not in kinds or m.queue_tick < min_queue_tick:
                continue
            if (strict and m.called.mask != mask) or (without_args and m.args):
                continue
            if not mask & ~m.called.mask and len(m.called.order) >= len(names):
                yield at
