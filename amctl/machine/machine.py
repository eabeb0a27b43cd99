"""The machine: mutations, errors, handlers, tracers, schema, and its end."""

from __future__ import annotations

import logging
import random
from _thread import get_ident
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from amctl.machine import registry
from amctl.machine._answering import Answering
from amctl.machine._gates import BUSY, CLOSED
from amctl.machine.args import AException, as_args
from amctl.machine.disposal import Disposal
from amctl.machine.errors import NestedEvalError, SchemaError
from amctl.machine.event import Event, Mutation, Source, as_source
from amctl.machine.limits import Limits
from amctl.machine.pipes import PipeRegistry
from amctl.machine.plan import CHECK_ADD, CHECK_REMOVE
from amctl.machine.relations import ADD, REMOVE, SET
from amctl.machine.result import CANCELED, MutationType, Result
from amctl.machine.schema import EXCEPTION, Schema
from amctl.machine.signals import Signal
from amctl.machine.subscriptions import Subscriptions
from amctl.machine.tasks import HandlerTasks

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
    from concurrent.futures import Future

    from amctl.machine.args import ArgsLike
    from amctl.machine.errors import HandlerTimeoutError
    from amctl.machine.handlers import Action, Handler
    from amctl.machine.reads import StatesLike
    from amctl.machine.states import States
    from amctl.machine.tracer import Hooks, Tracer
    from amctl.machine.view import BatchOp, MachineView

__all__ = ["Machine"]

T = TypeVar("T")
_log = logging.getLogger("amctl.machine")
_INTERNAL_ERRORS = 10


