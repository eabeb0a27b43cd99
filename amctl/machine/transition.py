"""Mutations, events, and the full transition: the path for handlers and tracers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from amctl.machine.args import Args, parse_args
from amctl.machine.plan import AUTO, CHECK_ADD, CHECK_REMOVE, EVAL, RELATION_KIND
from amctl.machine.result import CANCELED, EXECUTED, MutationType, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from amctl.machine._drive import Drive
    from amctl.machine.handlers import Action, Handler
    from amctl.machine.machine import Machine
    from amctl.machine.plan import Called, Outcome, Plan
    from amctl.machine.tracer import Hooks

__all__ = ["Event", "Mutation", "Source", "Transition"]

A = TypeVar("A", bound=Args)
_ids = count(1)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a mutation comes from: a transition, maybe of another machine (MUT-7)."""

    machine_id: str
    tx_id: str = ""
    time: int = 0
    """Time sum of the source machine before that transition."""
    trace: bytes = b""
    """Opaque trace context, carried across the network."""


class Mutation:
    """One request to change states, as it stands in the queue."""

    __slots__ = ("args", "called", "check_done", "fn", "kind", "queue_tick", "source")

    def __init__(
        self,
        kind: int,
        called: Called,
        args: Mapping[str, Any],
        source: Source | None = None,
        queue_tick: int = 0,
    ) -> None:
        self.kind = kind
        self.called = called
        self.args = args
        self.source = source
        self.queue_tick = queue_tick
        self.check_done: Callable[[Result], None] | None = None
        self.fn: Callable[[], None] | None = None

    @property
    def is_auto(self) -> bool:
        """Whether the machine itself made it for its auto states."""
        return self.kind == AUTO

    @property
    def is_check(self) -> bool:
        """Whether it is a question (Can*) that changes nothing."""
        return self.kind in (CHECK_ADD, CHECK_REMOVE)

    @property
    def type(self) -> MutationType:
        """Its type on the wire."""
        return MutationType.EVAL if self.kind == EVAL else MutationType(RELATION_KIND[self.kind])

    @property
    def called_states(self) -> tuple[str, ...]:
        """The names that were given, in the order of the call."""
        return self.called.names

    def __str__(self) -> str:
        names = self.called.names
        order = sorted(range(len(names)), key=self.called.order.__getitem__)
        return f"[{self.type}] " + " ".join(names[i] for i in order)


class Event:
    """What a handler gets. One object per handler name, shared by all bindings."""

    __slots__ = ("name", "raw", "transition")

    def __init__(self, name: str, raw: Mapping[str, Any], transition: Transition) -> None:
        self.name = name
        self.raw = raw
        """The mutation's arguments as one map."""
        self.transition = transition

    def args(self, cls: type[A]) -> A:
        """The typed arguments of one type; the default object when there are none.

        Raises:
            ArgsError: They came over the wire and don't fit their declaration.
        """
        return parse_args(cls, self.raw)

    @property
    def machine(self) -> Machine:
        """The machine whose handler runs."""
        return self.transition.machine

    @property
    def mutation(self) -> Mutation:
        """What is being carried out."""
        return self.transition.mutation

    @property
    def source(self) -> Source | None:
        """Where the mutation came from; None for a plain call."""
        return self.transition.source

    @property
    def is_check(self) -> bool:
        """Whether this is only a question (CAN-6)."""
        return self.transition.plan.kind in (CHECK_ADD, CHECK_REMOVE)

    def is_valid(self) -> bool:
        """Whether its transition is still the current one (EVT-4)."""
        tx = self.transition
        return tx.machine.transition is tx and not tx.completed and not tx.broken

    def as_source(self) -> Source:
        """This event as the origin of another mutation."""
        return self.transition.as_source()

    def __str__(self) -> str:
        return str(self.mutation)


