"""Rules of mutations and their queue that no recorded case shows (sections 5, 6, 15)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from amctl.machine import Limits, Machine, Mutation, MutationType, Result
from tests.machine.tools import Log, Recorder, mach, no

ADD, REMOVE = MutationType.ADD, MutationType.REMOVE


def inside(m: Machine, body: Any) -> Any:
    """What `body()` gives inside of a handler, where mutations wait."""
    got: list[Any] = []
    binding = m.bind({"GoState": lambda _: got.append(body())})
    m.add("Go")
    m.detach(binding)
    return got[0]


def test_mut_1_one_name_several_and_repeated_ones() -> None:
    m = mach("A B")
    ended = Recorder()
    m.bind_tracer(ended)
    assert m.add("A").executed
    assert m.add(["B", "A", "B"]).executed
    assert m.remove(("A",)).executed
    assert m.set({"B"}).executed
    called = [tx.called_states for tx in ended.ended]
    assert called == [("A",), ("B", "A"), ("A",), ("B",)]
    assert m.toggle(["B", "B"]).executed
    assert m.active == []


async def test_mut_6_canceled_at_once_in_backoff_but_for_set() -> None:
    m, told = mach("A"), Recorder()
    m.bind_tracer(told)
    m._back_off()
    refused = [m.add("A"), m.remove("A"), m.can_add("A"), m.can_remove("A")]
    refused += [m.add_err(ValueError("x")), m.add_err_state("A", ValueError("x"))]
    assert [int(r) for r in refused] == [1] * 6
    assert told.take() == []
    assert m.set("A").executed


def test_mut_6_canceled_at_once_when_disposing_with_a_source_too() -> None:
    m, n = mach("A"), mach("A")
    n.dispose_force()
    sourced: list[Result] = []
    m.bind({"AState": lambda e: sourced.append(n.add("A", source=e))})
    m.add("A")
    everything = [n.add("A"), n.remove("A"), n.set("A"), n.toggle("A"), *sourced]
    assert all(r.canceled for r in everything)


def test_que_1_first_come_first_served_and_one_drain_at_a_time() -> None:
    m, log = mach("A B C Go"), Log()
    log.bind(m, "BState", "CState", AState=lambda _: m.add("C"), GoState=lambda _: _both(m))
    m.add("Go")
    assert log.take() == "GoState AState BState CState"


def _both(m: Machine) -> None:
    m.add("A")
    m.add("B")


def test_que_2_a_canceled_item_is_taken_off_and_the_next_one_runs() -> None:
    m = mach("A B Go", handlers={"AEnter": no})
    tick = m.queue_tick
    results = inside(m, lambda: [m.add("A"), m.add("B")])
    assert [int(r) for r in results] == [tick + 2, tick + 3]
    assert (m.queue_tick, m.is_("A"), m.is_("B")) == (tick + 3, False, True)


def test_que_2_a_subscription_is_looked_at_before_the_next_item() -> None:
    m = mach("A B Go")
    seen: list[bool] = []
    first = m.when("A")
    m.bind({"BState": lambda _: seen.append(first.done())})
    inside(m, lambda: [m.add("A"), m.add("B")])
    assert seen == [True]


def test_que_5_and_6_a_duplicate_offered_to_a_full_queue_is_canceled() -> None:
    """Errata: judged are fullness, a removal of nothing, a duplicate, in this order."""
    m = mach("A B Go", queue_limit=1)
    results = inside(m, lambda: [m.add("A"), m.add("A"), m.remove("B")])
    assert [int(r) for r in results[1:]] == [1, 1]
    m = mach("A B Go", queue_limit=0)
    assert [int(r) for r in inside(m, lambda: [m.remove("B"), m.set("B")])] == [1, 1]


def test_que_6_called_includes_exception_is_meant_literally() -> None:
    m = mach("A B Go", queue_limit=1)
    results = inside(
        m,
        lambda: [m.add("A"), m.add(["B", "Exception"]), m.set("Exception"), m.remove("Exception")],
    )
    assert [r.queued for r in results] == [True, True, False, False]


def test_que_10_positions_checks_and_the_mutation_itself() -> None:
    def body() -> list[Any]:
        one = m.add(["A", "B"])
        m.remove("A")
        m.add("A")
        m.can_add("A")  # in front
        found = m.find_queued((ADD,), "A")
        check = m.find_queued((ADD,), "A", checks=True)
        assert isinstance(found, Mutation)
        assert isinstance(check, Mutation)
        return [
            (found.queue_tick == one, check.queue_tick),
            m.is_queued((ADD,), "A"),
            m.is_queued((ADD,), "A", checks=True),
            m.is_queued((ADD,), "A", position="first"),
            m.is_queued((ADD,), "A", position="first", checks=True),
            m.is_queued((ADD,), "A", position="last"),
            m.is_queued((ADD,), "B", position="last"),
            m.find_queued((REMOVE,), "B"),
            m.will_be("A", "last"),
            m.will_be_removed("A", "last"),
        ]

    m = mach("A B Go")
    assert inside(m, body) == [(True, 0), 1, 0, -1, 0, 0, -1, None, True, False]


def test_que_10_the_first_of_an_empty_queue_is_not_found() -> None:
    m = mach("A")
    assert m.is_queued((ADD,), "A", position="first") == -1
    assert m.find_queued((ADD,), "A", position="last") is None


async def test_que_13_a_deadline_empties_the_queue() -> None:
    m = mach("A B Go", limits=Limits(handler_deadline=5, handler_backoff=2))
    task = asyncio.get_running_loop().create_future()
    waited: list[Any] = []

    def body() -> None:
        waited.append(m.when_queue(m.add("B")))
        m._tasks._overdue(task, m._table.state[2].handlers[0], 5.0)  # type: ignore[arg-type, union-attr]  # as if its time was up

    inside(m, body)
    assert waited[0].done()
    assert m.not_("B")
    assert (m.is_err(), m._pending, len(m.queue())) == (True, 0, 0)


def test_can_7_can_remove_passes_its_arguments_on_and_is_refused_like_others() -> None:
    m, seen = mach("A"), []
    m.bind({"AExit": lambda e: seen.append(e.raw)})
    m.add("A")
    assert m.can_remove("A", {"x": 1}).executed
    assert seen == [{"x": 1}]
    m._back_off()
    m._now = lambda: 0.0
    assert m.can_remove("A").canceled
    m.dispose_force()
    assert m.can_remove("A").canceled


@pytest.mark.parametrize("op", ["add", "set"])
def test_mlt_2_called_with_others_it_ticks_twice_implied_it_does_not(op: str) -> None:
    m, log = mach("M B I", M="multi", I="add:M"), Log()
    m.add("M")
    log.bind(m, "MEnter", "MState", "MM")
    getattr(m, op)(["M", "B"])
    assert (m.tick("M"), log.take()) == (3, "MEnter MM MState")
    m.add("I")
    assert (m.tick("M"), log.take()) == (3, "MM")


def test_mlt_3_a_multi_state_is_never_a_duplicate() -> None:
    m = mach("A M Go", M="multi")
    tick = m.queue_tick
    results = inside(m, lambda: [m.add("M"), m.add("M"), m.add(["A", "M"]), m.add(["A", "M"])])
    assert [int(r) for r in results] == [tick + 2, tick + 3, tick + 4, tick + 5]
    assert m.tick("M") == 7


def test_mlt_5_an_active_multi_state_implies_again_in_every_resolution() -> None:
    m = mach("M B X", M="multi add:B")
    m.add("M")
    m.remove("B")
    assert m.not_("B")
    assert m.add("X").executed
    assert m.is_("B")
    m.remove("B")
    assert m.remove("X").executed
    assert m.is_("B")
