"""One run of a plan: the path for whatever handlers or tracers can see (sections 8 to 12)."""

from __future__ import annotations

import random
from asyncio import CancelledError
from itertools import count
from typing import TYPE_CHECKING, Any

from amctl.machine._gates import WATCHED
from amctl.machine.errors import HandlerResultError, HandlerTimeoutError
from amctl.machine.event import Event, Mutation, Source
from amctl.machine.handlers import ANY, STATE
from amctl.machine.plan import AUTO, CHECK_ADD, CHECK_REMOVE
from amctl.machine.result import CANCELED, EXECUTED, MutationType, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amctl.machine.handlers import Action, Handler
    from amctl.machine.machine import Machine
    from amctl.machine.plan import Outcome, Plan
    from amctl.machine.tracer import Hooks

__all__ = ["Transition"]

_CHECKS = (CHECK_ADD, CHECK_REMOVE)
_heads = count(random.SystemRandom().getrandbits(56))
_TAILS = tuple(f"{tail:02x}" for tail in reversed(range(256)))
_fresh: list[str] = []


def _new_id() -> str:
    """16 hex digits. They are made in batches, since formatting one costs more than the rest of a
    transition's beginning; any thread may come here."""
    while True:
        try:
            return _fresh.pop()
        except IndexError:
            head = f"{next(_heads) & 0xFF_FFFF_FFFF_FFFF:014x}"
            _fresh.extend([head + tail for tail in _TAILS])


def __restored__() -> None:
    """Begin ids anew: threads that wake up from one memory image would all have the same."""
    global _heads
    _heads = count(random.SystemRandom().getrandbits(56))
    _fresh.clear()


