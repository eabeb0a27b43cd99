"""The open When* subscriptions and state contexts of one clock (sections 16, 17).

Driven by `Subscriptions.process`, called once for each accepted transition. The class knows no
machine: a mirror of a remote machine drives another instance over its own clock.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from amctl.machine.signals import Signal, StateContext, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from amctl.machine.tasks import TaskSet

_log = logging.getLogger("amctl.machine")

__all__ = ["Subscriptions"]


class _When(Watch):
    __slots__ = ("mask", "matched", "negated", "order", "subs")

    def __init__(
        self, subs: Subscriptions, negated: bool, order: Iterable[int], mask: int, matched: int
    ) -> None:
        self.ref = None
        self.signal = Signal(False, "when_not" if negated else "when", self)
        self.subs = subs
        self.negated = negated
        self.order = order
        self.mask = mask
        self.matched = matched

    def missing(self) -> Sequence[str]:
        return self.subs.listed(self.mask & ~self.matched)

    def drop(self) -> None:
        subs, key = self.subs, ~self.mask if self.negated else self.mask
        if subs._by_key.get(key) is self:  # not another one, made after this was dropped
            del subs._by_key[key]
            by_state = subs._by_state
            for i in self.order:
                watches = by_state[i]
                if len(watches) == 1:
                    del by_state[i]
                else:
                    watches.remove(self)
            subs._count -= 1  # as `_gone`, and its opposite below: waits come and go often
            if not subs._count:
                subs._on_empty()


class _WhenTime(Watch):
    __slots__ = ("key", "pending", "subs")

    what = "when_time"

    def __init__(self, subs: Subscriptions, key: object, pending: dict[int | None, int]) -> None:
        super().__init__()
        self.subs, self.key, self.pending = subs, key, pending

    def missing(self) -> Sequence[str]:
        return self.subs.listed(sum(1 << i for i in self.pending if i is not None))

    def drop(self) -> None:
        if self.subs._by_key.get(self.key) is self:
            del self.subs._by_key[self.key]
            for i in self.pending:
                _forget(self.subs._time_by_state, i, self)
            self.subs._gone()


class _Listed(Watch):
    """A subscription that stands in one plain list."""

    def __init__(self, subs: Subscriptions, table: list[_Listed], condition: Any) -> None:
        super().__init__()
        self.subs, self.table, self.condition = subs, table, condition
        table.append(self)
        subs._open()

    def drop(self) -> None:
        if self in self.table:
            self.table.remove(self)
            self.subs._gone()


class _Queued(_Listed):
    what = "when_queue"


class _Query(_Listed):
    what = "when_query"


class _WithArgs(_Listed):
    what = "when_args"


class Subscriptions:
    """All open subscriptions of one clock.

    Args:
        on_open: Called when the first one opens.
        on_empty: Called when the last one has closed.
        names: State names by index, for messages.
        tasks: Runs what state contexts spawn.
    """

    def __init__(
        self,
        on_open: Callable[[], None],
        on_empty: Callable[[], None],
        names: Sequence[str] = (),
        tasks: TaskSet | None = None,
    ) -> None:
        self._on_open, self._on_empty = on_open, on_empty
        self.names, self.tasks = names, tasks
        self._clock: Sequence[int] = ()  # as last seen
        self._count = 0
        self._by_key: dict[object, _When | _WhenTime] = {}
        self._by_state: dict[int, list[_When]] = {}
        self._time_by_state: dict[int | None, list[_WhenTime]] = {}
        self._queue: list[_Listed] = []
        self._queries: list[_Listed] = []
        self._args: dict[int, list[_Listed]] = {}
        self._contexts: dict[int, StateContext] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits for anything."""
        return not self._count

    def listed(self, mask: int) -> list[str]:
        """Names of the states in a mask."""
        return [name for i, name in enumerate(self.names) if mask >> i & 1]

    def _open(self) -> None:
        self._count += 1
        if self._count == 1:
            self._on_open()

    def _gone(self) -> None:
        self._count -= 1
        if not self._count:
            self._on_empty()

    def _closed(self, signal: Signal) -> None:
        self._gone()
        signal.close(sum(self._clock))

    def _fire(self, watch: Watch) -> None:
        signal = watch.signal or watch.target()
        watch.drop()
        if signal is not None:
            signal.close(sum(self._clock))

    # -- making

    def when(self, order: Iterable[int], mask: int, active_mask: int, negated: bool) -> Signal:
        """All of `mask` active at once, or inactive at once when negated; shared."""
        matched = (~active_mask if negated else active_mask) & mask
        if matched == mask:
            return Signal(True)
        key = ~mask if negated else mask
        known = self._by_key.get(key)
        if known is not None and (signal := known.target()) is not None:
            return signal.share()
        order = tuple(order)
        watch = self._by_key[key] = _When(self, negated, order, mask, matched)
        by_state = self._by_state
        for i in order:
            if i in by_state:
                by_state[i].append(watch)
            else:
                by_state[i] = [watch]
        self._count += 1
        if self._count == 1:
            self._on_open()
        return watch.signal  # type: ignore[return-value]  # nobody has released it

    def when_time(
        self, order: Sequence[int | None], ticks: Sequence[int], clock: Sequence[int]
    ) -> Signal:
        """Each tick reached, maybe at different moments; shared. An index None never is."""
        pending = {i: t for i, t in zip(order, ticks, strict=True) if i is None or clock[i] < t}
        if not pending:
            return Signal(True)
        key = (tuple(order), tuple(ticks))
        known = self._by_key.get(key)
        if known is not None and (signal := known.target()) is not None:
            return signal.share()
        watch = self._by_key[key] = _WhenTime(self, key, pending)
        for i in pending:
            self._time_by_state.setdefault(i, []).append(watch)
        self._open()
        return watch.open()

    def when_queue(self, tick: int, now: int) -> Signal:
        """The mutation with this queue tick was dealt with, whatever its outcome.

        # differs from Go, where a canceled one leaves it open (SUB-7).
        """
        if now >= tick:
            return Signal(True)
        return _Queued(self, self._queue, tick).open()

    def when_query(self, fn: Callable[[Sequence[int]], bool]) -> Signal:
        """`fn(ticks)` is true after an accepted transition; not asked at creation, never shared."""
        return _Query(self, self._queries, fn).open()

    def when_args(self, state: int, args: Mapping[str, Any]) -> Signal:
        """The state is entered with at least these arguments. Shared on equal arguments only."""
        table = self._args.setdefault(state, [])
        for watch in table:
            if watch.condition == args and (signal := watch.target()) is not None:
                return signal.share()
        return _WithArgs(self, table, dict(args)).open()

    def context(self, i: int, name: str, tick: int) -> StateContext:
        """The state's present context, shared."""
        found = self._contexts.get(i)
        if found is None:
            found = self._contexts[i] = StateContext(name, tick, self.tasks)
            self._open()
        return found

    # -- firing

    def transition(
        self,
        enters: Sequence[int],
        exits: Sequence[int],
        clock: Sequence[int],
        queue_tick: int,
        args: Mapping[str, Any],
    ) -> None:
        """All of it, for a transition without handlers."""
        if self._contexts:
            self.cancel_contexts(enters)
            self.cancel_contexts(exits)
        if self._args:
            self.match_args(enters, args)
        self.process(enters, exits, clock, queue_tick)

    def cancel_contexts(self, changed: Iterable[int]) -> None:
        """End the contexts of states that moved; before final handlers run (CTX-3)."""
        if self._contexts:
            for i in changed:
                ctx = self._contexts.pop(i, None)
                if ctx is not None:
                    self._closed(ctx)

    def match_args(self, states: Iterable[int], args: Mapping[str, Any]) -> None:
        """Close when_args subscriptions of states that are entered with `args` (SUB-5)."""
        if self._args:
            for state in states:
                for watch in self._args.get(state, ())[:]:
                    wanted = watch.condition
                    if all(k in args and args[k] == v for k, v in wanted.items()):
                        self._fire(watch)

    def process(
        self,
        enters: Sequence[int],
        exits: Sequence[int],
        clock: Sequence[int],
        queue_tick: int,
        ticked: Sequence[int] = (),
    ) -> None:
        """Look at everything that one accepted transition may have fulfilled, in SUB-9 order.

        Args:
            enters: States activated, or entered again, in target order.
            exits: States deactivated.
            clock: Ticks by state index.
            queue_tick: The machine's.
            ticked: States whose tick grew although they are in neither list.
        """
        self._clock = clock
        if self._by_state:
            # Conditions count edges. Activations are counted, and conditions looked at, before
            # deactivations: two states swapped by one transition fulfil a When of both (SUB-1).
            for i in enters:
                if i in self._by_state:
                    self._edge(i, False)
            for i in exits:
                if i in self._by_state:
                    self._edge(i, True)
        if self._time_by_state:
            for i in (*enters, *exits, *ticked):
                self._reached(i)
        if self._queue:
            self.process_queue(queue_tick)
        if self._queries:
            for query in self._queries[:]:
                self._query(query, clock)

    def process_queue(self, queue_tick: int) -> None:
        """Close when_queue subscriptions up to a queue tick."""
        if self._queue:
            for watch in self._queue[:]:
                if queue_tick >= watch.condition:
                    self._fire(watch)

    def flush_queue(self) -> None:
        """Release all when_queue waiters, as a restarted remote machine must (SUB-10)."""
        for watch in self._queue[:]:
            self._fire(watch)

    def close_all(self) -> None:
        """Disposal: close everything, contexts first.

        # differs from Go, which forgets the queries (SUB-8).
        """
        self.cancel_contexts(tuple(self._contexts))
        args = [w for table in self._args.values() for w in table]
        for watch in (*self._by_key.values(), *args, *self._queue, *self._queries):
            self._fire(watch)

    def _query(self, query: _Listed, clock: Sequence[int]) -> None:
        try:
            fulfilled = query.condition(clock)
        except Exception as error:  # PAN-11: a query is foreign code
            _log.error("a query failed: %s", error, exc_info=error)
            signal = query.target()
            query.drop()
            if signal is not None:
                signal.fail(error)
            return
        if fulfilled:
            self._fire(query)

    def _reached(self, i: int) -> None:
        for watch in self._time_by_state.get(i, ())[:]:
            if self._clock[i] >= watch.pending[i]:
                if len(watch.pending) == 1:
                    self._fire(watch)
                else:
                    del watch.pending[i]
                    _forget(self._time_by_state, i, watch)

    def _edge(self, i: int, off: bool) -> None:
        bit = 1 << i
        for watch in self._by_state[i][:]:
            if watch.negated is off:
                watch.matched |= bit
                if watch.matched == watch.mask:
                    self._fire(watch)
            else:
                watch.matched &= ~bit


def _forget(table: dict[Any, list[Any]], i: int | None, watch: Watch) -> None:
    watches = table[i]
    if len(watches) == 1:
        del table[i]
    else:
        watches.remove(watch)