class Machine(Answering):
    """A set of states, many active at once, with a clock for each.

    Mutations are plain calls: on an idle machine they run, with everything they cause, before they
    return; inside of a handler they are queued. Handlers are methods named after state and phase
    (see `bind`). A machine belongs to the thread that made it, and to the loop that runs there, if
    coroutine handlers or waits are used; `post_threadsafe` is the door for other threads.

    Args:
        id: Shown everywhere; empty makes a random one.
        states: A `States` class, a `Schema`, or a map as in SCH-1. If it contradicts itself, the
            machine starts with Exception active (SCH-8).
        names: Index order, when `states` doesn't have one.
        handlers: Bound right away, as by `bind`.
        parent: Its tracers are told of this machine, which ends with it (see `context`).
        parent_id: Instead of `parent`, for a parent elsewhere.
        tags: Labels `key` or `key:value`.
        queue_limit: How many mutations may wait.
        tracers: Told of everything from the start.
        handler_timeout: Seconds that a plain handler may take; its transition is canceled
            afterwards if it took longer (PAN-7). None never looks.
            # differs from Go, where it is 0.1: there, a handler that is late has been stopped;
            # here it has done its work, and may be late because others had the processor.
        context: When it ends, the machine adds Disposing; without that state, or if it is refused,
            the machine disposes of itself (DSP-4). A machine as context ends when it is disposed
            of; None is the parent.
        limits: The rarely used rest.
        now: The stop-watch of handlers, in seconds; None is the clock of the running loop.

    Raises:
        SchemaError: `names` and `states` differ.
        ValueError: `handler_timeout` without `now` and without a loop.
        BindError: See `bind`.
    """

    is_local = True
    """Mutations take effect within the call."""

    def __init__(
        self,
        id: str,
        states: type[States] | Schema | Mapping[str, Any],
        *,
        names: Iterable[str] | None = None,
        handlers: object | None = None,
        parent: MachineView | None = None,
        parent_id: str = "",
        tags: Iterable[str] = (),
        queue_limit: int = 1000,
        tracers: Iterable[Tracer] = (),
        handler_timeout: float | None = None,
        context: Signal | MachineView | None = None,
        limits: Limits = Limits(),  # noqa: B008  # frozen
        now: Callable[[], float] | None = None,
    ) -> None:
        self.id = id or f"{random.getrandbits(64):016x}"
        self.parent_id = parent.id if parent is not None else parent_id
        self.tags = tuple(dict.fromkeys(tags))
        self.queue_limit = queue_limit
        self.handler_timeout = handler_timeout
        self.limits = limits
        self.queue_tick = 1
        self.machine_tick = 0
        self._gone = False
        self.pipes = PipeRegistry()
        self.groups: dict[str, tuple[str, ...]] = {}
        """Named lists of states, for tools."""
        self.on_error: Callable[[Machine, BaseException], None] | None = None
        """Called by `add_err`, before the mutation."""
        self.internal_errors: list[HandlerTimeoutError] = []
        """Errors that no mutation tells about, the first ten (ERR-9)."""
        self._thread = get_ident()
        self._gate = self._pending = self._tokens = self._failures = 0
        self._error = self._tx = self._time = self._idle_signal = self._refusals = None
        self._failed_auto, self._backoff_until = (), 0.0
        schema = _as_schema(states, names)
        self._clock = []
        self._tasks = HandlerTasks(self)
        self._now = now or self._tasks.now
        if handler_timeout is not None and now is None and not self._tasks.is_attached:
            raise ValueError(f"machine {self.id!r}: handler_timeout needs a clock")
        self._subs = Subscriptions(self._watch, self._unwatch, schema.names, self._tasks)
        self._bindings = []
        self._queue = deque()
        self._tracers = ()
        self._failed_tracers = set()
        self._hooks = None
        self._disposed_signal = Signal(what="when_disposed")
        self._disposal = Disposal(self)
        self._install(schema)
        for tracer in tracers:
            self.bind_tracer(tracer)
        self._begin(parent, schema.effective[1])
        if handlers is not None:
            self.bind(handlers)
        self._disposal.follow(context if context is not None else parent)

    def _begin(self, parent: MachineView | None, errors: list[SchemaError]) -> None:
        registry.enrol(self)
        hooks: Hooks | None = getattr(parent, "_hooks", None)  # a mirror has them, too
        for hook in hooks.new_submachine if hooks is not None else ():
            hook(parent, self)
        if self._hooks is not None:
            for hook in self._hooks.machine_init:
                hook(self)
        self._tell_cycle()
        if errors:
            self.add_err(errors[0] if len(errors) == 1 else SchemaError(_lines(errors)))

    def _install(self, schema: Schema) -> None:
        """Work with this schema from now on; its names begin with the present ones."""
        compiled = schema.compiled()
        self._compiled = compiled
        self._bits = compiled.bits
        self._clock += [0] * (len(compiled.names) - len(self._clock))
        self._subs.names = compiled.names
        self._calls = compiled.called
        self._time = None
        self._rebind(self._config.order if hasattr(self, "_config") else ())
        self._exception = self._called((EXCEPTION,))
        self.groups = {**self.groups, **schema.groups}

    # -- mutations

    def add(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Activate states.

        Args:
            states: One name or several.
            args: Typed arguments, a map, or None.
            source: The event (or its exported origin) that led to this call, for tools.

        Returns:
            Executed when all of them are active afterwards; canceled when relations, a handler or
            a full queue refused; queued while another mutation runs.

        Raises:
            UnknownStateError: A name isn't in the schema.
            ForeignThreadError: Called from another thread. Looked at whenever a handler, tracer or
                wait can see the call; not when it is sure to move nothing but clocks.
        """
        return self._call(ADD, states, args, source)

    def remove(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Deactivate states; executed when none of them is active afterwards. See `add`.

        Inside of a handler, removing what is inactive is executed at once, while nothing waits.
        """
        return self._call(REMOVE, states, args, source)

    def set(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Activate these states and deactivate all others. See `add`."""
        return self._call(SET, states, args, source)

    def toggle(
        self, states: StatesLike, args: ArgsLike = None, *, source: Event | Source | None = None
    ) -> Result:
        """Remove the states if all are active, else add them. An empty list is a removal."""
        if not isinstance(states, str):
            states = tuple(states)
        return self._call(REMOVE if self.is_(states) else ADD, states, args, source)

    def can_add(self, states: StatesLike, args: ArgsLike = None) -> Result:
        """Whether `add` would be accepted now: resolves relations and asks negotiation handlers.

        Within a handler the answer comes later: pass an `ACheck` among `args` to get it. With a
        Multi state among the called ones, relations do not count, as in the original (CAN-4).
        """
        return self._ask(CHECK_ADD, states, args)

    def can_remove(self, states: StatesLike, args: ArgsLike = None) -> Result:
        """Whether `remove` would be accepted now. See `can_add`."""
        return self._ask(CHECK_REMOVE, states, args)

    async def mutate(
        self,
        op: MutationType,
        states: StatesLike,
        args: ArgsLike = None,
        *,
        source: Event | Source | None = None,
    ) -> Result:
        """A mutation through the door that local and remote machines share. See `add`."""
        if op == MutationType.EVAL:
            raise ValueError("eval is no mutation of states")
        return self._call(
            int(op), states if isinstance(states, str) else tuple(states), args, source
        )

    async def batch(self, ops: Sequence[BatchOp]) -> list[Result]:
        """Mutations in order, with nothing of this loop in between."""
        return [self._call(int(op.op), op.states, op.args, op.source) for op in ops]

    # -- errors

    @property
    def err(self) -> BaseException | None:
        """The last error ever; removing Exception doesn't clear it."""
        return self._error

    def add_err(
        self,
        err: BaseException | None,
        args: ArgsLike = None,
        *,
        source: Event | Source | None = None,
    ) -> Result:
        """Activate Exception, with the error among the arguments (`AException`), and log it.

        Canceled for None, for CancelledError, and whenever `add` would be (ERR-2).
        """
        return self._add_err((EXCEPTION,), err, args, source)

    def add_err_state(
        self,
        state: str,
        err: BaseException | None,
        args: ArgsLike = None,
        *,
        source: Event | Source | None = None,
    ) -> Result:
        """Activate an error state along with Exception. See `add_err`."""
        return self._add_err((state, EXCEPTION), err, args, source)

    def _add_err(
        self,
        states: tuple[str, ...],
        err: BaseException | None,
        args: ArgsLike,
        source: Event | Source | None,
    ) -> Result:
        called = self._called(states)
        self._check_thread()
        if err is None or _is_cancellation(err) or self._gate & CLOSED or self._backs_off():
            return CANCELED
        if len(self._queue) >= self.queue_limit:
            return CANCELED
        _log.error("machine %s: %s: %s", self.id, type(err).__name__, err)
        self._set_error(err)
        if self.on_error is not None:
            try:
                self.on_error(self, err)
            except Exception:  # PAN-11; telling it by add_err would come back here
                _log.exception("machine %s: on_error failed", self.id)
        plain = {**as_args(args), AException.key(): AException(err)}
        if self._gate & BUSY:
            return self._enqueue(Mutation(ADD, called, plain, as_source(source)))
        return self._perform(self._planner.plan(self._config, ADD, called), plain, source)

    def _start_task(self, coro: Any, handler: Handler, action: Action, event: Event) -> None:
        self._tasks.start(coro, handler, action, event)

    def _misused(self, error: ValueError) -> None:
        self.add_err(error)

    def _internal_error(self, error: HandlerTimeoutError) -> None:
        _log.error("machine %s: %s", self.id, error)
        if len(self.internal_errors) < _INTERNAL_ERRORS:
            self.internal_errors.append(error)

    # -- schema, export, eval

    def set_schema(
        self,
        states: Schema | type[States] | Mapping[str, Any],
        names: Iterable[str] | None = None,
    ) -> None:
        """Grow the schema: more states, behind the present ones (SCH-13). Ticks stay.

        Args:
            states: All the states, present ones included.
            names: Their index order, which begins with the present one; None for a map puts new
                states in its order.

        Raises:
            SchemaError: A transition is running, or the new schema contradicts itself, isn't
                longer, or orders the present states differently.
        """
        old = self.schema
        if names is None and not isinstance(states, Schema | type):
            names = dict.fromkeys((*old.names, *states))
        schema = _as_schema(states, names)
        errors = schema.effective[1]
        if errors:
            raise SchemaError(_lines(errors))
        if self._gate & (BUSY | CLOSED):
            raise SchemaError(f"machine {self.id!r} can't change its schema now")
        if len(schema.names) <= len(old) or schema.names[: len(old)] != old.names:
            raise SchemaError(f"machine {self.id!r}: a new schema has to extend the present one")
        self._install(schema)
        if self._hooks is not None:
            for hook in self._hooks.schema_change:
                hook(self, old)
        self._tell_cycle()

    def export(self) -> dict[str, Any]:
        """The machine's state as plain data (EXP-1)."""
        self._line(3, f"[import] exported at {self.time_sum} ticks")
        return {
            "id": self.id,
            "state_names": list(self.names),
            "time": self.time(),
            "queue_tick": self.queue_tick,
            "machine_tick": self.machine_tick,
            "schema": self.schema.to_dict(),
        }

    def import_(self, data: Mapping[str, Any]) -> None:
        """Take over exported ticks (EXP-2). Nothing fires; MachineRestored is added afterwards.

        Raises:
            SchemaError: Another machine's export, ticks that are none, or a transition is running.
        """
        names, time = tuple(data["state_names"]), [int(tick) for tick in data["time"]]
        if data["id"] != self.id or sorted(names) != sorted(self.names):
            raise SchemaError(f"machine {self.id!r} can't import {data['id']!r}")
        if self._gate & (BUSY | CLOSED):
            raise SchemaError(f"machine {self.id!r} can't import now")
        if len(time) != len(names) or not all(0 <= tick < 1 << 64 for tick in time):
            raise SchemaError(f"machine {self.id!r} can't import these ticks: {time!r:.60}")
        ticks = dict(zip(names, time, strict=True))
        self._clock[:] = [ticks[name] for name in self.names]
        self._time = None
        active = tuple(i for i, tick in enumerate(self._clock) if tick & 1)
        self._config = self._planner.config(active)
        self.machine_tick = int(data["machine_tick"]) + 1
        text = f"imported {self.machine_tick} times, now at {self.time_sum} ticks"
        self._line(2, f"[import] {text}")
        if "MachineRestored" in self.schema:
            self.add("MachineRestored")

    def eval(self, source: str, fn: Callable[[], object]) -> bool:
        """Run `fn` while no mutation runs; mutations that it makes are carried out after it.

        # differs from Go, where it waits for its turn and may time out: here it never has to wait.

        Returns:
            Whether it ran to its end. What it raises is logged and becomes Exception. Once the
            machine is about to be disposed of, it isn't run any more.

        Raises:
            NestedEvalError: Called within a handler or another eval, where it could never wait.
            ValueError: `source`, a name for logs, is empty.
        """
        if not source:
            raise ValueError("eval needs the name of its source")
        self._check_thread()
        if self._gate & BUSY:
            raise NestedEvalError(self.id, source)
        if self._gate & CLOSED:
            return False
        self._line(3, f"[eval] {source}")
        self._line(3, "[prepend:eval] ")
        self._gate |= BUSY
        try:
            self._line(1, f"[exter] eval: {source}")
            fn()
            self._line(5, f"[eval:end] {source}")
            done = True
        except Exception as error:
            _log.error("machine %s: eval %s failed", self.id, source, exc_info=error)
            self.add_err(error)
            done = False
        finally:
            try:
                self._drain()
            finally:
                self._gate &= ~BUSY
                self._tx = None
                self._became_idle()
        return done

    # -- threads, groups, the end

    def post_threadsafe(self, fn: Callable[[], T]) -> Future[T]:
        """Run `fn` on the machine's loop: the one door for other threads.

        Returns:
            A future of the calling thread, with `fn`'s answer.

        Raises:
            RuntimeError: The machine was made outside of a loop, and `attach` wasn't called.
        """
        return self._tasks.post(fn)

    def spawn(self, coro: Coroutine[Any, Any, T], *, name: str = "") -> Task[T]:
        """Start a task that lives as long as the machine; what it raises becomes Exception."""
        return self._tasks.spawn(coro, name=name)

    def attach(self) -> None:
        """Belong to the running loop and its thread from now on."""
        self._tasks.attach()
        self._thread = get_ident()

    def set_groups(
        self, groups: Mapping[str, Iterable[str]], states: type[States] | None = None
    ) -> None:
        """Name lists of states for tools, then the schema's tree under its sets' names (SET-5)."""
        self.groups = {name: tuple(items) for name, items in groups.items()}
        if states is not None:
            self.groups.update(states.tree())

    def dispose(self) -> None:
        """End the machine, in order (DSP-1).

        Start is removed and coroutines of its end may finish; then mutations are refused, tasks are
        cancelled and awaited, subscriptions close, OnDispose callbacks run, `when_disposed` closes.
        Within a running loop that happens in the background; without one, before this returns.
        """
        self._disposal.begin()

    def dispose_force(self) -> None:
        """End the machine now, waiting for nothing (DSP-2)."""
        self._disposal.finish()

    def on_dispose(self, callback: Callable[[str], object]) -> None:
        """Call `callback(id)` at the end of disposal, in order; at once if it is over."""
        self._disposal.add(callback)


def _as_schema(
    states: type[States] | Schema | Mapping[str, Any], names: Iterable[str] | None
) -> Schema:
    if isinstance(states, type):
        states = states.schema()
    if isinstance(states, Schema) and names is None:
        return states
    return Schema(states, names)


def _lines(errors: Iterable[Exception]) -> str:
    return "\n".join(map(str, errors))


def _is_cancellation(err: BaseException) -> bool:
    """ERR-2: the sentinel itself; an error that wraps it counts."""
    from asyncio import CancelledError

    return isinstance(err, CancelledError)