class Transition:
    """One run of a plan. Made only when a handler or a tracer can see it; readable ever after.

    Attributes that rarely change live on the class until they do.
    """

    is_accepted = True
    """Whether it took effect, or still may."""
    is_completed = False
    """Whether it is over."""
    is_broken = False
    """Whether a handler failed or ran too long."""
    queue_len = 0
    """The length of the queue at the end."""
    trace = b""
    """Trace context that mutations sourced by this transition carry on."""
    has_moved = False
    """Whether clocks have moved, so that final handlers run or ran."""
    vetoes: tuple[tuple[Handler, Action], ...] = ()
    """Which handlers said no, and to what. An auto transition survives those of auto states."""
    failure: tuple[Handler, Action, BaseException] | None = None
    """The handler that failed or ran too long, and what it raised."""
    ran: tuple[object, list[tuple[str, str, bool]]] | None = None
    """Who notes handlers, and binding, name, whether final, of each that ran (`StepRecorder`)."""
    time_before: tuple[int, ...] = ()
    """Ticks by state index before it. Empty when no tracer was there at its start."""
    source: Source | None = None
    """Where the mutation came from."""
    _mutation: Mutation | None = None
    _time_after: tuple[int, ...] | None = None
    _changed: tuple[tuple[int, int], ...] | None = None
    _id = ""
    _tick = 0
    """The mutation's queue tick, if it has no `_mutation` yet."""

    def __init__(
        self,
        machine: Any,  # a Core, which its subclass Machine completes
        plan: Plan,
        args: Mapping[str, Any],
        source: Source | None = None,
        mutation: Mutation | None = None,
    ) -> None:
        self.machine: Machine = machine
        self.plan = plan
        self.args = args
        """The mutation's arguments."""
        self.outcome: Outcome | None = plan.outcome
        if source is not None:
            self.source = source
        if mutation is not None:
            self._mutation = mutation

    # -- what tracers and handlers read

    @property
    def mutation(self) -> Mutation:
        """What is being carried out."""
        if self._mutation is None:  # it ran at once, and nobody listened to the queue
            plan, tick = self.plan, self._tick
            made = Mutation(plan.kind, plan.called, self.args, self.source, tick)
            if tick:
                made.queue_tick_now, made.queue_len = tick - 1, 1
            self._mutation = made
        return self._mutation

    @property
    def id(self) -> str:
        """16 hex digits, unique for practical purposes."""
        if not self._id:
            self._id = _new_id()
        return self._id

    @property
    def type(self) -> MutationType:
        """The mutation's type."""
        return self.mutation.type

    @property
    def is_auto(self) -> bool:
        """Whether it is the machine's own try to activate auto states."""
        return self.plan.kind == AUTO

    @property
    def is_check(self) -> bool:
        """Whether it is a question that changes nothing."""
        return self.plan.kind in _CHECKS

    @property
    def is_health(self) -> bool:
        """Whether it adds just Healthcheck or Heartbeat (TX-14)."""
        return self.plan.kind == MutationType.ADD and self.plan.called.health

    @property
    def is_current(self) -> bool:
        """Whether it is running, and not canceled yet (EVT-4)."""
        return self.machine.transition is self and not (
            self.is_completed or self.is_broken or not self.is_accepted
        )

    @property
    def called(self) -> tuple[int, ...]:
        """Indexes of the called states, in the order of the call."""
        return self.plan.called.order

    @property
    def called_states(self) -> tuple[str, ...]:
        """Names of the called states, in the order of the call."""
        return self.plan.called.names

    @property
    def target_states(self) -> list[str]:
        """What is to be active afterwards, in target order (REL-9)."""
        return self._names((self.outcome or self.plan).targets)

    @property
    def enters(self) -> list[str]:
        """States that are entered, re-entered Multi ones included."""
        return self._names((self.outcome or self.plan).enters)

    @property
    def exits(self) -> list[str]:
        """States that end."""
        return self._names((self.outcome or self.plan).exits)

    @property
    def states_before(self) -> list[str]:
        """What was active before, in the machine's order."""
        return self._names(self.plan.config.order)

    @property
    def time_after(self) -> tuple[int, ...]:
        """Ticks after it; a prediction until clocks have moved (TXD-1)."""
        if self._time_after is not None:
            return self._time_after
        out = self.outcome
        if out is None or not self.is_accepted or not self.time_before:
            return self.time_before
        ticks = list(self.time_before)
        for i, more in out.changed:
            ticks[i] += more
        return tuple(ticks)

    @time_after.setter
    def time_after(self, ticks: tuple[int, ...]) -> None:
        self._time_after = ticks

    @property
    def changed(self) -> Sequence[tuple[int, int]]:
        """(index, increment) of each state whose tick grew; empty while none has."""
        if self._changed is not None:
            return self._changed
        if self.has_moved and self.outcome is not None:
            return self.outcome.changed
        after = self._time_after or self.time_before
        pairs = enumerate(zip(self.time_before, after, strict=True))
        return tuple((i, new - old) for i, (old, new) in pairs if new != old)

    def as_source(self) -> Source:
        """This transition as the origin of another mutation."""
        total = sum(self.time_before)
        if not self.time_before and self.machine.transition is self:
            total = self.machine.time_sum - sum(more for _, more in self.changed)
        # without a tracer nobody has taken the context over, and it goes on as it came
        trace = self.trace or (self.source.trace if self.source is not None else b"")
        return Source(self.machine.id, self.id, total, trace)

    def __str__(self) -> str:
        """STR-5."""
        text = f"tx#{self.id}\n{self.mutation}"
        if (src := self.source) is not None:
            text += f"\nsource: [{src.tx_id}]({src.machine_id}/{src.tx_id}/t{src.time})"
        return text

    def _names(self, order: Iterable[int]) -> list[str]:
        names = self.machine.names
        return [names[i] for i in order if i < len(names)]

    # -- running

    def run(self) -> Result:
        """Carry the plan out. Called by the machine's queue alone."""
        machine, plan, hooks = self.machine, self.plan, self.machine._hooks
        table = machine._table
        machine._tx = self
        accepted = plan.accepted
        if hooks is not None:
            if not accepted:
                self.is_accepted = False
            self.time_before = machine._time or machine._snapshot()
            if self.source is not None:
                self.trace = self.source.trace
            for hook in hooks.begin:
                hook(self)
        if accepted and plan.negotiation:
            accepted = self._negotiate_auto() if plan.kind == AUTO else self._negotiate()
        out = self.outcome
        if accepted and out is not None:
            if plan.kind == AUTO and not out.targets:
                accepted = False
            else:
                self._apply(out, hooks)
                accepted = not self.is_broken
        if not accepted:
            self.is_accepted = False
        if hooks is not None and hooks.transition_change and not self.is_check:
            for hook in hooks.transition_change:
                hook(self)
        if accepted and out is not None and out.follow is not None:
            machine._queue_auto(out.follow)
        if machine._table is not table:
            machine._refresh()
        self.is_completed = True
        if hooks is not None:
            if machine._queue:
                self.queue_len = len(machine._queue)
            for hook in hooks.transition_end:
                hook(self)
        if not accepted:
            machine._memory().by_transition(self)
            return CANCELED
        if out is None:  # a check
            return EXECUTED
        if machine._gate & WATCHED:
            machine._subs.process(out.enters, out.exits, machine._clock, machine.queue_tick)
        return out.result

    def _negotiate(self) -> bool:
        return all(self._ask(action) for action in self.plan.negotiation)

    def _ask(self, action: Action) -> bool:
        """All handlers of one negotiation event; stops at a veto."""
        event = Event(action.name, self.args, self)
        for handler in action.handlers:
            if self.is_broken:  # HND-16
                self.machine._line(4, f"[handler:invalid] {handler.name}")
                return False
            try:
                answer = self._call(handler, event)
                if answer is not None and not isinstance(answer, bool):
                    _discard(answer)
                    raise HandlerResultError(action.name, answer)
            except (Exception, CancelledError) as error:  # PAN-2
                self._failed(handler, action, error)
                return False
            if answer is False:
                self.vetoes = (*self.vetoes, (handler, action))
                return False
        return True

    def _call(self, handler: Handler, event: Event) -> Any:
        """One handler, seen by tracers and by the stop-watch if there are any."""
        machine = self.machine
        hooks, limit = machine._hooks, machine.handler_timeout
        if hooks is not None:
            for hook in hooks.handler_start:
                hook(self, handler.binding, handler.name)
        began = machine._now() if limit is not None else 0.0
        try:
            answer = handler.fn(event)
        finally:
            if hooks is not None:
                for hook in hooks.handler_end:
                    hook(self, handler.binding, handler.name)
        if limit is not None and machine._now() - began > limit:
            # PAN-7, but found afterwards: nothing can stop a function that holds up its own loop
            _discard(answer)
            raise _TooSlowError(event.name, handler.binding, limit)
        return answer

    def _failed(self, handler: Handler, action: Action, error: BaseException) -> bool:
        """Cancels the transition; whether Exception was raised for it."""
        self.is_broken = True
        self.failure = handler, action, error
        machine = self.machine
        if isinstance(error, _TooSlowError):
            machine._internal_error(error)
            return False
        if isinstance(error, CancelledError):
            return False
        if not machine.limits.catch:
            raise error
        return machine._handler_failed(self, handler, action.name, error)

    def _negotiate_auto(self) -> bool:
        """NEG-3: a veto by an auto state drops that state only."""
        machine, plan = self.machine, self.plan
        table, config = machine._table, plan.config
        targets = list(plan.targets)
        try:
            for i in plan.exits:
                if (action := table.exit[i]) is not None and not self._ask(action):
                    return False  # differs from Go, which crashes for an auto state (NEG-4)
            for i in plan.enters:
                self._ask_auto(table.enter[i], targets)
            answer, at = True, 0
            while at < len(targets):  # a veto shifts the list: its successor is passed over
                if config.mask >> targets[at] & 1:
                    answer = self._ask_auto(table.selves[targets[at]], targets)
                at += 1
            if not answer:
                return False
            for x in config.order:
                at = 0
                while at < len(targets):
                    if x != targets[at]:
                        self._ask_auto(table.pairs.get((x, targets[at])), targets)
                    at += 1
        except _VetoedError:
            return False
        if table.any_enter is not None and not self._ask(table.any_enter):
            return False
        if len(targets) != len(plan.targets):
            order = tuple(i for i in plan.called.order if i in targets)
            self.outcome = machine._planner.settle(config, machine._planner.called(order))
        return True

    def _ask_auto(self, action: Action | None, targets: list[int]) -> bool:
        if action is None or self._ask(action):
            return True
        if not self.machine._compiled.auto >> action.state & 1:
            raise _VetoedError
        targets.remove(action.state)
        return False

    def _apply(self, out: Outcome, hooks: Hooks | None) -> None:
        """Clocks move, then final handlers run (TX-8)."""
        machine = self.machine
        clock = machine._clock
        for i in out.ticks:
            clock[i] += 1
        machine._config = out.next
        if out.ticks:
            machine._time = None
        self.has_moved = True
        if machine._gate & WATCHED and machine._subs._contexts:
            machine._subs.cancel_contexts(out.enters)
            machine._subs.cancel_contexts(out.exits)
        if hooks is not None:
            if machine._time is None:
                machine._time = tuple(clock)
            self._time_after = machine._time
            for hook in hooks.transition_finals:
                hook(self)
        if self.is_broken:  # an auto transition that lost a state to a failure
            return
        passed = 0  # entered states whose State event is over
        for action, here in out.finals:
            if here > passed:
                if machine._gate & WATCHED:
                    machine._subs.match_args(out.enters[passed:here], self.args)
                passed = here
            if not self._final(action, out):
                return
            if action.phase == STATE:
                passed += 1
        if machine._gate & WATCHED and machine._subs._args:
            machine._subs.match_args(out.enters[passed:], self.args)

    def _final(self, action: Action, out: Outcome) -> bool:
        """All handlers of one final event; a coroutine becomes a task."""
        machine = self.machine
        event = Event(action.name, self.args, self)
        error: BaseException | None = None
        raised = False
        for handler in action.handlers:
            try:
                if machine._hooks is None and machine.handler_timeout is None:
                    answer = handler.fn(event)
                else:
                    answer = self._call(handler, event)
                if answer is not None and hasattr(answer, "__await__"):
                    machine._start_task(answer, handler, action, event)
            except (Exception, CancelledError) as failure:
                error = failure
                raised = self._failed(handler, action, failure)
                for late in action.handlers[action.handlers.index(handler) + 1 :]:
                    machine._line(4, f"[handler:invalid] {late.name}")
                break
        watched = machine._gate & WATCHED and action.phase == STATE
        if watched and not isinstance(error, _TooSlowError):  # SUB-5: also after a failure
            machine._subs.match_args((action.state,), self.args)
        if error is None:
            return True
        self._recover(action, out, raised)
        return False

    def _recover(self, action: Action, out: Outcome, raised: bool) -> None:
        """PAN-4: later enters go off again; called Multi states tick once more per pass.

        One pass belongs to the failing State or End handler, another to raising Exception.
        """
        machine = self.machine
        clock, called = machine._clock, self.plan.called.mask
        passes = (action.phase != ANY) + raised
        dropped: tuple[int, ...] = ()
        if action.phase == STATE:
            dropped = out.enters[out.enters.index(action.state) :]
        again = called & machine._compiled.multi
        stays = [i for i in out.next.order if i not in dropped]
        more = dict(out.changed)
        for i in dropped:
            clock[i] += 1
            more[i] = more.get(i, 0) + 1
        for i in stays:
            if again >> i & 1 and passes:
                clock[i] += 2 * passes
                more[i] = more.get(i, 0) + 2 * passes
        self._changed = tuple(sorted(more.items()))
        machine._config = machine._planner.config(tuple(stays))
        machine._time = None
        # differs from Go: time and subscriptions see what the recovery left (PAN-9)
        if self._time_after is not None:
            self._time_after = machine._snapshot()
        if machine._gate & WATCHED:
            before = self.plan.config.mask
            machine._subs.cancel_contexts(dropped)
            exits = (*out.exits, *(i for i in dropped if before >> i & 1))
            enters = [i for i in out.enters if i not in dropped]
            machine._subs.process(enters, exits, clock, machine.queue_tick, dropped)


def _discard(answer: object) -> None:
    """A coroutine that won't run; closing it keeps Python from complaining."""
    close = getattr(answer, "close", None)
    if close is not None and hasattr(answer, "__await__"):
        close()


class _VetoedError(Exception):
    """A state that isn't auto vetoed an auto transition."""


class _TooSlowError(HandlerTimeoutError):
    """Our own verdict, as opposed to such an error raised by a handler."""
