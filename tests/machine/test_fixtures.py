"""The scenario fixtures F-1 to F-28 of the specification, run against the reference back then."""

from __future__ import annotations

from typing import Any

import pytest

from amctl.machine import ACheck, Machine, Result
from tests.machine.tools import Log, Recorder, boom, mach, no


def _after(m: Machine, op: str, states: str) -> str:
    getattr(m, op)(states.split())
    return " ".join(map(str, m.time()[:-1]))


def test_f_1_multi_ticks() -> None:
    m = mach("A B C D", B="multi")
    steps = [
        ("add", "A B", "1 1 0 0"),
        ("add", "A B", "1 3 0 0"),
        ("add", "A B C", "1 5 1 0"),
        ("set", "D", "2 6 2 1"),
        ("add", "D C", "2 6 3 1"),
        ("remove", "B C", "2 6 4 1"),
        ("add", "A B", "3 7 4 1"),
        ("add", "C", "3 7 5 1"),
    ]
    assert [_after(m, op, states) for op, states, _ in steps] == [want for _, _, want in steps]
    assert m.time_sum == 16


def test_f_2_auto_multi_and_implied() -> None:
    m = mach("A B C D", A="auto require:C", B="multi add:C", C="after:D", D="add:C,B")
    m.set(["A", "C"])
    m.remove("C")
    assert m.not_(["A", "C"])
    m.add("B")
    assert str(m) == "(A:3 B:1 C:3)"
    m.add("D")
    assert m.is_("D")
    assert m.tick("B") == 1


def test_f_3_add_reaches_two_levels() -> None:
    m = mach("A B C D E X", A="add:B", B="add:C", C="add:D remove:X", D="add:E")
    m.add("X")
    m.add("A")
    assert m.active == ["C", "A", "X", "B"]


def test_f_4_an_implied_state_removes() -> None:
    m = mach("A B X", A="add:B", B="remove:X")
    m.add("X")
    m.add("A")
    assert m.string_all() == "(A:1 B:1) [X:2 Exception:0]"


def test_f_5_active_multi_implies_again() -> None:
    m = mach("A B X", A="multi add:B")
    m.add("A")
    m.remove("B")
    assert str(m) == "(A:1)"
    m.add("X")
    assert m.tick("B") == 3
    m.remove("X")
    assert m.tick("B") == 3


def test_f_6_an_active_plain_state_does_not() -> None:
    m = mach("A B", A="add:B")
    m.add("A")
    m.remove("B")
    m.add("A")
    assert m.active == ["A"]


def test_f_7_target_order() -> None:
    for called, order in (("C X D", "C X D"), ("C D X", "D C X")):
        m = mach("C X D", C="after:D")
        m.add(called.split())
        assert m.active == order.split()
    m = mach("A X B", A="require:B")
    m.add(["A", "X", "B"])
    assert m.active == ["X", "B", "A"]


def test_f_8_mutual_removal() -> None:
    def two() -> Machine:
        return mach("C D", C="remove:D", D="remove:C")

    assert two().add(["C", "D"]).canceled
    assert two().add(["D", "C"]).canceled
    m = two()
    m.add("D")
    assert m.add("C").executed
    assert m.string_all() == "(C:1) [D:2 Exception:0]"
    m = two()
    m.add("D")
    assert m.add(["D", "C"]).canceled
    assert m.active == ["D"]


def test_f_9_chains_of_removal() -> None:
    for called in (["A", "C"], ["C", "A"]):
        m = mach("A B C", A="remove:B", B="remove:C")
        m.add("B")
        assert m.add(called).executed
        assert sorted(m.active) == ["A", "C"]
    for called in (["B", "A", "C"], ["A", "C", "B"]):
        assert mach("A B C", A="remove:B", B="remove:C").set(called).canceled


