"""The queue of mutations: what runs now, what waits, and in which order (section 6)."""

from __future__ import annotations

import logging
from _thread import get_ident  # who asks, not how to make one
from typing import TYPE_CHECKING, Any

from amctl.machine._gates import BACKOFF, BUSY, CLOSED, WATCHED
from amctl.machine._remembering import Remembering
from amctl.machine.args import ACheck, AException, as_args
from amctl.machine.errors import ForeignThreadError, HandlerTimeoutError
from amctl.machine.event import Mutation, Source, as_source
from amctl.machine.plan import AUTO, MAX_CALLED, Called, Config, Plan, Planner
from amctl.machine.relations import ADD, REMOVE, SET
from amctl.machine.result import CANCELED, EXECUTED, Result
from amctl.machine.signals import Signal
from amctl.machine.transition import Transition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.machine.args import ArgsLike
    from amctl.machine.event import Event
    from amctl.machine.handlers import Handler, HandlerTable
    from amctl.machine.limits import Limits
    from amctl.machine.reads import StatesLike
    from amctl.machine.tracer import Hooks

__all__ = ["Core"]

_log = logging.getLogger("amctl.machine")

_BLOCKED = BUSY | CLOSED | BACKOFF
_AUTO_TRIES = 10  # failures of the same auto states in one go (PAN-10)
_QUEUED = Result(2)


