"""The clock of a mirror, and what follows when it moves.

Order of effects, the same for a diff, a step and a full clock (A1 to A5): the new activity is
worked out; a transition is made up; tracers see its start; clock, ticks and activity are replaced
at once; contexts of states that moved end; final handlers run; tracers see its end; waits are
released. Handlers run after the swap, so what they read is the new clock (L5).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from amctl.machine import (
    Event,
    Hooks,
    MachineError,
    MutationType,
    PipeRegistry,
    Schema,
    Signal,
    Source,
    StateDef,
    Subscriptions,
    TaskSet,
    Tracer,
    registry,
)
from amctl.machine._narrated import narrate
from amctl.machine.handlers import Action, Binding, HandlerTable
from amctl.machine.plan import Planner
from amctl.machine.waits import Waits
from amctl.rpc._transition import MirrorTransition
from amctl.rpc._waits import leave_first, remap

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from amctl.machine import MachineView, States
    from amctl.rpc.wire.events import Stepped

__all__ = ["Mirror"]

_log = logging.getLogger("amctl.rpc.mirror")
_BARE = StateDef()


class Mirror(Waits):
    """A clock that somebody else moves."""

    is_local = False

    def __init__(
        self,
        id: str,
        states: type[States] | Schema | None,
        *,
        parent: MachineView | None,
        tags: Iterable[str],
    ) -> None:
        self.id = id
        self.remote_id = ""
        """Id of the source; known from the first handshake on."""
        self.parent_id = parent.id if parent else ""
        self.tags = tuple(tags)
        self.queue_tick, self.machine_tick = 1, 0
        self.pipes = PipeRegistry()
        self.is_known = states is not None
        """Whether the source's state names are known yet."""
        self.infers = False
        """Whether Require tells of states that are not tracked."""
        self._gone = False
        self._error: BaseException | None = None
        self._tx: MirrorTransition | None = None
        self._tracers: tuple[Tracer, ...] = ()
        self._hooks: Hooks | None = None
        self._unbound: list[tuple[object, str, str, int]] = []
        self._bindings: list[Binding] = []
        self._bound = 0
        self._subs = Subscriptions(_nothing, _nothing)
        self._tasks = TaskSet(id)
        self._ended = Signal(what=f"disposal of {id}")
        self._on_dispose: list[Callable[[str], None]] = []
        schema = states.schema() if isinstance(states, type) else states
        self._use_schema(schema if schema is not None else Schema({}, ()))
        self._clock = [0] * len(self._compiled.names)
        self._begin(parent)

    def _begin(self, parent: MachineView | None) -> None:
        if parent is not None:
            parent.on_dispose(lambda _: self.dispose())
            hooks = getattr(parent, "_hooks", None)
            for hook in hooks.new_submachine if hooks else ():
                hook(parent, self)
            for hook in self._hooks.machine_init if self._hooks else ():
                hook(self)
        registry.enrol(self)  # type: ignore[arg-type]  # mutations come with NetworkMachine

    def _use_schema(self, schema: Schema) -> None:
        self._schema = schema
        self._compiled = schema.compiled()
        self._bits = {name: 1 << i for i, name in enumerate(self._compiled.names)}
        self._table = HandlerTable(self._compiled.names, self._bindings)
        self._planner = Planner(self._compiled, self._table)
        self._config = self._planner.config(())
        self._subs.names = schema.compiled().names

    # -- told by the client

    def install(self, names: Sequence[str], schema: Any) -> None:
        """Take the source's names, and its schema if it told it; a full clock follows."""
        old, old_names, active = self._schema, self.names, self.active
        before = dict(zip(old_names, self._clock, strict=True))
        self.is_known = True
        self._use_schema(
            Schema.from_dict(schema, names)
            if schema
            else Schema(dict.fromkeys(names, _BARE), names)
        )
        if self.names != old_names:
            remap(self._subs, old_names, self._compiled.index)
        self._clock = [before.get(name, 0) for name in self._compiled.names]
        index = self._compiled.index
        self._config = self._planner.config(tuple(index[n] for n in active if n in index))
        unbound, self._unbound = self._unbound, []
        for handlers, prefix, id, number in unbound:
            self._add_binding(handlers, prefix, id, number)
        for hook in self._hooks.schema_change if self._hooks else ():
            hook(self, old)

    def set_remote(self, remote_id: str) -> None:
        """Note whose mirror this is."""
        self.remote_id = remote_id
        tags = [tag for tag in self.tags if not tag.startswith("src-id:")]
        self.tags = (*tags, f"src-id:{remote_id}")

    def apply(
        self,
        ticks: Sequence[int],
        queue_tick: int,
        machine_tick: int,
        step: Stepped | None = None,
        moved: Sequence[int] | None = None,
    ) -> None:
        """Move to an absolute clock; does nothing if it is the present one.

        Args:
            ticks: By state; they are copied.
            queue_tick: Of the source.
            machine_tick: Of the source.
            step: The transition behind it, in per-mutation mode.
            moved: Indexes of the ticks that grew; None if that isn't known.
        """
        if self._gone:
            return
        before, was = self._clock, self._config
        now = list(ticks)
        if len(now) < len(before):
            now.append(0)  # Exception, which every machine has, was not among the names
        full = moved is None
        if moved is None:
            moved = [i for i, tick in enumerate(now) if tick != before[i]]
        if not moved and queue_tick == self.queue_tick and machine_tick == self.machine_tick:
            return
        turned = full
        for i in moved:
            turned = turned or bool((now[i] ^ before[i]) & 1)
        order = self._active_order(now) if turned else was.order
        tx = self._transition(step, order, before, now, queue_tick) if self._needs_tx() else None
        hooks = self._hooks
        for hook in (*hooks.transition_init, *hooks.transition_start) if hooks else ():
            hook(tx)
        if queue_tick < self.queue_tick:
            self._subs.flush_queue()
        self._clock, self.queue_tick, self.machine_tick = now, queue_tick, machine_tick
        self._config = is_ = self._planner.config(order) if turned else was
        self._after_swap(tx, was.mask, is_.mask, moved)

    def _after_swap(
        self, tx: MirrorTransition | None, was: int, is_: int, ticked: Sequence[int]
    ) -> None:
        hooks, moved = self._hooks, was ^ is_
        touched = list(ticked)
        if moved:
            touched += [i for i in range(moved.bit_length()) if moved >> i & 1]
        self._subs.cancel_contexts(touched)
        for hook in hooks.transition_finals if hooks else ():
            hook(tx)
        if moved and self._bindings and tx is not None:
            self._tx = tx
            try:
                self._run_handlers(tx, moved & is_, moved & was)
            finally:
                self._tx = None
        if tx is not None:
            tx.is_completed = True
        for hook in hooks.transition_end if hooks else ():
            hook(tx)
        for hook in hooks.queue_end if hooks else ():
            hook(self)
        touched = list(dict.fromkeys(touched))
        enters = [i for i in touched if is_ >> i & 1]
        exits = [i for i in touched if not is_ >> i & 1]
        leave_first(self._subs, enters, exits)
        self._subs.process(enters, exits, self._clock, self.queue_tick)

    def _needs_tx(self) -> bool:
        return self._hooks is not None or bool(self._bindings)

    def _active_order(self, ticks: Sequence[int]) -> tuple[int, ...]:
        order = tuple([i for i, tick in enumerate(ticks) if tick & 1])
        if not self.infers:
            return order
        require, mask = self._compiled.require, 0
        todo = list(order)
        while todo:
            i = todo.pop()
            if not mask >> i & 1:
                mask |= 1 << i
                needs, size = require[i], len(ticks)
                todo += [j for j in range(size) if needs >> j & 1]
        return tuple(i for i in range(len(ticks)) if mask >> i & 1)

    def _transition(
        self,
        step: Stepped | None,
        order: tuple[int, ...],
        before: Sequence[int],
        now: Sequence[int],
        queue_tick: int,
    ) -> MirrorTransition:
        kind, called = MutationType.SET, order
        if step is not None:
            kind = MutationType(step.type) if step.type in (0, 1, 2) else kind
            called = tuple(i for i in step.called if 0 <= i < len(now))
        return MirrorTransition(
            self,
            kind,
            self._planner.called(called),
            (self._config.order, order),
            (tuple(before), tuple(now)),
            queue_tick,
            Source(self.remote_id),
        )

    # -- handlers

    def _run_handlers(self, tx: MirrorTransition, entered: int, ended: int) -> None:
        table = self._table
        actions = [table.state[i] for i in range(entered.bit_length()) if entered >> i & 1]
        actions += [table.end[i] for i in range(ended.bit_length()) if ended >> i & 1]
        actions.append(table.any_state)
        for action in actions:
            if action is not None:
                self._run_action(action, tx)

    def _run_action(self, action: Action, tx: MirrorTransition) -> None:
        event = Event(action.name, tx.args, tx)
        hooks = self._hooks
        for handler in action.handlers:
            for hook in hooks.handler_start if hooks else ():
                hook(tx, handler.binding, handler.name)
            try:
                answer = handler.fn(event)
                if handler.is_coroutine:
                    self._spawn_handler(answer, action)
            except Exception as error:
                # the mirror must move on whatever handlers do; the client's machine shows it
                self._failed(action, error)
            for hook in hooks.handler_end if hooks else ():
                hook(tx, handler.binding, handler.name)

    def _failed(self, action: Action, error: Exception) -> None:
        _log.error("%s: handler %s failed: %s", self.id, action.name, error, exc_info=error)
        self.handler_failed(error)

    def handler_failed(self, error: Exception) -> None:
        """Implemented by NetworkMachine."""
        raise NotImplementedError

    def _spawn_handler(self, coro: Coroutine[Any, Any, Any], action: Action) -> None:
        """A coroutine lives as long as its state; of Multi states, End and Any: as the mirror."""
        task = self._tasks.spawn(self._guard(coro, action), name=f"{self.id}.{action.name}")
        # a task that is cancelled before its first step never comes to the coroutine
        task.add_done_callback(lambda _: coro.close())
        state = action.state
        if action.phase == "State" and not self._compiled.multi >> state & 1:
            self._subs.context(state, self.names[state], self._clock[state]).hold(task)

    async def _guard(self, coro: Coroutine[Any, Any, Any], action: Action) -> None:
        try:
            await coro
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._failed(action, error)

    def bind(self, handlers: object, *, prefix: str = "", id: str = "") -> str:
        """Bind final handlers; as with Machine, but negotiation handlers never run.

        Raises:
            HandlerNameError: A handler fits no state. While the names are not known yet this is
                found at the first handshake, and logged.
        """
        number = self._bound
        id = id or f"anon-{number:04x}"
        self._bound += 1
        if self.is_known:
            binding = Binding(id, handlers, prefix, self.names, self.id, number)
            self._bindings.append(binding)
            self._rebind()
        else:
            self._unbound.append((handlers, prefix, id, number))
        return id

    def _add_binding(self, handlers: object, prefix: str, id: str, number: int) -> None:
        try:
            self._bindings.append(Binding(id, handlers, prefix, self.names, self.id, number))
        except MachineError as error:
            _log.error("%s: %s (%s)", self.id, error, error.hint)
        self._rebind()

    def detach(self, id: str) -> None:
        """Undo a binding; raises MachineError for an unknown id."""
        before = len(self._bindings) + len(self._unbound)
        self._bindings = [b for b in self._bindings if b.id != id]
        self._unbound = [one for one in self._unbound if one[2] != id]
        if len(self._bindings) + len(self._unbound) == before:
            raise MachineError(f"machine {self.id!r} has no binding {id!r}")
        self._rebind()

    def _rebind(self) -> None:
        self._table = HandlerTable(self._compiled.names, self._bindings)

    # -- what machines have

    @property
    def schema(self) -> Schema:
        """The source's schema; without relations if it was not told."""
        return self._schema

    @property
    def transition(self) -> MirrorTransition | None:
        """The one whose handlers run now."""
        return self._tx

    @property
    def err(self) -> BaseException | None:
        """The last error of this end; the source's own are not known here."""
        return self._error

    @property
    def tracers(self) -> tuple[Tracer, ...]:
        """Who listens, in binding order."""
        return self._tracers

    def bind_tracer(self, tracer: Tracer) -> None:
        """Let a tracer listen, after those that do already. What it raises is logged."""
        self._set_tracers((*self._tracers, tracer))

    def detach_tracer(self, tracer: Tracer) -> None:
        """Let it go; unknown ones are ignored."""
        self._set_tracers(tuple(t for t in self._tracers if t is not tracer))

    def _set_tracers(self, tracers: tuple[Tracer, ...]) -> None:
        self._tracers = tracers
        self._hooks = Hooks(tracers, self._tracer_failed) if tracers else None
        listens = self._hooks is not None and self._hooks.log_line
        narrate(self._subs, self._say if listens else None)

    def _say(self, text: str, level: int = 3) -> None:
        for hook in self._hooks.log_line if self._hooks else ():
            hook(self, level, text)

    def _tracer_failed(self, tracer: Tracer, error: Exception) -> None:
        _log.error("%s: tracer %s failed", self.id, tracer.id, exc_info=error)

    def log(self, text: str, *args: object) -> None:
        """Write a line for whoever reads this mirror's log; as with Machine."""
        message = text % args if args else text
        _log.info("%s: %s", self.id, message)
        self._say(f"[exter] {' '.join(message.splitlines())}", 1)

    def when_time(self, states: Sequence[str], ticks: Sequence[int]) -> Signal:
        """Closed when each state's tick has been reached; at once, with an error logged, if the
        lists differ in length (L1)."""
        if len(states) != len(ticks) or not states:
            self._error = ValueError("when_time: states and ticks differ in length")
            _log.error("%s: %s", self.id, self._error)
            return Signal(True)
        return super().when_time(states, ticks)

    def spawn(self, coro: Coroutine[Any, Any, Any], *, name: str = "") -> asyncio.Task[Any]:
        """Start a task that lives as long as the mirror."""
        return self._tasks.spawn(coro, name=name)

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
        """End the mirror: tracers are told, callbacks run, waits close."""
        if self._gone:
            return
        self._gone = True
        for hook in self._hooks.machine_dispose if self._hooks else ():
            hook(self.id)
        self._subs.close_all()
        self._bindings, self._unbound = [], []
        self._config = self._planner.config(())
        callbacks, self._on_dispose = self._on_dispose, []
        for fn in callbacks:
            fn(self.id)
        self._tasks.cancel_all()
        self._ended.close()


def _nothing() -> None:
    pass
