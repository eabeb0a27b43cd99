"""Caches change nothing but speed; and what holds for clocks in any case."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.machine import Limits, Machine, Schema
from amctl.machine.relations import Resolver
from tests.machine.strategies import calls, schemas
from tests.machine.tools import Log, Recorder, mach


def _look(m: Machine) -> tuple[Any, ...]:
    return m.active, m.time(), m.queue_tick, str(m.err)


@pytest.mark.slow
@given(schemas(health=True), st.booleans(), st.data())
def test_cached_uncached_and_traced_machines_agree(
    schema: Schema, handlers: bool, data: st.DataObject
) -> None:
    """Few different calls, so that plans come from the cache, and shortcuts are taken."""
    machines = [
        Machine("a", schema),
        Machine("b", schema, limits=Limits(plans=0)),
        Machine("c", schema, tracers=[Recorder()]),
        Machine("d", schema, limits=Limits(plans=5)),
    ]
    logs = [Log() for _ in machines]
    if handlers:
        names = data.draw(st.lists(st.sampled_from(schema.names), min_size=1, max_size=3))
        for m, log in zip(machines, logs, strict=True):
            log.bind(m, *(n + p for n in names for p in ("Enter", "State", "End")))
    few = data.draw(st.lists(calls(schema), min_size=1, max_size=4))
    waits: list[tuple[Any, ...]] = []
    for op, states in data.draw(st.lists(st.sampled_from(few), max_size=30)):
        if len(waits) < 3:
            waits.append(tuple(m.when(*states[:1]) for m in machines))
        results = {int(getattr(m, op)(states)) for m in machines}
        assert len(results) == 1
        assert len({str(_look(m)) for m in machines}) == 1
        assert len({log.take() for log in logs}) == 1
        assert all(len({s.done() for s in group}) == 1 for group in waits)


@pytest.mark.slow
@given(schemas(), st.data())
def test_clk_1_to_4_clocks_keep_their_word(schema: Schema, data: st.DataObject) -> None:
    m = Machine("m", schema)
    for op, states in data.draw(st.lists(calls(schema), max_size=15)):
        before, was, tick = m.time(), set(m.active), m.queue_tick
        result = getattr(m, op)(states)
        after = m.time()
        assert all(b <= a for b, a in zip(before, after, strict=True))
        assert {n for n, t in zip(m.names, after, strict=True) if t % 2} == set(m.active)
        assert m.queue_tick == tick + (not op.startswith("can"))
        if op.startswith("can"):
            assert after == before
        if result.canceled and op != "remove" and op != "toggle":
            assert (before, was) == (after, set(m.active))
        assert m.time_sum == sum(after)


def test_clk_2_multi_ticks_twice_only_when_called() -> None:
    m = mach("A B C", B="multi", C="add:B")
    m.add("B")
    m.add("A")
    assert m.tick("B") == 1
    m.add("C")
    assert m.tick("B") == 1
    m.add(["A", "B"])
    assert m.tick("B") == 3
    m.set(["B"])
    assert m.tick("B") == 5


def test_a_plan_is_forgotten_when_handlers_come_and_go() -> None:
    m, log = mach("A"), Log()
    for _ in range(4):
        m.add("A")
        m.remove("A")
    log.bind(m, "AState", "AEnd")
    m.add("A")
    m.remove("A")
    assert log.take() == "AState AEnd"
    m.detach(m.bindings[0])
    m.add("A")
    assert log.take() == ""
    assert m.tick("A") == 11


def test_a_kept_plan_knows_that_autos_are_rejected() -> None:
    m = mach("A Au", Au="auto require:Nope")
    for n in range(1, 8):
        m.toggle("A")
        assert m.time() == [n, 0, 0]


def test_machines_of_one_schema_share_plans_until_handlers_come() -> None:
    schema = Schema({"A": {}, "B": {"auto": True, "require": ["A"]}})
    one, two = Machine("one", schema), Machine("two", schema)
    for _ in range(3):
        one.add("A")
        one.remove("A")
    assert two._planner is one._planner
    assert "A" in two._config.known[0]
    two.add("A")
    assert (one.active, two.active) == ([], ["A", "B"])
    log = Log()
    log.bind(two, "AEnd")
    assert two._planner is not one._planner
    one.add("A")
    one.remove("A")
    assert log.take() == ""
    two.remove("A")
    assert "AEnd" in log.take()
    for name in two.bindings:
        two.detach(name)
    assert two._planner is one._planner
    two.dispose_force()
    assert one.add("A").executed


def test_a_resolver_of_ones_own_is_not_shared() -> None:
    class Own(Resolver):
        pass

    schema = Schema({"A": {}})
    one, two = Machine("one", schema), Machine("two", schema, limits=Limits(resolver=Own))
    assert one._planner is not two._planner
    assert type(two._planner.resolver) is Own


def test_the_cache_is_bounded() -> None:
    m = mach("A B C D E F", limits=Limits(plans=8))
    for i in range(64):
        m.set([n for k, n in enumerate("ABCDEF") if i >> k & 1])
        m.set([n for k, n in enumerate("ABCDEF") if i >> k & 1])
    assert len(m._planner._configs) <= 9


def test_interned_calls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amctl.machine.plan.MAX_CALLED", 4)
    m = mach("A B C D E F")
    for i in range(64):
        assert m.set([n for k, n in enumerate("ABCDEF") if i >> k & 1]).executed
        assert len(m._compiled.called) <= 6


@pytest.mark.parametrize("states", [["A"], ("A",), {"A"}, (n for n in ["A"]), "A"])
def test_any_iterable_of_names_will_do(states: Any) -> None:
    m = mach("A B")
    assert m.add(states).executed
    assert m.is_("A")
