"""How pipes deliver: one queue of batches for each target, and what each binding remembers."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from amctl.machine import BatchOp, Machine, MutationType, Result, Source, TaskSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amctl.machine import Event, MachineView

__all__ = ["Binding", "Inlet", "Pair", "Remote", "add_op", "inlet_of", "repeats"]

_log = logging.getLogger("amctl.states.pipes")
_ADD, _REMOVE = MutationType.ADD, MutationType.REMOVE


class Remote(Protocol):
    """What pipes need of a network machine beyond MachineView."""

    @property
    def is_known(self) -> bool: ...
    def on_connected(self, fn: Callable[[bool], None]) -> None: ...


class Pair(NamedTuple):
    state: str
    active: str
    """Added to the target when `state` activates; empty: nothing."""
    inactive: str
    """Removed from the target when `state` ends; empty: nothing."""


class _Batch:
    """What one source transition asks of one target."""

    __slots__ = ("cause", "done", "ops")

    def __init__(self, cause: object) -> None:
        self.cause = cause
        self.ops: list[BatchOp] = []
        self.done: asyncio.Future[list[Result]] | None = None


class Inlet:
    """The one way into a target: batches in order."""

    def __init__(self, target: MachineView) -> None:
        self._target = weakref.ref(target)
        self._id = target.id
        self._batches: deque[_Batch] = deque()
        self._scheduled = False
        self._tasks = TaskSet(f"pipes to {target.id}")
        self._bindings: list[Binding] = []
        self._missed = False
        if not target.is_local:
            cast("Remote", target).on_connected(self._connected)

    def follow(self, binding: Binding) -> None:
        """Make good what this binding misses."""
        self._bindings.append(binding)

    def leave(self, binding: Binding) -> None:
        """Forget a binding."""
        if binding in self._bindings:
            self._bindings.remove(binding)

    def put(self, cause: object, op: BatchOp) -> None:
        """Add to the batch of one transition."""
        if not self._batches or self._batches[-1].cause is not cause:
            self._batches.append(_Batch(cause))
        self._batches[-1].ops.append(op)
        self._schedule()

    def put_all(self, ops: list[BatchOp]) -> _Batch:
        """Add a batch of its own."""
        batch = _Batch(object())
        batch.ops = ops
        self._batches.append(batch)
        return batch

    def _schedule(self) -> None:
        if self._scheduled:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()  # a machine that is used without a loop: nothing could come later
            return
        self._scheduled = True
        loop.call_soon(self.flush)

    def flush(self) -> None:
        """Deliver now (local), or have the queue's task deliver (network)."""
        self._scheduled = False
        target = self._target()
        if target is None or target.is_disposed:
            self._batches.clear()
        elif isinstance(target, Machine):
            while self._batches:
                self._deliver(target, self._batches.popleft())
        elif self._batches and not len(self._tasks):
            self._tasks.spawn(self._send_all(), name=self._tasks.name)

    def _deliver(self, target: Machine, batch: _Batch) -> None:
        results = []
        for op in batch.ops:
            change = target.add if op.op is _ADD else target.remove
            results.append(change(op.states, op.args, source=op.source))
        self._settle(batch, results)

    def _settle(self, batch: _Batch, results: list[Result]) -> None:
        for op, result in zip(batch.ops, results, strict=True):
            if result.canceled:
                verb, names = op.op.name.lower(), " ".join(op.states)
                _log.info("%s rejected a pipe: %s %s", self._id, verb, names)
        if batch.done is not None and not batch.done.done():
            batch.done.set_result(results)

    async def _send_all(self) -> None:
        while self._batches:
            batch, target = self._batches.popleft(), self._target()
            if target is None or target.is_disposed:
                return
            try:
                self._settle(batch, await target.batch(batch.ops))
            except Exception as error:
                self._missed = True
                what = ", ".join(f"{op.op.name.lower()} {' '.join(op.states)}" for op in batch.ops)
                _log.warning("%s missed a pipe: %s: %s", self._id, what, error)
                if batch.done is not None and not batch.done.done():
                    batch.done.set_exception(error)

    def _connected(self, resumed: bool) -> None:
        target = self._target()
        if target is None or (resumed and not self._missed):
            return
        self._missed = False
        ops = [op for binding in self._bindings for op in binding.present(target)]
        if ops:
            self.put_all(ops)
            self._schedule()


_inlets: weakref.WeakKeyDictionary[Any, Inlet] = weakref.WeakKeyDictionary()


def inlet_of(target: MachineView) -> Inlet:
    found = _inlets.get(target)
    if found is None:
        found = _inlets[target] = Inlet(target)
    return found


class Binding:
    """Handlers on the source that feed an inlet."""

    def __init__(self, source: MachineView, inlet: Inlet, pairs: list[Pair]) -> None:
        self._source = weakref.ref(source)
        self._inlet = inlet
        self._by_state: dict[str, list[Pair]] = {}
        for pair in pairs:
            self._by_state.setdefault(pair.state, []).append(pair)
        self._with: dict[str, tuple[Mapping[str, Any], Source]] = {}

    def handlers(self) -> dict[str, Callable[[Event], None]]:
        """One State and one End handler for each piped state."""
        found: dict[str, Callable[[Event], None]] = {}
        for state, pairs in self._by_state.items():
            if added := [pair.active for pair in pairs if pair.active]:
                found[f"{state}State"] = self._entered(state, added)
            if removed := [pair.inactive for pair in pairs if pair.inactive]:
                found[f"{state}End"] = self._ended(state, removed)
        return found

    def _entered(self, state: str, added: list[str]) -> Callable[[Event], None]:
        def pipe(e: Event) -> None:
            source = e.as_source()
            self._with[state] = e.raw, source
            for name in added:
                self._inlet.put(e.transition, add_op(name, e.raw, source))

        return pipe

    def _ended(self, state: str, removed: list[str]) -> Callable[[Event], None]:
        def pipe(e: Event) -> None:
            self._with.pop(state, None)
            for name in removed:
                op = BatchOp(_REMOVE, (name,), e.raw, e.as_source())
                self._inlet.put(e.transition, op)

        return pipe

    def present(self, target: MachineView) -> list[BatchOp]:
        """What brings the target to the present state of the source; triggers left out."""
        source = self._source()
        if source is None or source.is_disposed:
            return []
        ops = []
        for state, pairs in self._by_state.items():
            args, cause = self._with.get(state, ({}, Source(source.id)))
            for pair in pairs:
                if not pair.inactive:
                    continue
                if not source.is_(state):
                    ops.append(BatchOp(_REMOVE, (pair.inactive,), None, cause))
                elif pair.active and not repeats(target, pair.active):
                    ops.append(add_op(pair.active, args, cause))
        return ops


def add_op(state: str, args: Mapping[str, Any] | None, source: Source | None) -> BatchOp:
    states = ("Exception", state) if state.startswith("Err") else (state,)
    return BatchOp(_ADD, states, args, source)


def repeats(target: MachineView, state: str) -> bool:
    """Whether adding would only make an active multi state tick again."""
    known = target.schema.get(state)
    return known is not None and known.multi and target.is_(state)
