"""The queue (section 6) and results (section 5)."""

from __future__ import annotations

import threading
from itertools import permutations, product
from typing import Any

import pytest

from amctl.machine import ACheck, ForeignThreadError, Machine, UnknownStateError
from tests.machine.tools import Log, Recorder, boom, mach, no


def inside(m: Machine, body: Any) -> list[Any]:
    """What `body(machine)` gives inside of a handler."""
    got: list[Any] = []
    m.bind({"GoState": lambda _: got.append(body(m))})
    m.add("Go")
    return got


def test_mut_3_results_are_of_the_own_mutation() -> None:
    m = mach("A B", handlers={"AState": lambda _: m.add("B"), "BEnter": no})
    assert m.add("A").executed
    assert m.not_("B")


def test_mut_4_adding_an_active_state_runs_a_full_transition() -> None:
    m, log = mach("A"), Log()
    m.add("A")
    log.bind(m)
    assert m.add("A").executed
    assert log.take() == "AA AnyEnter AnyState"
    assert m.tick("A") == 1
    assert m.queue_tick == 3


def test_mut_4_remove_is_judged_at_its_end() -> None:
    m = mach("M B", M="multi add:B")
    m.add("M")
    assert m.remove("B").executed


def test_mut_5_removing_the_inactive_inside_of_a_handler() -> None:
    m = mach("A B Go")
    assert inside(m, lambda m: [int(m.remove("A")), len(m.queue())]) == [[0, 0]]
    m = mach("A B Go")
    assert inside(m, lambda m: [int(m.add("B")), int(m.remove("A"))]) == [[3, 4]]


def test_mut_5_removing_nothing_inside_of_a_handler_is_a_no_op() -> None:
    assert inside(mach("Go"), lambda m: int(m.remove([]))) == [0]


def test_mut_10_empty_lists() -> None:
    m = mach("A B")
    m.add(["A", "B"])
    assert m.add([]).executed
    assert m.remove([]).executed
    assert m.active == ["A", "B"]
    assert m.toggle([]).executed
    assert m.set([]).executed
    assert m.active == []


def test_que_4_the_first_mutation_ever_gets_2() -> None:
    tracer = Recorder()
    m = mach("A", tracers=[tracer])
    m.add("A")
    assert tracer.ended[0].mutation.queue_tick == 2
    assert m.queue_tick == 2


def test_que_5_multi_states_are_never_duplicates() -> None:
    m = mach("A M Go", M="multi")
    assert inside(m, lambda m: [int(m.add("M")), int(m.add("M")), int(m.add(["A", "M"]))]) == [
        [3, 4, 5]
    ]


def test_que_5_order_does_not_matter_and_counter_mutations_neither() -> None:
    m = mach("A B Go")
    got = inside(m, lambda m: [int(m.add(["A", "B"])), int(m.remove("B")), int(m.add(["B", "A"]))])
    assert got == [[3, 4, 0]]
    assert m.active == ["A", "Go"]


def test_que_5_the_running_mutation_is_not_in_the_queue() -> None:
    m = mach("A B Go")
    assert inside(m, lambda m: int(m.add("Go"))) == [3]


def test_que_6_judgement_comes_in_order() -> None:
    """Errata: full, no-op removal, duplicate, enqueue."""
    m = mach("A B Go", queue_limit=1)
    assert inside(m, lambda m: [int(m.add("A")), int(m.add("A"))]) == [[3, 1]]


def test_que_6_exception_is_exempt_for_add_and_remove() -> None:
    m = mach("A B Go", queue_limit=1)
    got = inside(
        m,
        lambda m: [
            int(m.add("A")),
            int(m.add(["B", "Exception"])),
            int(m.set(["Exception"])),
            int(m.remove("Exception")),
            int(m.add_err(ValueError("x"))),
        ],
    )
    assert got == [[3, 4, 1, 1, 1]]


def test_que_7_prepended_mutations_come_first_and_last_in_first_out() -> None:
    m, log = mach("A B C Go"), Log()
    log.bind(m, "AEnter", "BEnter", "CEnter")
    inside(m, lambda m: [m.add("A"), m.can_add("B"), m.can_add("C")])
    assert log.take() == "CEnter BEnter AEnter"


def test_que_7_errors_go_to_the_end() -> None:
    m, log = mach("A Go"), Log()
    log.bind(m, "AState", "ExceptionState")
    inside(m, lambda m: [m.add("A"), m.add_err(ValueError("x"))])
    assert log.take() == "AState ExceptionState"


def test_que_8_auto_comes_before_what_a_handler_queued() -> None:
    m, log = mach("A B Au Go", Au="auto require:Go"), Log()
    log.bind(m, "BState", "AuState")
    inside(m, lambda m: m.add("B"))
    assert log.take() == "AuState BState"


