"""What a machine remembers of what it refused."""

from __future__ import annotations

import gc
import logging
import weakref
from typing import TYPE_CHECKING

from amctl.machine import Machine, Schema, Source
from tests.machine.tools import boom, mach, no

if TYPE_CHECKING:
    import pytest

    from amctl.machine import Event


def test_a_machine_that_refuses_nothing_has_no_book() -> None:
    m = mach("A")
    m.add("A")
    m.can_add("A")
    assert m._refusals is None
    assert m.last_refusal("A") is None


def test_a_refusal_by_relations_is_remembered_however_often_it_comes() -> None:
    m = mach("A B", A="require:B")
    for _ in range(5):
        assert m.add("A", source=Source("other", "t1")).canceled
    last = m.last_refusal("A")
    assert last is not None
    assert (last.op, last.states, last.count, last.queue_tick) == ("add", ("A",), 5, m.queue_tick)
    assert str(last) == "the call [add] A was refused: A requires B"
    assert last.source == Source("other", "t1")
    assert not last.outdated


def test_machines_of_one_schema_remember_each_its_own() -> None:
    schema = Schema({"A": {"require": ["B"]}, "B": {}})
    one, two = Machine("one", schema), Machine("two", schema)
    for machine in (one, two, one, one, two):
        assert machine.add("A").canceled
    counts = [last.count for m in (one, two) if (last := m.last_refusal("A")) is not None]
    assert counts == [3, 2]
    kept = weakref.ref(one)
    one.dispose_force()
    del one, machine
    gc.collect()
    assert kept() is None


def test_plans_that_refuse_are_remembered_as_far_as_notes_are() -> None:
    names = "BCDEFGHI"
    m = mach(f"A {' '.join(names)} Z", A="require:Z")
    for several in range(1, len(names)):
        m.set(tuple(names[:several]))
        for _ in range(3):
            m.add("A")
    assert m._refusals is not None
    assert len(m._refusals.repeated) == 1
    last = m.last_refusal("A")
    assert last is not None
    assert last.count == 3 * (len(names) - 1)


def test_the_machine_counts_the_same_whether_it_refuses_or_not() -> None:
    m = mach("A B", A="require:B")
    for _ in range(5):
        m.add("A")
    assert m.queue_tick == 6


def test_the_reason_is_of_the_moment_of_the_refusal() -> None:
    m = mach("A B", A="require:B")
    m.add("A")
    m.add("B")
    last = m.last_refusal("A")
    assert last is not None
    assert str(last.reason) == "A requires B"


def test_it_is_outdated_once_the_state_moved() -> None:
    m = mach("A B", A="require:B")
    m.add("A")
    m.add("B")
    m.add("A")
    last = m.last_refusal("A")
    assert last is not None
    assert last.outdated


def test_the_latest_of_different_calls_counts() -> None:
    m = mach("A B C", A="require:B")
    m.bind({"CEnter": no}, id="h")
    m.add(("A", "C"))
    m.add("C")
    last = m.last_refusal("C")
    assert last is not None
    assert last.reason.kind == "veto"
    m.add(("A", "C"))
    last = m.last_refusal("C")
    assert last is not None
    assert last.states == ("A", "C")
    assert last.count == 2


def test_a_state_that_was_only_implied_is_found_by_its_veto() -> None:
    m = mach("A B", A="add:B")
    m.bind({"BEnter": no}, id="h")
    m.add("A")
    last = m.last_refusal("B")
    assert last is not None
    assert (last.states, last.reason.state) == (("A",), "B")


def test_questions_and_auto_states_that_lack_something_are_no_refusals() -> None:
    m = mach("A B C D", B="auto require:C", D="require:C")
    m.bind({"AnyEnter": lambda e: None})
    m.add("A")
    m.can_add("D")
    assert m._refusals is None