class Transition:
    """One run of a plan. Made only when a handler or a tracer can see it.

    Attributes that rarely change live on the class until they do. It stays readable afterwards.
    """

    accepted = True
    completed = False
    broken = False  # a handler raised, or ran too long
    queue_len = 0
    time_before: tuple[int, ...] = ()
    time_after: tuple[int, ...] = ()
    _id: str | None = None

    def __init__(
        self,
        machine: Drive,
        plan: Plan,
        args: Mapping[str, Any],
        source: Source | None = None,
        mutation: Mutation | None = None,
    ) -> None:
        self.machine: Machine = machine  # type: ignore[assignment]  # the only Drive there is
        self.plan = plan
        self.args = args
        self.source = source
        self.outcome: Outcome | None = plan.outcome
        self._mutation = mutation

    # -- what tracers and handlers read

    @property
    def mutation(self) -> Mutation:
        """What is being carried out."""
        if self._mutation is None:
            self._mutation = Mutation(self.plan.kind, self.plan.called, self.args, self.source)
        return self._mutation

    @property
    def id(self) -> str:
        """Unique in this process."""
        if self._id is None:
            self._id = f"{next(_ids):016x}"
        return self._id

    @property
    def is_accepted(self) -> bool:
        """Whether it took effect, or still may."""
        return self.accepted

    @property
    def called(self) -> tuple[int, ...]:
        """Indexes of the called states."""
        return self.plan.called.order

    @property
    def called_states(self) -> list[str]:
        """Names of the called states, in the order of the call."""
        return list(self.plan.called.names)

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
    def changed(self) -> list[tuple[int, int]]:
        """(index, tick increment) of each state that moved; empty without a tracer."""
        pairs = zip(self.time_before, self.time_after, strict=True)
        return [(i, after - before) for i, (before, after) in enumerate(pairs) if after != before]

    def as_source(self) -> Source:
        """This transition as the origin of another mutation."""
        machine = self.machine
        total = sum(self.time_before) if self.time_before else machine.time_sum
        trace = self.source.trace if self.source else b""
        return Source(machine.id, self.id, total, trace)

    def __str__(self) -> str:
        text = f"tx#{self.id}\n{self.mutation}"
        if (src := self.source) is not None:
            text += f"\nsource: [{src.tx_id}]({src.machine_id}/{src.tx_id}/t{src.time})"
        return text

    def _names(self, order: Iterable[int]) -> list[str]:
        names = self.machine.names
        return [names[i] for i in order]

    # -- running

    def run(self) -> Result:
        """Carry the plan out (section 8). Called by the machine's queue alone."""
        machine, plan, hooks = self.machine, self.plan, self.machine._hooks
        machine._tx = self
        accepted = plan.accepted
        if hooks is not None:
            self.accepted = accepted
            self.time_before = self.time_after = machine._snapshot()
            for hook in hooks.transition_init:
                hook(self)
            for hook in hooks.transition_start:
                hook(self)
        if accepted and plan.negotiation:
            accepted = self._negotiate_auto() if plan.kind == AUTO else self._negotiate()
        out = self.outcome
        if accepted and out is not None:
            if plan.kind == AUTO and not out.targets:
                accepted = False
            else:
                self._apply(out, hooks)
                accepted = not self.broken
        return self._complete(accepted, out, hooks)

    def _complete(self, accepted: bool, out: Outcome | None, hooks: Hooks | None) -> Result:
        machine, plan = self.machine, self.plan
        if plan.kind == AUTO:
            machine._note_auto(plan.called, self.broken)
        if not accepted:
            self.accepted = False
        elif out is not None and out.follow is not None:
            machine._queue_auto(out.follow)
        self.completed = True
        if hooks is not None:
            self.queue_len = len(machine._queue)
            for hook in hooks.transition_end:
                hook(self)
        if not accepted:
            if machine._watched:
                machine._subs.process_queue(machine.queue_tick)
            return CANCELED
        if out is None:  # a check
            return EXECUTED
        if machine._watched:
            machine._subs.process(out.enters, out.exits, machine._clock, machine.queue_tick)
        return out.result

    def _negotiate(self) -> bool:
        return all(self._ask(action) for action in self.plan.negotiation)

    def _ask(self, action: Action) -> bool:
        """All handlers of one negotiation event; stops at a veto."""
        event = Event(action.name, self.args, self)
        for handler in action.handlers:
            if self.broken:
                return False
            try:
                answer = self._call(handler, event)
            except Exception as error:  # PAN-2
                self._fail(error, action.name)
                return False
            if answer is not None and answer is not True and action.can_veto:
                return False
        return not self.broken or not action.handlers

    def _call(self, handler: Handler, event: Event) -> Any:
        """One handler, seen by tracers and by the stop-watch if there are any."""
        machine = self.machine
        hooks, limit = machine._hooks, machine.handler_timeout
        if hooks is None and limit is None:
            return handler.fn(event)
        for hook in hooks.handler_start if hooks else ():
            hook(self, handler.binding, handler.name)
        began = machine._clock_fn() if limit is not None else 0.0
        try:
            return handler.fn(event)
        finally:
            for hook in hooks.handler_end if hooks else ():
                hook(self, handler.binding, handler.name)
            if limit is not None and machine._clock_fn() - began > limit:
                self.broken = True  # PAN-7, found afterwards: nothing can stop a running function
                machine._handler_slow(handler, limit)

    def _fail(self, error: Exception, name: str) -> None:
        self.broken = True
        self.machine._handler_failed(self, error, name)

    def _negotiate_auto(self) -> bool:
        """NEG-3: a veto by an auto state drops that state only."""
        machine, plan = self.machine, self.plan
        table, config = machine._table, plan.config
        targets = list(plan.targets)
        try:
            for i in plan.exits:
                exit_ = table.exit[i]
                if exit_ is not None and not self._ask(exit_):
                    return False
            for i in plan.enters:
                self._ask_auto(table.enter[i], targets)
            answer, at = True, 0
            while at < len(targets):  # a veto shifts the list: the next one is not asked
                if config.mask >> targets[at] & 1:
                    answer = self._ask_auto(table.self_[targets[at]], targets)
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
        if action.state in targets:
            targets.remove(action.state)
        return False

    def _apply(self, out: Outcome, hooks: Hooks | None) -> None:
        machine = self.machine
        clock = machine._clock
        for i in out.ticks:
            clock[i] += 1
        machine._config = out.next
        if machine._watched:
            machine._subs.cancel_contexts(out.enters)
            machine._subs.cancel_contexts(out.exits)
        if hooks is not None:
            if out.ticks:
                machine._time = None
            self.time_after = machine._snapshot()
            for hook in hooks.transition_finals:
                hook(self)
        if self.broken:
            return
        if machine._watched:
            self._finals_watched(out)
        else:
            for action in out.finals:
                if not self._final(action, out):
                    return

    def _final(self, action: Action, out: Outcome) -> bool:
        """All handlers of one final event. A coroutine becomes a task."""
        event = Event(action.name, self.args, self)
        try:
            for handler in action.handlers:
                answer = self._call(handler, event)
                if handler.is_coroutine:
                    self.machine._spawn_handler(answer, action, event)
                if self.broken:
                    break
        except Exception as error:
            self._fail(error, action.name)
        if self.broken:
            self._recover(action, out)
        return not self.broken

    def _finals_watched(self, out: Outcome) -> None:
        """The same, with WhenArgs looking at every State event (SUB-5)."""
        match, args = self.machine._subs.match_args, self.args
        entered = iter(out.enters)
        for action in out.finals:
            if action.phase == "State":
                for i in entered:  # those before it have no handler
                    if i == action.state:
                        break
                    match(i, args)
            elif action.phase == "Any":
                for i in entered:
                    match(i, args)
            fine = self._final(action, out)
            if action.phase == "State":
                match(action.state, args)
            if not fine:
                return
        for i in entered:
            match(i, args)

    def _recover(self, action: Action, out: Outcome) -> None:
        """PAN-4: later enters go off again; called multi states tick once more per pass."""
        machine = self.machine
        clock, sch, called = machine._clock, machine._compiled, self.plan.called.mask
        passes = 1 if action.phase == "Any" else 2
        if called >> sch.exception & 1:
            passes -= 1  # the one that comes with raising Exception is missing
        keep = out.next.order
        dropped: tuple[int, ...] = ()
        if action.phase == "State":
            dropped = out.enters[out.enters.index(action.state) :]
            for i in dropped:
                clock[i] += 1
            keep = tuple(i for i in keep if i not in dropped)
        again = called & sch.multi
        for i in keep:
            if again >> i & 1:
                clock[i] += 2 * passes
        machine._config = machine._planner.config(keep)
        machine._time = None
        if self.time_after:
            self.time_after = machine._snapshot()  # PAN-9
        if machine._watched:
            self._tell(dropped, out)

    def _tell(self, dropped: Sequence[int], out: Outcome) -> None:
        """PAN-9: subscriptions see what a recovered transition left."""
        machine, before = self.machine, self.plan.config.mask
        machine._subs.cancel_contexts(dropped)
        exits = (*out.exits, *(i for i in dropped if before >> i & 1))
        enters = [i for i in out.enters if i not in dropped]
        machine._subs.process(enters, exits, machine._clock, machine.queue_tick)


class _VetoedError(Exception):
    """A state that isn't auto vetoed an auto transition."""