def test_que_9_mutations_know_their_place() -> None:
    tracer = Recorder()
    m = mach("A B Go", tracers=[tracer])
    inside(m, lambda m: [m.add("A"), m.can_add("B")])
    by_name = {tx.called_states: tx.mutation for tx in tracer.ended}
    a, b = by_name[("A",)], by_name[("B",)]
    assert (a.queue_tick_now, a.queue_len, a.queue_tick, a.queue_token) == (2, 1, 3, 0)
    assert (b.queue_tick_now, b.queue_len, b.queue_tick) == (2, 2, 0)
    assert b.queue_token > 0


def test_que_3_the_end_of_the_queue_is_told_once() -> None:
    tracer = Recorder()
    m = mach("A B", tracers=[tracer])
    ends: list[Any] = []
    m.bind({"AState": lambda _: (ends.append(m.when_queue_ends()), m.add("B"))})
    m.add("A")
    assert tracer.seen.count("idle") == 1
    assert ends[0].done()
    assert m.when_queue_ends().done()


def test_que_3_all_who_wait_for_the_end_share_it() -> None:
    m, found = mach("A"), list[Any]()
    m.bind({"AState": lambda _: found.extend([m.when_queue_ends(), m.when_queue_ends()])})
    m.add("A")
    assert found[0] is found[1]


def test_what_callers_named_is_not_kept_without_end() -> None:
    m = mach("A B C D E F G H")
    for few in permutations("ABCDEFGH", 5):
        assert m.not_(few)
    assert 0 < len(m._compiled.called) <= 8193
    for names in product("AB", repeat=13):  # which means one of three
        assert m.not_(names)
    assert 0 < len(m._compiled.called) <= 8193


def test_can_1_to_6_checks_change_nothing() -> None:
    m, log = mach("A B", B="require:Nope"), Log()
    checks: list[bool] = []
    log.bind(m, "AState", AEnter=lambda e: checks.append(e.is_check))
    ticks = m.queue_tick
    assert m.can_add("A").executed
    assert m.can_add("B").canceled
    assert m.can_remove("A").executed
    assert (log.take(), checks) == ("AEnter", [True])
    assert (m.queue_tick, m.time_sum) == (ticks, 0)


def test_can_3_answers_are_true_and_always_come() -> None:
    m = mach("A B Go", B="require:Nope")
    yes, nope, gone = ACheck(), ACheck(), ACheck()
    inside(m, lambda m: [m.can_add("A", yes), m.can_add("B", [nope])])
    assert (yes.canceled, nope.canceled) == (False, True)
    assert yes.done.done()
    idle = ACheck()
    m.can_add("A", idle)
    assert idle.canceled is False
    m.dispose()
    assert m.can_add("A", gone).canceled
    assert gone.canceled


def test_can_3_disposal_answers_what_waits() -> None:
    m, check = mach("A B Go"), ACheck()
    inside(m, lambda m: [m.can_add("A", check), m.dispose_force()])
    assert check.canceled


def test_can_4_relations_do_not_count_with_a_multi_state() -> None:
    m = mach("M", M="multi require:Nope")
    assert m.can_add("M").executed
    assert m.add("M").canceled


def test_a_failing_check_activates_exception() -> None:
    """Errata."""
    m = mach("A", handlers={"AEnter": boom})
    assert m.can_add("A").canceled
    assert m.is_err()


@pytest.mark.parametrize("op", ["add", "remove", "set", "toggle", "can_add", "when", "not_"])
def test_nam_6_unknown_states_raise(op: str) -> None:
    m = mach("Foo Bar")
    with pytest.raises(UnknownStateError) as caught:
        getattr(m, op)("Fooo")
    assert caught.value.hint == "did you mean 'Foo'?"
    assert m.queue_tick == 1


def test_aut_1_and_6_what_an_auto_state_enables_waits_for_the_next_transition() -> None:
    m = mach("Go K A B", A="auto require:Go remove:K", K="remove:B", B="auto")
    m.add("K")
    m.add("Go")
    assert m.is_("A")
    assert m.not_(["K", "B"])  # K was still active when the autos were called
    m.add("Go")
    assert m.not_("B")  # nothing changed: no auto
    m.add("Exception")
    assert m.is_("B")


@pytest.mark.realtime
def test_a_foreign_thread_is_refused() -> None:
    m = mach("A B", handlers={"AState": lambda _: None})
    for _ in range(4):
        m.toggle("A")  # what is asked for is known already
    caught: list[BaseException] = []

    def foreign() -> None:
        for call in (
            lambda: m.add("A"),
            lambda: m.add("B"),
            lambda: m.eval("test", lambda: None),
            lambda: m.add_err(ValueError("x")),
            lambda: m.can_add("A"),
        ):
            try:
                call()
            except ForeignThreadError as error:
                caught.append(error)

    thread = threading.Thread(target=foreign)
    thread.start()
    thread.join()
    assert len(caught) == 5
    assert (m.active, m.time()) == ([], [4, 0, 0])
    waiting = m.when("Exception")
    thread = threading.Thread(target=foreign)
    thread.start()
    thread.join()
    assert len(caught) == 10
    assert not waiting.done()
