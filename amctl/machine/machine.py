"""The machine: mutations, their queue, handlers and life.

Speed: an idle machine that nobody watches carries out a known mutation by one dict look-up and a
loop over ticks. One int, `_gate`, says whether anything forbids that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from amctl.machine import registry
from amctl.machine._drive import BUSY, DISPOSED, ERROR_KEY, TRACED, WATCHED, Drive
from amctl.machine._reads import plain
from amctl.machine.args import ArgsLike, as_args
from amctl.machine.errors import MachineError
from amctl.machine.handlers import Binding, HandlerTable
from amctl.machine.pipes import PipeRegistry
from amctl.machine.plan import AUTO, CHECK_ADD, CHECK_REMOVE, Called, Planner
from amctl.machine.relations import ADD, REMOVE, SET
from amctl.machine.result import CANCELED, EXECUTED, MutationType, Result
from amctl.machine.schema import EXCEPTION, Schema, States
from amctl.machine.subscriptions import Signal, Subscriptions
from amctl.machine.tasks import TaskSet
from amctl.machine.tracer import Hooks, Tracer
from amctl.machine.transition import Event, Mutation, Source, Transition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from amctl.machine.view import BatchOp, MachineView, StatesLike

__all__ = ["ERROR_KEY", "Machine"]

_CLOSED_GATE = BUSY | DISPOSED


class Machine(Drive):
    """A local machine. Belongs to one asyncio loop, and works without one if no handler is async.

    Args:
        id: Its name, unique among those that talk to each other.
        states: A `States` class, a Schema, or a map of definitions.
        names: Index order; None: the class's, the Schema's, or alphabetical for a map.
        handlers: An object or map to bind at once.
        parent: Its tracers hear of this machine, and its disposal disposes of it.
        tags: `key` or `key:value` strings for tools.
        queue_limit: Waiting mutations beyond which new ones are canceled.
        tracers: Bound before the machine begins.
        handler_timeout: Seconds after which a synchronous handler counts as failed, found once it
            has returned (PAN-7). None: no limit.
        clock: Seconds, for `handler_timeout`; needed with it.

    Raises:
        UnknownStateError: `names` and the schema don't agree.
        HandlerNameError: A handler fits no state.
    """

    is_local = True

    def __init__(
        self,
        id: str,
        states: type[States] | Schema | Mapping[str, Any],
        *,
        names: Iterable[str] | None = None,
        handlers: object | None = None,
        parent: MachineView | None = None,
        tags: Iterable[str] = (),
        queue_limit: int = 1000,
        tracers: Iterable[Tracer] = (),
        handler_timeout: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        if handler_timeout is not None and clock is None:
            raise MachineError(f"machine {id!r}: handler_timeout needs a clock")
        schema = states.schema() if isinstance(states, type) else states
        schema = schema if isinstance(schema, Schema) and names is None else Schema(schema, names)
        self.id = id
        self.parent_id = parent.id if parent else ""
        self.tags = tuple(dict.fromkeys(tags))
        self.queue_limit = queue_limit
        self.handler_timeout = handler_timeout
        self.queue_tick = 1
        self.machine_tick = 0
        self.pipes = PipeRegistry()
        self._clock_fn = clock or (lambda: 0.0)
        self._gone = False
        self._set_schema(schema)
        self._clock = [0] * len(self._compiled.names)
        self._queue: deque[Mutation] = deque()
        self._pending = 0
        self._error: BaseException | None = None
        self._tx: Transition | None = None
        self._gate = 0
        self._tracers: tuple[Tracer, ...] = ()
        self._hooks: Hooks | None = None
        self._time: tuple[int, ...] | None = None
        self._subs = Subscriptions(self._watch, self._unwatch)
        self._tasks = TaskSet(id)
        self._auto_failed: dict[Called, int] = {}
        self._ended = Signal(what=f"disposal of {id}")
        self._disposing = False
        self._on_dispose: list[Callable[[str], None]] = []
        self._queue_ended = Signal(True)
        self._begin(parent, tracers, handlers)

    def _set_schema(self, schema: Schema) -> None:
        self._schema = schema
        self._compiled, self._errors = schema.compiled(self.id)
        self._bits = {name: 1 << i for i, name in enumerate(self._compiled.names)}
        self._bindings: list[Binding] = []
        self._bound = 0
        self._table = HandlerTable(self._compiled.names, ())
        self._planner = Planner(self._compiled, self._table)
        self._config = self._planner.config(())
        self._calls = {}
        self._exception = self._called((EXCEPTION,))

    def _begin(
        self, parent: MachineView | None, tracers: Iterable[Tracer], handlers: object | None
    ) -> None:
        for tracer in tracers:
            self.bind_tracer(tracer)
        if parent is not None:
            parent.on_dispose(self._parent_gone)
            for hook in (getattr(parent, "_hooks", None) and parent._hooks.new_submachine) or ():  # type: ignore[attr-defined]  # a tracer is told by its own machine alone
                hook(parent, self)
        if self._hooks is not None:
            for hook in self._hooks.machine_init:
                hook(self)
        registry.enrol(self)
        if self._errors:
            joined = "\n".join(map(str, self._errors))
            self.add_err(type(self._errors[0])(joined))
        if handlers is not None:
            self.bind(handlers)

    # -- listening

    @property
    def schema(self) -> Schema:
        """The schema as it was given, not cleaned up."""
        return self._schema

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Named lists of states."""
        return self._schema.groups

    def _watch(self) -> None:
        self._gate |= WATCHED

    def _unwatch(self) -> None:
        self._gate &= ~WATCHED

    def bind_tracer(self, tracer: Tracer) -> None:
        """Let a tracer listen, after those that do already."""
        self._set_tracers((*self._tracers, tracer))

    def detach_tracer(self, tracer: Tracer) -> None:
        """Let it go; unknown ones are ignored."""
        self._set_tracers(tuple(t for t in self._tracers if t is not tracer))

    @property
    def tracers(self) -> tuple[Tracer, ...]:
        """Who listens, in binding order."""
        return self._tracers

    def _set_tracers(self, tracers: tuple[Tracer, ...]) -> None:
        self._tracers = tracers
        self._time = None
        self._hooks = Hooks(tracers) if tracers else None
        self._gate = self._gate | TRACED if tracers else self._gate & ~TRACED

    def bind(self, handlers: object, *, prefix: str = "", id: str = "") -> str:
        """Bind an object's handler methods, or a map of functions.

        A final handler (`...State`, `...End`) may be a coroutine function: a task that is
        cancelled when its state deactivates; those of Multi states, of `End` and of `AnyState` live
        with Start if the machine has it and it is active, else with the machine. So a handler that
        ends its own state is cancelled at its next await.

        Args:
            handlers: Methods with capital first letters are handlers; others are left alone.
            prefix: Offer only events that start with it, looked up without it.
            id: For `detach`; None makes one up.

        Raises:
            HandlerNameError: A handler fits no state.
            MachineError: A negotiation handler is a coroutine function.
        """
        binding = Binding(id or f"anon-{self._bound:04x}", handlers, prefix, self.names, self.id)
        self._bound += 1
        self._bindings.append(binding)
        self._rebind()
        if self._bound == 1 and self.is_err() and self._error is not None:
            self.add_err(self._error)  # HND-12
        return binding.id

    def detach(self, id: str) -> None:
        """Undo a binding; raises MachineError for an unknown id."""
        left = [b for b in self._bindings if b.id != id]
        if len(left) == len(self._bindings):
            raise MachineError(f"machine {self.id!r} has no binding {id!r}")
        self._bindings = left
        self._rebind()

    def _rebind(self) -> None:
        self._table = HandlerTable(self._compiled.names, self._bindings)
        self._planner.set_table(self._table)
        self._config = self._planner.config(self._config.order)

    # -- mutations

    def add(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Activate states. Idle: carried out, with all it causes, before it returns.

        Returns:
            Executed, Canceled, or the queue tick at which it will run (inside of handlers).

        Raises:
            UnknownStateError: A name isn't in the schema.
        """
        return self._mutate(ADD, states, args, source)

    def remove(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Deactivate states; as `add`."""
        return self._mutate(REMOVE, states, args, source)

    def set(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Make these the active states, and no others; as `add`."""
        return self._mutate(SET, states, args, source)

    def toggle(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Remove the states if all are active, else add them."""
        kind = REMOVE if self.is_(states) else ADD
        return self._mutate(kind, states, args, source)

    def can_add(
        self,
        states: StatesLike,
        args: ArgsLike = None,
        *,
        done: Callable[[Result], None] | None = None,
    ) -> Result:
        """Whether `add` would be accepted now: runs negotiation, changes nothing.

        Inside of handlers the answer is not known yet: 2 is returned and `done` gets it later.
        """
        return self._check(CHECK_ADD, states, args, done)

    def can_remove(
        self,
        states: StatesLike,
        args: ArgsLike = None,
        *,
        done: Callable[[Result], None] | None = None,
    ) -> Result:
        """Whether `remove` would be accepted now; as `can_add`."""
        return self._check(CHECK_REMOVE, states, args, done)

    def add_err(
        self,
        error: BaseException | None,
        args: ArgsLike = None,
        *,
        source: Event | Source | None = None,
    ) -> Result:
        """Activate Exception with an error. None and cancellations are no errors (ERR-2)."""
        return self._add_err((EXCEPTION,), error, args, source)

    def add_err_state(
        self,
        state: str,
        error: BaseException | None,
        args: ArgsLike = None,
        *,
        source: Event | Source | None = None,
    ) -> Result:
        """Activate an error state together with Exception."""
        return self._add_err((state, EXCEPTION), error, args, source)

    async def mutate(
        self,
        op: MutationType,
        states: StatesLike,
        args: ArgsLike = None,
        *,
        source: Event | Source | None = None,
    ) -> Result:
        """The door that a network machine has too; never waits here."""
        if op is MutationType.EVAL:
            raise MachineError("eval is no mutation for others")
        return self._mutate(int(op), states, args, source)

    async def batch(self, ops: Sequence[BatchOp]) -> list[Result]:
        """Several mutations back to back, nothing between them."""
        return [self._mutate(int(o.op), o.states, o.args, o.source) for o in ops]

    def _mutate(
        self, kind: int, states: Any, args: ArgsLike, source: Event | Source | None
    ) -> Result:
        if states.__class__ is not str and states.__class__ is not tuple:
            states = plain(states)
        plan = self._config.by_kind[kind].get(states)
        if plan is not None and not self._gate & _CLOSED_GATE:
            if plan.quick is not None and not self._gate:
                ticks, self._config, result = plan.quick
                clock = self._clock
                for i in ticks:
                    clock[i] += 1
                self.queue_tick += 1
                return result
            return self._perform(plan, as_args(args), _source(source))
        called = self._called(states)
        if self._gate & _CLOSED_GATE:
            return self._queue_up(kind, called, as_args(args), _source(source))
        plan = self._planner.plan(self._config, kind, called)
        if self._planner.is_admitted(plan):
            self._config.by_kind[kind][states] = plan
        return self._perform(plan, as_args(args), _source(source))

    def _queue_up(
        self, kind: int, called: Called, args: Mapping[str, Any], source: Source | None
    ) -> Result:
        """A mutation which comes while another one runs, or after the end."""
        if self._gate & DISPOSED or self._is_full(kind, called):
            return CANCELED
        idle = kind == REMOVE and not self._queue and self._tx is not None
        if idle and not called.mask & self._config.mask:
            return EXECUTED  # MUT-5
        if not args and self._is_duplicate(kind, called):
            return EXECUTED
        return self._enqueue(Mutation(kind, called, args, source))

    def _add_err(
        self,
        states: tuple[str, ...],
        error: BaseException | None,
        args: ArgsLike,
        source: Event | Source | None,
    ) -> Result:
        if error is None or isinstance(error, asyncio.CancelledError):
            return CANCELED
        if self._gate & DISPOSED or len(self._queue) >= self.queue_limit:
            return CANCELED
        called = self._called(states)
        self._error = error
        full = {**as_args(args), ERROR_KEY: error}
        if self._gate & BUSY:
            return self._enqueue(Mutation(ADD, called, full, _source(source)))
        return self._perform(self._planner.plan(self._config, ADD, called), full, _source(source))

    def _is_full(self, kind: int, called: Called) -> bool:
        if len(self._queue) < self.queue_limit:
            return False
        if called.mask >> self._compiled.exception & 1 and kind != SET:
            return (kind == REMOVE) != self.is_err()
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

    def _check(
        self, kind: int, states: StatesLike, args: ArgsLike, done: Callable[[Result], None] | None
    ) -> Result:
        called = self._called(states)
        if self._gate & DISPOSED:
            return CANCELED
        if self._gate & BUSY:
            mutation = Mutation(kind, called, as_args(args))
            mutation.check_done = done
            self._prepend(mutation)
            return Result(2)
        plan = self._planner.plan(self._config, kind, called)
        result = self._perform(plan, as_args(args), None, 0)
        if done is not None:
            done(result)
        return result

    # -- life

    @property
    def is_disposed(self) -> bool:
        """Whether nothing can happen any more."""
        return self._gone

    def when_disposed(self) -> Signal:
        """Closed once disposal is complete."""
        return self._ended

    def on_dispose(self, fn: Callable[[str], None]) -> None:
        """Call `fn(id)` at the end, in the order of registration; now if it is over."""
        if self._gone:
            fn(self.id)
        else:
            self._on_dispose.append(fn)

    def dispose(self) -> None:
        """Remove Start, let the queue end, then go (DSP-1). Inside of handlers: after the drain."""
        if self._disposing:
            return
        if self.is_("Start"):
            self._mutate(REMOVE, "Start", None, None)
        self._disposing = True
        if not self._gate & BUSY:
            self._finish_dispose()

    def _finish_dispose(self) -> None:
        self._gone = True
        self._gate |= DISPOSED
        if self._hooks is not None:
            for hook in self._hooks.machine_dispose:
                hook(self.id)
        self._subs.close_all()
        self._queue.clear()
        self._bindings = []
        self._planner.set_table(HandlerTable(self._compiled.names, ()))
        self._config = self._planner.config(())
        self._clock = [0] * len(self._clock)
        callbacks, self._on_dispose = self._on_dispose, []
        for fn in callbacks:
            fn(self.id)
        self._tasks.cancel_all()
        self._ended.close()

    def _parent_gone(self, _: str) -> None:
        """DSP-4: by the Disposed mixin if there is one."""
        if not self._gone and self.has("Disposing"):
            self.add("Disposing")
        else:
            self.dispose()


def _source(source: Event | Source | None) -> Source | None:
    return source.as_source() if isinstance(source, Event) else source
