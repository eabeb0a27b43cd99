"""A machine once more, as the text has it: names in lists, no masks, no plans, nothing fast.

It was written from the specification, not from the engine, and knows what decides about states:
the queue, relations, negotiation, clocks, auto states, failing handlers, and waits for states.
Handlers are data, so that both machines can have the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.reference_resolver import exits, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.machine import Schema

__all__ = ["Behaviour", "Call", "ReferenceMachine", "ReferenceWhen"]

EXECUTED, CANCELED = 0, 1
_TRIES = 10


@dataclass(frozen=True)
class Call:
    """Something asked of a machine: add, remove, set, toggle, can_add, can_remove, add_err."""

    op: str
    states: tuple[str, ...] = ()
    args: bool = False
    """Whether it comes with arguments; of an error, which has some always, it is no matter."""


@dataclass(frozen=True)
class Behaviour:
    """What a handler does in its first calls; later it does nothing."""

    calls: tuple[Call, ...] = ()
    fails: bool = False
    vetoes: bool = False
    times: int = 1


@dataclass
class _Item:
    """A mutation that waits, or runs."""

    kind: str
    called: tuple[str, ...]
    args: bool = False
    auto: bool = False
    check: bool = False
    normal: bool = True

    def __str__(self) -> str:
        return f"{'can_' * self.check}{self.kind} {' '.join(self.called)}"


@dataclass
class ReferenceWhen:
    """A wait for states, which counts edges (SUB-1)."""

    states: frozenset[str]
    seen: set[str]
    negated: bool
    done: bool = False
    held: bool = False
    """Whether the states were so at the end of a transition; then it must be done."""


class _FailedError(Exception):
    """What a handler raises."""


@dataclass
class ReferenceMachine:
    """Args:
    raw: The schema.
    bindings: Handlers by name, in order.
    limit: How many mutations may wait.
    """

    raw: Schema
    bindings: Sequence[dict[str, Behaviour]] = ()
    limit: int = 1000
    active: list[str] = field(default_factory=list)
    queue: list[_Item] = field(default_factory=list)
    queue_tick: int = 1
    err: str = ""
    log: list[str] = field(default_factory=list)
    """Each handler that ran, with the mutation that it ran for."""
    waits: list[ReferenceWhen] = field(default_factory=list)
    _running: bool = False
    _count: dict[tuple[int, str], int] = field(default_factory=dict)
    _failures: tuple[tuple[str, ...], int] = ((), 0)

    def __post_init__(self) -> None:
        self.schema = self.raw.effective[0]
        self.ticks = dict.fromkeys(self.schema.names, 0)

    # -- from outside

    def when(self, states: Sequence[str], negated: bool) -> ReferenceWhen:
        """A wait for these states."""
        seen = {s for s in states if (s in self.active) is not negated}
        wait = ReferenceWhen(frozenset(states), seen, negated, seen == {*states})
        self.waits.append(wait)
        return wait

    def call(self, call: Call) -> int:
        """The answer: 0, 1, or the queue tick."""
        called, op = tuple(dict.fromkeys(call.states)), call.op
        if op == "add_err":
            return self._add_err()
        if op == "toggle":
            op = "remove" if all(s in self.active for s in called) else "add"
        check = op.startswith("can_")
        item = _Item(op.removeprefix("can_"), called, call.args, check=check, normal=not check)
        if not self._running:
            return self._drain(item)
        if check:
            self.queue.insert(0, item)
            return 2
        return self._judge(item)

    def _add_err(self) -> int:
        if len(self.queue) >= self.limit:
            return CANCELED
        self.err = "told"
        item = _Item("add", ("Exception",), args=True)
        return self._append(item) if self._running else self._drain(item)

    def _judge(self, item: _Item) -> int:
        """QUE-6, MUT-5, QUE-5, QUE-4, in this order."""
        if len(self.queue) >= self.limit:
            free = item.kind != "set" and "Exception" in item.called
            if not free or ("Exception" in self.active) is (item.kind == "add"):
                return CANCELED
        removes_nothing = item.kind == "remove" and not any(s in self.active for s in item.called)
        if removes_nothing and not self.queue:
            return EXECUTED
        multi = any(self.schema[s].multi for s in item.called)
        for other in self.queue:
            same = {*other.called} == {*item.called} and other.kind == item.kind
            if same and not (multi or item.args or other.args or other.check):
                return EXECUTED
        return self._append(item)

    def _append(self, item: _Item) -> int:
        self.queue.append(item)
        return self.queue_tick + sum(i.normal for i in self.queue)

    def _drain(self, first: _Item) -> int:
        self._running = True
        self._failures = ((), 0)
        self.queue.append(first)
        results = []
        while self.queue:
            item = self.queue.pop(0)
            self.queue_tick += item.normal
            results.append(_Transition(self, item).run())
        self._running = False
        return results[0]

    # -- of transitions

    def handlers(self, name: str) -> Iterator[tuple[int, Behaviour]]:
        """What answers to a name, binding by binding."""
        for i, binding in enumerate(self.bindings):
            if name in binding:
                yield i, binding[name]

    def run(self, at: int, name: str, what: Behaviour, item: _Item) -> bool:
        """One handler; whether it lets the transition pass."""
        self.log.append(f"{name}/{at} of {item}")
        times = self._count[at, name] = self._count.get((at, name), 0) + 1
        if times > what.times:
            return True
        for call in what.calls:
            self.log.append(f"{call.op}: {self.call(call)}")
        if what.fails:
            raise _FailedError
        return not what.vetoes

    def failed(self, name: str, item: _Item) -> bool:
        """PAN-2, PAN-6: whether Exception comes of it."""
        if "Exception" in item.called:
            return False
        self.err = f"boom {name}"
        self.queue.insert(0, _Item("add", ("Exception",), args=True, normal=False))
        return True

    def try_auto(self) -> None:
        """AUT-2, and PAN-10."""
        kept_out = {s for a in self.active for s in self.schema[a].remove}
        names = [s for s in self.schema.names if self.schema[s].auto]
        called = tuple(s for s in names if s not in self.active and s not in kept_out)
        if called and (*self._failures[:1], self._failures[1] >= _TRIES) != (called, True):
            self.queue.insert(0, _Item("add", called, auto=True, normal=False))

    def auto_ended(self, called: tuple[str, ...], failed: bool) -> None:
        """PAN-10."""
        same = self._failures[1] if self._failures[0] == called else 0
        self._failures = (called, same + 1) if failed else ((), 0)

    def moved(self, enters: list[str], gone: list[str]) -> None:
        """SUB-1: first who enters, then who leaves."""
        for wait in self.waits:
            for s, off in [*((s, False) for s in enters), *((s, True) for s in gone)]:
                if s not in wait.states:
                    continue
                if off is wait.negated:
                    wait.seen.add(s)
                    wait.done |= wait.seen == wait.states
                else:
                    wait.seen.discard(s)
            wait.held |= all((s in self.active) is not wait.negated for s in wait.states)


class _VetoedError(Exception):
    """The transition is canceled."""


class _Transition:
    def __init__(self, machine: ReferenceMachine, item: _Item) -> None:
        self.m, self.item = machine, item
        self.called: Sequence[str] = item.called
        self.raised = False
        self.schema, self.before = machine.schema, list(machine.active)
        self.broken = False
        self.targets = resolve(self.schema, item.kind, list(item.called), self.before)

    def run(self) -> int:
        """Section 8."""
        item, m = self.item, self.m
        accepted = self._accepted()
        if accepted:
            try:
                self._negotiate()
            except _VetoedError:
                accepted = False
        if accepted and not item.check:
            accepted = self._carry_out()
        if item.auto and (self.broken or accepted):
            m.auto_ended(item.called, self.broken)
        if not accepted:
            return CANCELED
        stays = not item.check and any(s in self.targets for s in item.called)
        return CANCELED if item.kind == "remove" and stays else EXECUTED

    def _accepted(self) -> bool:
        """REL-13, REL-14, CAN-4."""
        item = self.item
        if item.kind == "remove":
            return True
        if item.auto:
            return any(s in self.targets for s in item.called)
        if item.check and any(self.schema[s].multi for s in item.called):
            return True
        return all(s in self.targets for s in item.called)

    def _enters(self, called: Sequence[str]) -> list[str]:
        again = [s for s in called if self.schema[s].multi]
        return [s for s in self.targets if s not in self.before or s in again]

    # -- negotiation (HND-2, NEG-1, NEG-3)

    def _negotiate(self) -> None:
        item, left = self.item, list(self.targets)
        for s in exits(self.schema, self.targets, self.before):
            self._need(f"{s}Exit")
        for s in self._enters(item.called):
            self._try(f"{s}Enter", s, left)
        if item.kind != "remove":
            self._selves(left)
        for x in self.before:
            at = 0
            while at < len(left):  # by position, whatever is dropped meanwhile
                if x != left[at]:
                    self._try(x + left[at], left[at], left)
                at += 1
        self._need("AnyEnter")
        if item.auto:  # TX-7
            called = [s for s in item.called if s in left]
            self.targets = resolve(self.schema, "add", called, self.before)
            self.called = called
            if not self.targets:
                raise _VetoedError

    def _selves(self, left: list[str]) -> None:
        at, answer = 0, True
        while at < len(left):
            s = left[at]
            if s in self.before:
                answer = self._try(s + s, s, left)
            at += 1
        if not answer:
            raise _VetoedError

    def _need(self, name: str) -> None:
        if not self._ask(name):
            raise _VetoedError

    def _try(self, name: str, state: str, left: list[str]) -> bool:
        if self._ask(name):
            return True
        if not (self.item.auto and self.schema[state].auto):
            raise _VetoedError
        left.remove(state)
        return False

    def _ask(self, name: str) -> bool:
        for at, what in self.m.handlers(name):
            if self.broken:
                return False
            try:
                passes = self.m.run(at, name, what, self.item)
            except _FailedError:
                self.broken = True
                self.m.failed(name, self.item)
                return False
            if not passes:
                return False
        return True

    # -- effect

    def _carry_out(self) -> bool:
        m, item = self.m, self.item
        gone, enters = exits(self.schema, self.targets, self.before), self._enters(self.called)
        for s in gone + enters:
            m.ticks[s] += 2 if s in enters and s in self.before else 1
        m.active = list(self.targets)
        if self.broken:  # an auto transition that lost a state to a failure
            return False
        names = [f"{s}End" for s in gone] + [f"{s}State" for s in enters] + ["AnyState"]
        for at, name in enumerate(names):
            if not self._final(name):
                failed = enters[at - len(gone)] if len(gone) <= at < len(names) - 1 else ""
                self._recover(name, failed, enters, gone)
                return False
        if gone + enters and not item.auto and not self._is_health():
            m.try_auto()
        m.moved(enters, gone)
        return True

    def _is_health(self) -> bool:
        item = self.item
        return item.kind == "add" and item.called in (("Healthcheck",), ("Heartbeat",))

    def _final(self, name: str) -> bool:
        for at, what in self.m.handlers(name):
            try:
                self.m.run(at, name, what, self.item)
            except _FailedError:
                self.broken = True
                self.raised = self.m.failed(name, self.item)
                return False
        return True

    def _recover(self, name: str, failed: str, enters: list[str], gone: list[str]) -> None:
        """PAN-4 to PAN-6, and PAN-9 as mended."""
        m = self.m
        dropped = enters[enters.index(failed) :] if failed else []
        passes = (name != "AnyState") + self.raised
        for s in dropped:
            m.ticks[s] += 1
        m.active = [s for s in self.targets if s not in dropped]
        for s in m.active:
            if s in self.item.called and self.schema[s].multi:
                m.ticks[s] += 2 * passes
        left = [s for s in dropped if s in self.before]
        m.moved([s for s in enters if s not in dropped], [*gone, *left])
