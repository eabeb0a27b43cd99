"""Subscriptions that tell of themselves, for machines whose log somebody reads.

An instance of `Subscriptions` becomes a `Narrated` one while that lasts, so that all others do no
more than they have to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.machine.subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from amctl.machine.signals import Signal, StateContext, Watch

__all__ = ["narrate"]


def narrate(subs: Subscriptions, say: Callable[[str], None] | None) -> None:
    """Have `say(line)` called for each subscription that opens or closes; None ends that."""
    if say is not None:
        subs.__class__ = Narrated
        subs.say = say  # type: ignore[attr-defined]  # of the class it has now
    elif isinstance(subs, Narrated):
        subs.stop()


class Narrated(Subscriptions):
    """Says what section 21 says of waits and contexts."""

    say: Callable[[str], None]

    def stop(self) -> None:
        """Be silent from now on."""
        del self.say
        self.__class__ = Subscriptions  # type: ignore[assignment]  # what it was made as

    def when(self, order: Iterable[int], mask: int, active_mask: int, negated: bool) -> Signal:
        """See Subscriptions."""
        order, count = tuple(order), self._count
        signal = super().when(order, mask, active_mask, negated)
        if self._count > count:
            self.say(f"[{_kind(negated)}:new] {self._listed(order)}")
        return signal

    def when_time(
        self, order: Sequence[int | None], ticks: Sequence[int], clock: Sequence[int]
    ) -> Signal:
        """See Subscriptions."""
        count = self._count
        signal = super().when_time(order, ticks, clock)
        if self._count > count:
            self.say(f"[whenTime:new] {self._listed(order, ',')} {' '.join(map(str, ticks))}")
        return signal

    def when_queue(self, tick: int, now: int) -> Signal:
        """See Subscriptions."""
        count = self._count
        signal = super().when_queue(tick, now)
        if self._count > count:
            self.say(f"[whenQueue:new] {tick}")
        return signal

    def when_query(self, fn: Callable[[Sequence[int]], bool]) -> Signal:
        """See Subscriptions."""
        self.say(f"[whenQuery:new] {len(self._queries)}")
        return super().when_query(fn)

    def when_args(self, state: int, args: Mapping[str, Any]) -> Signal:
        """See Subscriptions."""
        count = self._count
        signal = super().when_args(state, args)
        if self._count > count:
            self.say(f"[whenArgs:new] {self._listed([state])} ({','.join(args)})")
        return signal

    def context(self, i: int, name: str, tick: int) -> StateContext:
        """See Subscriptions."""
        count = self._count
        found = super().context(i, name, tick)
        if self._count > count:
            self.say(f"[ctx:new] {name}")
        return found

    def close_all(self) -> None:
        """See Subscriptions. An end is no match."""
        self.stop()
        self.close_all()

    def _closed(self, signal: Signal) -> None:
        self.say(f"[ctx:match] {getattr(signal, 'name', '')}")
        super()._closed(signal)

    def _fire(self, watch: Watch) -> None:
        self.say(self._match(watch))
        super()._fire(watch)

    def _match(self, watch: Any) -> str:
        if watch in self._queue:
            return f"[whenQueue:match] {watch.condition}"
        if watch in self._queries:
            return f"[whenQuery:match] {self._queries.index(watch)}"
        for state, table in self._args.items():
            if watch in table:
                return f"[whenArgs:match] {self._listed([state])} ({','.join(watch.condition)})"
        if hasattr(watch, "pending"):
            order, ticks = watch.key
            return f"[whenTime:match] {self._listed(order)} [{' '.join(map(str, ticks))}]"
        return f"[{_kind(watch.negated)}:match] {' '.join(self.listed(watch.mask))}"

    def _listed(self, order: Iterable[int | None], by: str = " ") -> str:
        return by.join("?" if i is None else self.names[i] for i in order)


def _kind(negated: bool) -> str:
    return "whenNot" if negated else "when"