class Core(Remembering):
    """Runs mutations one at a time. `Machine` adds what its users see."""

    __slots__ = (
        "_backoff_until",
        "_calls",
        "_error",
        "_exception",
        "_failed_auto",
        "_failures",
        "_hooks",
        "_idle_signal",
        "_pending",
        "_planner",
        "_table",
        "_thread",
        "_time",
        "_tokens",
        "_tx",
        "handler_timeout",
        "limits",
        "queue_limit",
    )

    queue_limit: int
    handler_timeout: float | None
    limits: Limits
    _compiled: Any
    _config: Config
    _planner: Planner
    _table: HandlerTable
    _hooks: Hooks | None
    _exception: Called
    _calls: dict[object, Called]
    _thread: int
    _pending: int
    _error: BaseException | None
    _tx: Transition | None
    _time: tuple[int, ...] | None
    _failures: int
    _tokens: int
    _backoff_until: float
    _failed_auto: tuple[int, ...]
    _idle_signal: Signal | None

    @property
    def transition(self) -> Transition | None:
        """The running transition, while handlers or tracers can see it."""
        return self._tx

    @property
    def is_busy(self) -> bool:
        """Whether a mutation is running, so that others wait in the queue."""
        return self._gate & BUSY != 0

    @property
    def is_watched(self) -> bool:
        """Whether anybody waits for something."""
        return self._gate & WATCHED != 0

    # -- entering

    def _call(
        self,
        kind: int,
        states: StatesLike,
        args: ArgsLike,
        source: Event | Source | None,
    ) -> Result:
        """A mutation asked for by `add`, `remove` or `set`."""
        if states.__class__ is list:
            states = tuple(states)
        try:
            plan = self._config.known[kind].get(states)
        except TypeError:  # a set
            plan = None
        if plan is None or self._gate & _BLOCKED:
            return self._call_slowly(kind, states, args, source)
        if self._gate:  # somebody listens
            if get_ident() != self._thread:
                raise ForeignThreadError(self.id)
            return self._perform(plan, args, source)
        quick = plan.quick
        if quick is None:
            if get_ident() != self._thread:
                raise ForeignThreadError(self.id)
            if plan.accepted:
                return self._perform(plan, args, source)
            self.queue_tick = tick = self.queue_tick + 1
            book = self._refusals  # for lack of a gate, nobody else is to know
            note = None if book is None else book.repeated.get(plan)
            if note is None:
                return self._refused(plan, source)
            note.count += 1
            note.queue_tick, note.at = tick, self._now()
            note.tick = self._clock[note.first]
            note.source = None if source is None else as_source(source)
            return CANCELED
        # seen before, nobody listens, no handler: all that is left are clocks
        ticks, self._config, result = quick
        clock = self._clock
        for i in ticks:
            clock[i] += 1
        self.queue_tick += 1
        return result

    def _call_slowly(
        self,
        kind: int,
        states: StatesLike,
        args: ArgsLike,
        source: Event | Source | None,
    ) -> Result:
        """The way of a mutation which is new here, or comes in between."""
        self._check_thread()
        if not isinstance(states, str):
            states = tuple(states)
        called = self._called(states)
        if self._gate & CLOSED or (kind != SET and self._backs_off()):
            return self._refused_outright(kind, called, source)
        if self._gate & BUSY:
            return self._call_busy(kind, called, args, source)
        config = self._config
        plan = self._planner.plan(config, kind, called)
        if self._planner.is_admitted(plan):
            config.known[kind][states] = plan
        return self._perform(plan, args, source)

    def _call_busy(
        self, kind: int, called: Called, args: ArgsLike, source: Event | Source | None
    ) -> Result:
        """Order of judgement: full, no-op removal, duplicate, enqueue (errata to QUE-5)."""
        if self._is_full(kind, called):
            return self._refused_outright(kind, called, source, "full")
        if kind == REMOVE and not self._queue and not called.mask & self._config.mask:
            return EXECUTED  # MUT-5
        plain = as_args(args)
        if not plain and self._is_duplicate(kind, called):
            if self._hooks is not None:
                what = Mutation(kind, called, plain)
                text = f"Duplicate detected for [{what.type}] {' '.join(called.names)}"
                self._line(3, f"[queue:skipped] {text}")
            return EXECUTED
        return self._enqueue(Mutation(kind, called, plain, as_source(source)))

    def _called(self, states: StatesLike) -> Called:
        """Interns what a caller named; raises on unknown names (NAM-6)."""
        called = self._calls.get(states)
        if called is None:
            called = self._planner.called(super()._mask_of(states)[0])
            if len(self._calls) > MAX_CALLED:
                self._calls.clear()
            self._calls[states] = called
        return called

    def _mask_of(self, states: StatesLike) -> tuple[tuple[int, ...], int]:
        if states.__class__ is not tuple and not isinstance(states, str):
            states = tuple(states)
        called = self._calls.get(states) or self._called(states)
        return called.order, called.mask

    def _check_thread(self) -> None:
        if get_ident() != self._thread:
            raise ForeignThreadError(self.id)

    def _backs_off(self) -> bool:
        """PAN-8: a handler had to be given up lately."""
        if not self._gate & BACKOFF:
            return False
        if self._now() < self._backoff_until:
            return True
        self._gate &= ~BACKOFF
        return False

    def _is_full(self, kind: int, called: Called) -> bool:
        if len(self._queue) < self.queue_limit:
            return False
        if called.mask & self._compiled.exception and kind != SET:
            return (kind == REMOVE) != self.is_err()  # QUE-6
        return True

    def _is_duplicate(self, kind: int, called: Called) -> bool:
        if called.mask & self._compiled.multi:
            return False
        return any(
            m.called.mask == called.mask
            and not m.args
            and (m.kind == kind or (kind == ADD and m.kind == AUTO))
            for m in self._queue
        )

    def _ask(self, kind: int, states: StatesLike, args: ArgsLike) -> Result:
        """A Can* question."""
        if not isinstance(states, str):
            states = tuple(states)
        called, plain = self._called(states), as_args(args)
        self._check_thread()
        if self._gate & CLOSED or self._backs_off():
            _answer(plain, True)
            return CANCELED
        if self._gate & BUSY:
            self._prepend(Mutation(kind, called, plain))
            return _QUEUED
        result = self._perform(self._planner.plan(self._config, kind, called), plain, None, 0)
        _answer(plain, result.canceled)
        return result

    # -- the queue

    def _enqueue(self, mutation: Mutation) -> Result:
        """Appends a normal mutation (QUE-4)."""
        self._pending += 1
        mutation.queue_tick = self.queue_tick + self._pending
        self._queue.append(mutation)
        if self._hooks is not None:
            self._announce(mutation)
        return Result(mutation.queue_tick)

    def _prepend(self, mutation: Mutation) -> None:
        """QUE-7."""
        self._tokens += 1
        mutation.queue_token = self._tokens
        self._queue.appendleft(mutation)
        if self._hooks is not None:
            self._announce(mutation)

    def _announce(self, mutation: Mutation) -> None:
        assert self._hooks is not None
        mutation.queue_tick_now, mutation.queue_len = self.queue_tick, len(self._queue)
        for hook in self._hooks.mutation_queued:
            hook(self, mutation)

    def _not_found(self, state: str) -> bool:
        if self._hooks is not None and get_ident() == self._thread:
            self._line(4, f"[is] state {state} not found")
        return False

    def _line(self, level: int, text: str) -> None:
        """Tell tracers of a line that no other hook stands for."""
        for hook in self._hooks.log_line if self._hooks is not None else ():
            hook(self, level, text)

    def _queue_auto(self, called: Called) -> None:
        """AUT-1, but not for ever (PAN-10), and not at the end (TX-10)."""
        if self._gate & CLOSED:
            return
        if self._failures < _AUTO_TRIES or self._failed_auto != called.order:
            self._prepend(Mutation(AUTO, called, {}))
        elif self._failures == _AUTO_TRIES:
            self._failures += 1
            _log.error("machine %s: auto states %s keep failing", self.id, " ".join(called.names))

    def _perform(
        self, plan: Plan, args: ArgsLike, source: Event | Source | None, ticks: int = 1
    ) -> Result:
        """Runs a mutation on an idle machine, then everything it caused."""
        hooks = self._hooks
        self._gate |= BUSY
        self._failures = 0
        try:
            if plan.plain and hooks is None:
                self.queue_tick += ticks
                result = self._run_plain(plan, args, source)
            else:
                given = {} if args is None else as_args(args)
                origin = None if source is None else as_source(source)
                mutation = None
                if hooks is not None and hooks.mutation_queued:
                    mutation = self._announced(plan, given, origin, ticks)
                self.queue_tick += ticks
                tx = Transition(self, plan, given, origin, mutation)
                if ticks:
                    tx._tick = self.queue_tick
                result = tx.run()
            if self._gate & WATCHED and self._subs._queue:
                self._subs.process_queue(self.queue_tick)
            if self._queue:
                self._drain()
        except BaseException:
            self._clear_queue()
            raise
        finally:
            self._gate &= ~BUSY
            self._tx = None
            if hooks is not None:  # who comes in the midst of it hears of the next one
                hooks = self._hooks
            if self._idle_signal is not None or (hooks is not None and hooks.queue_end):
                self._became_idle()
        return result

    def _announced(
        self, plan: Plan, args: Mapping[str, Any], source: Source | None, ticks: int
    ) -> Mutation:
        """A mutation that runs at once, and which tracers want to hear of before."""
        tick = self.queue_tick + 1 if ticks else 0
        mutation = Mutation(plan.kind, plan.called, args, source, tick)
        mutation.queue_tick_now, mutation.queue_len = self.queue_tick, 1
        for hook in self._hooks.mutation_queued if self._hooks is not None else ():
            hook(self, mutation)
        return mutation

    def _drain(self) -> None:
        queue = self._queue
        while queue:
            mutation = queue.popleft()
            if mutation.queue_tick:
                self.queue_tick += 1
                self._pending -= 1
            plan = self._planner.plan(self._config, mutation.kind, mutation.called)
            if plan.plain and self._hooks is None:
                self._tx = None
                result = self._run_plain(plan, mutation.args, mutation.source)
            else:
                tx = Transition(self, plan, mutation.args, mutation.source, mutation)
                result = tx.run()
                if tx.is_broken and plan.kind == AUTO:
                    self._auto_failed(plan.called)
            if self._failures and plan.kind == AUTO and result.executed:
                self._failures = 0
            if self._gate & WATCHED:
                self._subs.process_queue(self.queue_tick)
            if mutation.is_check:
                _answer(mutation.args, result.canceled)

    def _became_idle(self) -> None:
        if self._hooks is not None:
            for hook in self._hooks.queue_end:
                hook(self)
        idle, self._idle_signal = self._idle_signal, None
        if idle is not None:
            idle.close(self.time_sum)

    def _clear_queue(self) -> None:
        """Forget what waits; so it is dealt with, and questions are answered with no."""
        queue = list(self._queue)
        self._queue.clear()
        self._subs.process_queue(self.queue_tick + self._pending)
        self._pending = 0
        for mutation in queue:
            if mutation.is_check:
                _answer(mutation.args, True)

    def _auto_failed(self, called: Called) -> None:
        """PAN-10: counted until a success, be other ones refused in between or not."""
        self._failures = self._failures + 1 if self._failed_auto == called.order else 1
        self._failed_auto = called.order

    def _refuse(self) -> None:
        """Disposal: take no more mutations."""
        self._gate |= CLOSED

    def _back_off(self) -> None:
        """Take no more mutations for a while (PAN-8)."""
        self._backoff_until = self._now() + self.limits.handler_backoff
        self._gate |= BACKOFF

    # -- carrying out

    def _run_plain(self, plan: Plan, args: ArgsLike, source: Event | Source | None) -> Result:
        """A transition which no handler and no tracer can see."""
        if not plan.accepted:
            return self._refused(plan, source)
        out = plan.outcome
        if out is None:  # a check
            return EXECUTED
        clock = self._clock
        for i in out.ticks:
            clock[i] += 1
        self._config = out.next
        if out.follow is not None:
            self._queue_auto(out.follow)
        if self._gate & WATCHED:
            given = {} if args is None else as_args(args)
            self._subs.transition(out.enters, out.exits, clock, self.queue_tick, given)
        return out.result

    def _refresh(self) -> None:
        """For transitions during which handlers came or went: leave plans of those before."""
        self._config = self._planner.config(() if self._gone else self._config.order)

    def _snapshot(self) -> tuple[int, ...]:
        """The clock as a tuple, kept in `_time` for transitions that don't change it."""
        self._time = time = tuple(self._clock)
        return time

    def _handler_failed(
        self, tx: Transition, handler: Handler, name: str, error: BaseException
    ) -> bool:
        """PAN-2; False at the end, and when Exception was called, which would nest (PAN-6)."""
        _log.error(
            "machine %s: handler %s of binding %s failed: %s",
            self.id, name, handler.binding, error, exc_info=error,
        )  # fmt: skip
        if self._gate & CLOSED or tx.plan.called.mask & self._compiled.exception:
            return False
        self._set_error(error)
        args = AException(error, name, tx.called_states, tuple(tx.target_states))
        self._prepend(Mutation(ADD, self._exception, as_args(args), tx.as_source()))
        return True

    def add_err(
        self,
        err: BaseException | None,
        args: ArgsLike = None,
        *,
        source: Event | Source | None = None,
    ) -> Result:
        """Implemented by Machine."""
        raise NotImplementedError

    def _internal_error(self, error: HandlerTimeoutError) -> None:
        """For subclasses: an error that no mutation tells about (ERR-9)."""

    def _start_task(self, coro: Any, handler: Handler, action: Any, event: Event) -> None:
        """For subclasses: a coroutine handler was called."""

    def _set_error(self, error: BaseException) -> None:
        """The error that is about to become Exception."""
        self._error = error
        self._memory().error_came(self._config, tuple(self._clock), error)

    # -- its end

    def when_queue_ends(self) -> Signal:
        """Nothing runs and nothing waits any more."""
        if not self._gate & BUSY:
            return Signal(True)
        if self._idle_signal is None:
            self._idle_signal = Signal(what="when_queue_ends")
        return self._idle_signal


def _answer(args: Mapping[str, Any], canceled: bool) -> None:
    check = args.get(ACheck.key())
    if isinstance(check, ACheck):
        check.answer(canceled)