def test_an_auto_state_that_fails_is_the_machines_own_try() -> None:
    m = mach("A B", B="auto")
    m.bind({"BState": boom}, id="h")
    m.add("A")
    last = m.last_refusal("B")
    assert last is not None
    assert last.auto
    assert str(last).startswith("the machine's own try [add] B was refused: BState of binding h")


def test_of_many_calls_the_oldest_are_forgotten() -> None:
    names = [f"S{n}" for n in range(40)]
    m = mach(" ".join(["X", *names]), **dict.fromkeys(names, "require:X"))
    for name in names:
        m.add(name)
    assert m.last_refusal("S0") is None
    assert m.last_refusal("S39") is not None
    assert m._refusals is not None
    assert len(m._refusals.all()) == 32


def test_neither_arguments_nor_errors_are_kept_alive(caplog: pytest.LogCaptureFixture) -> None:
    class Big:
        pass

    m = mach("A B", A="require:B")
    m.bind({"BState": _fails}, id="h")
    big = Big()
    gone = weakref.ref(big)
    with caplog.at_level(logging.CRITICAL):  # a log keeps errors, too
        m.add("A", {"big": big})
        m.add("B", {"big": big})
        m.add_err(ValueError("another, since a machine keeps its last error"))
    del big
    gc.collect()
    assert gone() is None
    last = m.last_refusal("B")
    assert last is not None
    assert last.reason.text == "no use"


def _fails(e: Event) -> None:
    held = e.raw["big"]
    raise ValueError("no use") if held else AssertionError


def test_removals_are_remembered_too() -> None:
    m = Machine("m", {"A": {}})
    m.bind({"AExit": no}, id="h")
    m.add("A")
    m.remove("A")
    last = m.last_refusal("A")
    assert last is not None
    assert last.op == "remove"


def test_what_no_transition_came_of_says_why() -> None:
    m = mach("A")
    m.dispose_force()
    assert m.add("A").canceled
    last = m.last_refusal("A")
    assert last is not None
    assert str(last.reason) == "the machine is disposed of, or about to be"


def test_a_call_that_is_refused_again_and_again_stays_the_newest() -> None:
    """Its note is renewed in place, past others, and after it was forgotten."""
    names = " ".join(f"S{i}" for i in range(40))
    now = [0.0]
    m = mach(f"A {names}", now=lambda: now[0], A="require:Nope", **_requiring(40))
    for _ in range(4):
        m.add("A")
    m.add("S0")
    now[0] = 5.0
    m.add("A", source=Source("other", "t2"))
    last = m._memory().all()[-1]
    assert (last.states, last.count, last.at, last.source) == (
        ("A",),
        5,
        5.0,
        Source("other", "t2"),
    )
    assert last.queue_tick == m.queue_tick
    for i in range(32):
        m.add(f"S{i}")
    assert m.last_refusal("A") is None  # pushed out by others
    m.add("A")
    again = m.last_refusal("A")
    assert again is not None
    assert (again.count, again.queue_tick) == (1, m.queue_tick)
    assert len(m._memory().all()) == 32


def test_a_renewed_note_outlives_those_that_are_older() -> None:
    names = " ".join(f"S{i}" for i in range(40))
    m = mach(f"A {names}", A="require:Nope", **_requiring(40))
    for _ in range(3):
        m.add("A")
    for i in range(31):
        m.add(f"S{i}")
    m.add("A")
    m.add("S31")
    assert m.last_refusal("A") is not None
    assert m.last_refusal("S0") is None


def test_a_refusal_of_another_kind_takes_the_note_over() -> None:
    m = mach("A B", A="require:B", queue_limit=0)
    for _ in range(3):
        m.add("A")
    m.bind({"BState": lambda _: m.add("A")})
    m.add("B")
    m.remove("B")
    last = m.last_refusal("A")
    assert last is not None
    assert last.reason.kind == "full"
    m.add("A")
    last = m.last_refusal("A")
    assert last is not None
    assert (last.reason.kind, last.count) == ("require", 5)


def _requiring(count: int) -> dict[str, str]:
    return {f"S{i}": "require:Nope" for i in range(count)}