def test_f_10_implied_against_implied() -> None:
    m = mach("A B Z", A="remove:B", B="remove:A", Z="add:B")
    m.set(["Z"])
    assert sorted(m.active) == ["B", "Z"]
    m = mach("Wet Dry Water", Wet="require:Water", Dry="remove:Wet", Water="add:Wet remove:Dry")
    m.set(["Dry"])
    m.set(["Water"])
    assert m.active == ["Water", "Wet"]


def test_f_11_queue_ticks_and_duplicates_inside_a_handler() -> None:
    m, got = mach("A B"), list[int]()

    def state(_: Any) -> None:
        got.extend(
            map(
                int,
                [m.add("B"), m.remove("B"), m.add("B"), m.add("B", {"x": 1}), m.remove("B")],
            )
        )

    m.bind({"AState": state})
    m.add("A")
    assert got == [3, 4, 0, 5, 0]
    assert str(m) == "(A:1 B:3)"
    assert m.queue_tick == 5


@pytest.mark.parametrize(
    ("op", "states", "veto"),
    [("add", "D", "DEnter"), ("set", "D", "DEnter"), ("remove", "A", "AExit")],
)
def test_f_12_vetoes(op: str, states: str, veto: str) -> None:
    m = mach("A D", handlers={veto: no})
    m.add("A")
    assert getattr(m, op)(states).canceled
    assert m.time() == [1, 0, 0]
    assert m.queue_tick == 3


def test_f_13_handler_order() -> None:
    m, log = mach("A B C"), Log()
    m.set(["A", "B"])
    log.bind(m)
    m.set(["C"])
    assert log.take() == "AExit BExit CEnter AC BC AnyEnter AEnd BEnd CState AnyState"
    m, log = mach("A B C"), Log()
    m.set(["A"])
    log.bind(m)
    m.set(["A", "B"])
    assert log.take() == "BEnter AA AB AnyEnter BState AnyState"


def test_f_14_order_with_after() -> None:
    m, log = mach("A B C D", C="after:D", A="after:B"), Log()
    m.set(["A", "B"])
    assert m.active == ["B", "A"]
    log.bind(m)
    m.set(["C", "D"])
    assert log.take() == (
        "BExit AExit DEnter CEnter BD BC AD AC AnyEnter BEnd AEnd DState CState AnyState"
    )
    assert m.active == ["D", "C"]


def test_f_15_a_failing_state_handler_reverts_it_and_what_follows() -> None:
    m = mach("A B C", handlers={"BState": boom})
    assert m.add(["A", "B", "C"]).canceled
    assert m.string_all() == "(A:1 Exception:1) [B:2 C:2]"
    m = mach("A B C", handlers={"BEnter": boom})
    m.add("A")
    assert m.add("B").canceled
    assert sorted(m.active) == ["A", "Exception"]


def test_f_16_failing_end_and_any_handlers_revert_nothing() -> None:
    m = mach("A B C", handlers={"AEnd": boom})
    m.add(["A", "B"])
    assert m.set("C").canceled
    assert m.string_all() == "(C:1 Exception:1) [A:2 B:2]"
    count: list[int] = []

    def once(_: Any) -> None:
        count.append(1)
        if len(count) == 1:
            raise ValueError("boom")

    m = mach("A", handlers={"AnyState": once})
    assert m.add("A").canceled
    assert sorted(m.active) == ["A", "Exception"]


@pytest.mark.parametrize(
    ("veto", "active"),
    [("BEnter", "A C"), ("DEnter", "C"), ("CB", "A C"), ("CC", "C")],
)
def test_f_17_vetoes_of_an_auto_transition(veto: str, active: str) -> None:
    m, log = mach("A B C D", A="auto", B="auto add:D"), Log()
    log.bind(m, "AState", "BState", "DState", **{veto: no})
    m.add("C")
    assert sorted(m.active) == active.split()
    assert not {"BState", "DState"} & set(log)


def test_f_18_a_removed_auto_state_comes_back() -> None:
    m = mach("Au B", Au="auto")
    m.add("B")
    assert str(m) == "(Au:1 B:1)"
    m.remove("Au")
    assert m.tick("Au") == 3
    m.add("B")
    assert str(m) == "(Au:3 B:1)"


