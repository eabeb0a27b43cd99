"""Waiting for a clock: what a local machine and the mirror of a remote one have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.machine.args import as_args
from amctl.machine.reads import Reads
from amctl.machine.schema import EXCEPTION
from amctl.machine.signals import Signal, StateContext, TimedSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.machine.args import ArgsLike
    from amctl.machine.event import Event
    from amctl.machine.subscriptions import Subscriptions

__all__ = ["Waits"]


class Waits(Reads):
    """The When* family and state contexts.

    Each call returns a Signal, closed already if its condition is met. Signals close within the
    mutation that fulfils them, so after `add(..)` returned, `signal.done()` tells. All close when
    the machine is disposed of: look at `is_disposed`. Awaiting with a time limit: `await
    signal.wait(seconds)`; or pass `timeout`, which counts from the call (and needs a running loop).
    """

    __slots__ = ("_disposed_signal", "_subs")

    _subs: Subscriptions
    _disposed_signal: Signal

    def when(self, *states: str, timeout: float | None = None) -> Signal:
        """All of these active at once.

        Raises:
            UnknownStateError: A name isn't in the schema.
        """
        return self._when(states, False, timeout)

    def when_not(self, *states: str, timeout: float | None = None) -> Signal:
        """All of these inactive at once.

        Raises:
            UnknownStateError: A name isn't in the schema.
        """
        return self._when(states, True, timeout)

    def _when(self, states: tuple[str, ...], negated: bool, timeout: float | None) -> Signal:
        if self._gone:
            return Signal(True)
        order, mask = self._mask_of(states)
        signal = self._subs.when(order, mask, self._config.mask, negated)
        return signal if timeout is None else TimedSignal(signal, timeout)

    def when_err(self) -> Signal:
        """Exception active."""
        return self.when(EXCEPTION)

    def when_time(self, states: Sequence[str], ticks: Sequence[int]) -> Signal:
        """Each state's tick has reached its value, maybe at different moments (SUB-2).

        An unknown state's never does. No states, or not as many ticks, is an error of the machine
        and a closed signal (SUB-3).
        """
        if self._gone:
            return Signal(True)
        if not states or len(states) != len(ticks):
            self._misused(ValueError(f"when_time: {len(states)} states and {len(ticks)} ticks"))
            return Signal(True)
        index = self._compiled.index
        return self._subs.when_time([index.get(s) for s in states], list(ticks), self._clock)

    def when_ticks(self, state: str, ticks: int) -> Signal:
        """The state has ticked that often from now on."""
        return self.when_time([state], [self.tick(state) + ticks])

    def when_next_active(self, state: str) -> Signal:
        """The state's next activation, not counting the present one."""
        return self.when_ticks(state, 2 if self.tick(state) & 1 else 1)

    def when_args(self, state: str, args: ArgsLike) -> Signal:
        """The state is activated with all these arguments, maybe among others.

        An empty map fits every activation. Arguments are compared by `==` per key.
        """
        if self._gone:
            return Signal(True)
        return self._subs.when_args(self._mask_of(state)[0][0], as_args(args))

    def when_query(self, fn: Callable[[Sequence[int]], bool]) -> Signal:
        """`fn(ticks by index)` is true after an accepted transition; it isn't asked right now."""
        if self._gone:
            return Signal(True)
        return self._subs.when_query(fn)

    def when_queue(self, tick: int) -> Signal:
        """The mutation that got this queue tick (a Result) was dealt with, whatever came of it."""
        if self._gone:
            return Signal(True)
        return self._subs.when_queue(int(tick), self.queue_tick)

    def when_disposed(self) -> Signal:
        """Disposal is over."""
        return self._disposed_signal

    def state_context(self, state: str, event: Event | None = None) -> StateContext:
        """Something that lives until the state's next move (CTX-1, CTX-2).

        On a disposed machine it lives forever, but takes no tasks.

        Args:
            state: Whose life it follows.
            event: What it is wanted for; kept with it, if it has none yet.

        Raises:
            UnknownStateError: The name isn't in the schema.
        """
        if self._gone:
            return StateContext(state, 0)
        i = self._mask_of(state)[0][0]
        context = self._subs.context(i, state, self._clock[i])
        if event is not None and context.event is None:
            context.event = event
        return context

    def _misused(self, error: ValueError) -> None:
        """A wait that makes no sense."""
        raise NotImplementedError
