"""The engine against a slow machine that was written from the text: histories drawn at random."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from amctl.machine import Limits, Machine, Tracer
from tests.machine.strategies import schemas
from tests.support.reference_machine import Behaviour, Call, ReferenceMachine, ReferenceWhen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amctl.machine import Event, Result, Schema, Signal, Transition

OPS = ("add", "add", "add", "remove", "set", "toggle", "can_add", "can_remove", "add_err")


class BoomError(Exception):
    """What a handler raises."""


class Watcher(Tracer):
    """Looks at every transition of a machine."""

    id = "watcher"

    def __init__(self) -> None:
        self.running = 0
        self.ticks: list[int] = []

    def transition_init(self, tx: Transition) -> None:
        self.running += 1
        assert self.running == 1, "a transition within a transition"

    def mutation_queued(self, machine: Any, mutation: Any) -> None:
        if mutation.queue_tick:  # QUE-1: first in, first out
            self.ticks.append(mutation.queue_tick)

    def transition_end(self, tx: Transition) -> None:
        self.running -= 1
        machine, before, after = tx.machine, tx.time_before, tx.time_after
        if tx.mutation.queue_tick:
            assert tx.mutation.queue_tick == self.ticks.pop(0) == machine.queue_tick
        assert list(after) == machine.time()
        assert all(old <= new for old, new in zip(before, after, strict=True))
        assert [n for n, t in zip(machine.names, after, strict=True) if t % 2] == sorted(
            machine.active, key=machine.names.index
        )
        if not tx.is_accepted and not tx.has_moved:
            assert before == after


class Twin:
    """A machine of the engine with the reference's handlers."""

    def __init__(
        self, schema: Schema, bindings: list[dict[str, Behaviour]], limit: int, **options: Any
    ) -> None:
        self.machine = Machine("m", schema, queue_limit=limit, **options)
        self.log: list[str] = []
        self.waits: list[Signal] = []
        self._depth = 0
        for at, binding in enumerate(bindings):
            self.machine.bind({n: self._handler(at, n, what) for n, what in binding.items()})

    def _handler(self, at: int, name: str, what: Behaviour) -> Callable[[Event], bool | None]:
        count = 0

        def handler(event: Event) -> bool | None:
            nonlocal count
            assert not self._depth, "a handler within a handler"
            self._depth += 1
            try:
                kind = "can_" if event.is_check else ""
                called = " ".join(event.mutation.called_states)
                self.log.append(f"{name}/{at} of {kind}{event.mutation.type} {called}")
                count += 1
                if count > what.times:
                    return None
                for call in what.calls:
                    self.log.append(f"{call.op}: {int(self.call(call))}")
                if what.fails:
                    raise BoomError(f"boom {name}")
                return False if what.vetoes else None
            finally:
                self._depth -= 1

        return handler

    def call(self, call: Call) -> Result:
        m = self.machine
        if call.op == "add_err":
            return m.add_err(BoomError("told"))
        args = {"n": 1} if call.args else None
        result: Result = getattr(m, call.op)(call.states, args)
        return result

    def look(self) -> dict[str, Any]:
        m = self.machine
        return {
            "active": m.active,
            "time": m.time(),
            "queue_tick": m.queue_tick,
            "queue": len(m.queue()),
            "err": str(m.err or ""),
            "log": self.log,
            "waits": [wait.done() for wait in self.waits],
        }


def _look(m: ReferenceMachine) -> dict[str, Any]:
    return {
        "active": m.active,
        "time": list(m.ticks.values()),
        "queue_tick": m.queue_tick,
        "queue": len(m.queue),
        "err": m.err,
        "log": m.log,
        "waits": [wait.done for wait in m.waits],
    }


def _calls(schema: Schema) -> st.SearchStrategy[Call]:
    states = st.lists(st.sampled_from(schema.names), max_size=3).map(tuple)
    return st.builds(Call, st.sampled_from(OPS), states, st.booleans())


def _bindings(schema: Schema, data: st.DataObject) -> list[dict[str, Behaviour]]:
    """Up to two, of a few handlers; vetoes and failures that come back, calls that end."""
    names = schema.names
    parts = ("Enter", "Exit", "State", "State", "End", *names[:4])
    any_name = st.builds(lambda a, b: a + b, st.sampled_from(names), st.sampled_from(parts))
    name = any_name | st.sampled_from(("AnyEnter", "AnyState"))
    some = st.lists(_calls(schema), max_size=2).map(tuple)
    rarely = st.integers(0, 3).map(lambda n: n == 0)
    what = st.builds(Behaviour, some, rarely, rarely, st.integers(1, 3))
    stubborn = st.builds(Behaviour, st.just(()), rarely, rarely, st.just(99))
    return data.draw(st.lists(st.dictionaries(name, what | stubborn, max_size=6), max_size=2))


@contextmanager
def _in_silence() -> Iterator[None]:
    """Handlers fail on purpose."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def check(schema: Schema, data: st.DataObject, length: int) -> None:
    """One history, on machines of every kind."""
    assume(not schema.effective[1])  # it would begin with an error
    bindings = _bindings(schema, data)
    limit = data.draw(st.sampled_from((1000, 1000, 2)))
    reference = ReferenceMachine(schema, bindings, limit)
    twins = [
        Twin(schema, bindings, limit),
        Twin(schema, bindings, limit, limits=Limits(plans=0)),
        Twin(schema, bindings, limit, limits=Limits(plans=6)),
        Twin(schema, bindings, limit, tracers=[Watcher()]),
    ]
    few = data.draw(st.lists(_calls(schema), min_size=1, max_size=5))
    states = st.lists(st.sampled_from(schema.names), min_size=1, max_size=3, unique=True)
    for call in data.draw(st.lists(st.sampled_from(few), max_size=length)):
        if len(reference.waits) < 4:
            names, negated = data.draw(states), data.draw(st.booleans())
            reference.when(names, negated)
            for twin in twins:
                when = twin.machine.when_not if negated else twin.machine.when
                twin.waits.append(when(*names))
        answer = reference.call(call)
        for twin in twins:
            assert int(twin.call(call)) == answer
            assert twin.look() == _look(reference)
        assert all(wait.done for wait in reference.waits if wait.held)


@pytest.mark.slow
@settings(max_examples=60)
@given(schemas(health=True), st.data())
def test_machines_do_as_the_text_says(schema: Schema, data: st.DataObject) -> None:
    with _in_silence():
        check(schema, data, 12)


def test_a_when_of_the_reference_counts_edges() -> None:
    wait = ReferenceWhen(frozenset("A"), set(), negated=False)
    assert not wait.done
