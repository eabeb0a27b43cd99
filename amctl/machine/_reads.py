"""Reads and waits of a machine that holds its clock itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.machine.args import ArgsLike, as_args
from amctl.machine.errors import UnknownStateError
from amctl.machine.schema import EXCEPTION
from amctl.machine.subscriptions import Signal, StateContext, Subscriptions, TimedSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from amctl.machine.compiled import Compiled
    from amctl.machine.plan import Called, Config, Planner
    from amctl.machine.view import StatesLike

__all__ = ["Reads"]


class Reads:
    """Base of Machine: everything that changes nothing."""

    id: str
    queue_tick: int
    _compiled: Compiled
    _bits: Mapping[str, int]
    _config: Config
    _clock: list[int]
    _calls: dict[object, Called]
    _planner: Planner
    _subs: Subscriptions
    _gone: bool

    # -- names

    @property
    def names(self) -> tuple[str, ...]:
        """State names in index order."""
        return self._compiled.names

    def index(self, state: str) -> int:
        """The state's position in every clock; -1 if unknown or disposed."""
        return -1 if self._gone else self._compiled.index.get(state, -1)

    def has(self, states: StatesLike) -> bool:
        """Whether all names are states of this machine."""
        return not self._gone and self._known(states)[1]

    def _called(self, states: Any) -> Called:
        """Interns what a caller named; raises on unknown names (NAM-6)."""
        if states.__class__ is not str and states.__class__ is not tuple:
            states = plain(states)
        called = self._calls.get(states)
        if called is None:
            names = (states,) if isinstance(states, str) else tuple(dict.fromkeys(states))
            index = self._compiled.index
            unknown = [n for n in names if n not in index]
            if unknown:
                raise UnknownStateError(self.id, unknown, self._compiled.names)
            called = self._planner.called(tuple(index[n] for n in names))
            if len(self._calls) > 4096:
                self._calls.clear()
            self._calls[states] = called
        return called

    def _known(self, states: StatesLike) -> tuple[int, bool]:
        states = (states,) if isinstance(states, str) else states
        mask, complete, index = 0, True, self._compiled.index
        for name in states:
            i = index.get(name)
            if i is None:
                complete = False
            else:
                mask |= 1 << i
        return mask, complete

    # -- activity

    def is_(self, states: StatesLike) -> bool:
        """Whether all are active. An unknown name makes it False."""
        if isinstance(states, str):
            return self._config.mask & self._bits.get(states, 0) != 0
        mask, complete = self._known(states)
        return complete and not self._gone and not mask & ~self._config.mask

    def not_(self, states: StatesLike) -> bool:
        """Whether all are inactive; raises UnknownStateError."""
        return not self._gone and not self._called(states).mask & self._config.mask

    def any_(self, states: StatesLike) -> bool:
        """Whether at least one is active."""
        return bool(self._known(states)[0] & self._config.mask)

    def is_err(self) -> bool:
        """Whether Exception is active."""
        return bool(self._config.mask >> self._compiled.exception & 1)

    @property
    def active(self) -> list[str]:
        """Active states, in the target order of the last transition (NAM-4)."""
        names = self._compiled.names
        return [names[i] for i in self._config.order]

    def switch(self, *groups: Iterable[str]) -> str:
        """The first active state, lists scanned in order; empty if none (STR-3)."""
        return next((s for group in groups for s in group if self.is_(s)), "")

    # -- clocks

    def tick(self, state: str) -> int:
        """The state's clock: odd when active; 0 for an unknown one."""
        i = self._compiled.index.get(state)
        return 0 if i is None else self._clock[i]

    def time(self, states: Iterable[str] | None = None) -> list[int]:
        """Ticks of all states by index, or of the given ones in their order."""
        if self._gone:
            return []
        return list(self._clock) if states is None else [self.tick(s) for s in states]

    def clock(self, states: Iterable[str] | None = None) -> dict[str, int]:
        """The same by name."""
        if self._gone:
            return {}
        return {s: self.tick(s) for s in (self.names if states is None else states)}

    @property
    def time_sum(self) -> int:
        """The sum of all ticks (CLK-6)."""
        return sum(self._clock)

    def is_time(self, ticks: Sequence[int], states: Iterable[str] | None = None) -> bool:
        """Whether all ticks equal the present ones (CLK-8)."""
        return self.time(states) == list(ticks)

    def was_time(self, ticks: Sequence[int], states: Iterable[str] | None = None) -> bool:
        """Whether every present tick is at least the given one."""
        now = self.time(states)
        return len(now) == len(ticks) and all(a >= b for a, b in zip(now, ticks, strict=True))

    # -- text

    def __str__(self) -> str:
        return "" if self._gone else "(" + " ".join(self._listed(True)) + ")"

    def string_all(self) -> str:
        """Active and inactive states with their ticks (STR-2)."""
        return "" if self._gone else f"{self} [" + " ".join(self._listed(False)) + "]"

    def inspect(self, states: Iterable[str] | None = None) -> str:
        """Every state with its clock, properties and relations, a line each (STR-4)."""
        if self._gone:
            return ""
        lines = []
        for name in self.names if states is None else states:
            lines.append(f"{int(self.is_(name))} {name}")
            lines.append(f"    |{'Tick':<9}{self.tick(name)}")
            state = self._compiled.states[name]
            lines += [f"    |{k:<9}true" for k in ("Auto", "Multi") if getattr(state, k.lower())]
            for key in ("Add", "Require", "Remove", "After"):
                if names := getattr(state, key.lower()):
                    lines.append(f"    |{key:<9}{' '.join(names)}")
        return "\n".join(lines) + "\n"

    def _listed(self, active: bool) -> Iterator[str]:
        mask = self._config.mask if active else ~self._config.mask
        for i, name in enumerate(self._compiled.names):
            if mask >> i & 1:
                yield f"{name}:{self._clock[i]}"

    # -- waits

    def when(self, *states: str, timeout: float | None = None) -> Signal:
        """Closed when all `states` are active at once; at once if they are already.

        Args:
            states: State names of this machine, at least one.
            timeout: Seconds of loop time after which awaiting it raises WaitTimeoutError.

        Raises:
            UnknownStateError: If a name isn't in the schema.
        """
        return self._wait(states, False, timeout)

    def when_not(self, *states: str, timeout: float | None = None) -> Signal:
        """Closed when all `states` are inactive at once."""
        return self._wait(states, True, timeout)

    def _wait(self, states: tuple[str, ...], negated: bool, timeout: float | None) -> Signal:
        if self._gone:
            return Signal(True)
        called = self._called(states)
        signal = self._subs.when(called.order, called.mask, self._config.mask, negated)
        if timeout is None:
            return signal
        what = "when_not" if negated else "when"
        return TimedSignal(signal, timeout, f"machine {self.id!r}: {what} {' '.join(states)}")

    def when_err(self) -> Signal:
        """Closed when Exception is active."""
        return self.when(EXCEPTION)

    def when_time(self, states: Sequence[str], ticks: Sequence[int]) -> Signal:
        """Closed when each state's tick has been reached, maybe at different moments."""
        if self._gone:
            return Signal(True)
        if len(states) != len(ticks) or not states:
            self._misused(ValueError("when_time: states and ticks differ in length"))
            return Signal(True)
        index = self._compiled.index
        return self._subs.when_time([index.get(s) for s in states], list(ticks), self._clock)

    def when_ticks(self, state: str, ticks: int) -> Signal:
        """Closed when the state has ticked `ticks` times from now."""
        return self.when_time([state], [self.tick(state) + ticks])

    def when_next_active(self, state: str) -> Signal:
        """Closed at the state's next activation, the present one not counted."""
        return self.when_ticks(state, 2 if self.tick(state) & 1 else 1)

    def when_args(self, state: str, args: ArgsLike) -> Signal:
        """Closed when the state is entered with at least these arguments."""
        if self._gone:
            return Signal(True)
        return self._subs.when_args(self._called(state).order[0], as_args(args))

    def when_queue(self, tick: int) -> Signal:
        """Closed when the mutation with this queue tick (a Result) was dealt with."""
        if self._gone:
            return Signal(True)
        return self._subs.when_queue(int(tick), self.queue_tick)

    def when_query(self, fn: Callable[[Sequence[int]], bool]) -> Signal:
        """Closed when `fn(ticks by index)` is true after an accepted transition."""
        return Signal(True) if self._gone else self._subs.when_query(fn)

    def state_context(self, state: str) -> StateContext:
        """A context that ends at the state's next move (CTX-1, CTX-2)."""
        i = self._called(state).order[0]
        if self._gone:
            return StateContext(state, 0)
        return self._subs.context(i, state, self._clock[i])

    def _misused(self, error: Exception) -> None:
        """A wait was asked for that can't be; how the machine takes it is its own affair."""
        raise NotImplementedError


def plain(states: Any) -> str | tuple[str, ...]:
    """What a caller passed, as something hashable."""
    return str(states) if isinstance(states, str) else tuple(states)