def test_f_19_tx_14_signs_of_life_trigger_no_auto() -> None:
    def alive() -> Machine:
        return mach("Healthcheck Heartbeat Go Au", Healthcheck="multi add:Go", Au="auto require:Go")

    m = alive()
    m.add("Healthcheck")
    assert m.is_("Go")
    assert m.not_("Au")
    m.add("Heartbeat")
    assert m.not_("Au")
    m.add(["Healthcheck", "Heartbeat"])
    assert m.is_("Au")


def test_f_20_error_states() -> None:
    m = mach("ErrA", ErrA="require:Exception")
    m.add_err_state("ErrA", ValueError("one"))
    assert str(m) == "(ErrA:1 Exception:1)"
    m.add_err(ValueError("two"))
    assert m.tick("Exception") == 3
    m.remove("Exception")
    assert m.string_all() == "() [ErrA:2 Exception:4]"
    assert str(m.err) == "two"


def test_f_21_a_full_queue() -> None:
    m, got = mach("A B", queue_limit=2), list[Result]()

    def state(_: Any) -> None:
        got.extend(m.add("B", {"n": n}) for n in range(3))
        got.append(m.add_err(ValueError("refused")))
        got.extend([m.add("Exception"), m.add("Exception")])

    m.bind({"AState": state})
    m.add("A")
    assert list(map(int, got)) == [3, 4, 1, 1, 5, 6]
    assert m.err is None


def test_f_22_checks_inside_and_outside() -> None:
    m, log = mach("A B C", B="require:C"), Log()
    asked = [ACheck(), ACheck()]
    got: list[int] = []

    def state(_: Any) -> None:
        got.extend([int(m.can_add("B", asked[0])), int(m.can_add("C", asked[1]))])

    log.bind(m, "CEnter", "AnyEnter", AState=state)
    m.add("A")
    assert got == [2, 2]
    assert log.take() == "AnyEnter AState CEnter AnyEnter"
    assert [check.canceled for check in asked] == [True, False]
    assert m.can_add("B").canceled
    assert m.can_add("C").executed


def test_f_23_a_slow_handler() -> None:
    time = [0.0]

    def slow(_: Any) -> None:
        time[0] += 0.1

    m = mach("A", handlers={"AState": slow}, handler_timeout=0.05, now=lambda: time[0])
    assert m.add("A").canceled
    assert m.string_all() == "() [A:2 Exception:0]"
    assert len(m.internal_errors) == 1


def test_f_24_waits_at_their_beginning() -> None:
    m = mach("A B")
    query = m.when_query(lambda _: True)
    assert not query.done()
    assert m.when_not("A").done()
    context = m.state_context("B")
    assert not context.done()
    m.add("B")
    assert context.done()
    assert query.done()


def test_f_25_export_and_import() -> None:
    m = mach("A B")
    m.add("A")
    m.add("B")
    assert m.queue_tick == 3
    n = mach("A B")
    n.import_(m.export())
    assert str(n) == "(A:1 B:1)"
    assert (n.machine_tick, n.queue_tick) == (1, 1)


def test_f_26_bindings_by_name() -> None:
    m, log = mach("A"), Log()
    for k in (0, 1):
        names = ("AEnter", "AState") if k else ("AEnter", "AState", "AnyEnter", "AnyState")
        m.bind({n: (lambda _, k=k, n=n: log.append(f"{n}{k}")) for n in names})
    m.add("A")
    assert log.take() == "AEnter0 AEnter1 AnyEnter0 AState0 AState1 AnyState0"


def test_f_28_an_auto_state_waits_for_what_it_needs() -> None:
    m, tracer = mach("C D G", D="auto remove:C require:G"), Recorder()
    m.bind_tracer(tracer)
    m.add("C")
    assert "queued auto D" in tracer.seen
    assert "tx D rejected" in tracer.take()
    m.add("G")
    assert m.clock() == {"C": 2, "D": 1, "G": 1, "Exception": 0}
