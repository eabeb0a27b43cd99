"""Life of a transition: order, veto, failures and what is left after them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from amctl.machine import Event, HandlerResultError, Machine, transition
from tests.machine.tools import Log, Recorder, boom, mach, no


def test_hnd_3_any_enter_is_the_last_to_negotiate() -> None:
    m, log = mach("A B"), Log()
    m.add("A")
    log.bind(m)
    m.add("B")
    assert log.take() == "BEnter AA AB AnyEnter BState AnyState"


def test_hnd_4_pairs_include_states_that_stay() -> None:
    m, log = mach("A B C"), Log()
    m.add("B")
    m.add("A")
    log.bind(m, "AC", "AB", "BC", "BA", "CA", "CB", "CC")
    m.add("C")
    assert log.take() == "AC AB BC BA"
    m.remove("B")
    assert log.take() == "CA AC BC BA"


def test_hnd_5_a_veto_stops_later_bindings_of_the_name() -> None:
    m, log = mach("A"), Log()
    log.bind(m, AEnter=no)
    m.bind({"AEnter": lambda _: log.append("second")})
    assert m.add("A").canceled
    assert log.take() == "AEnter"


def test_hnd_8_any_handlers_never_reach_a_prefixed_binding() -> None:
    m, log = mach("WA A"), Log()
    m.bind({n: (lambda _, n=n: log.append(n)) for n in ("AState", "AnyEnter")}, prefix="W")
    m.add(["WA", "A"])
    assert log.take() == "AState"


def test_hnd_10_the_phase_decides_not_the_ending() -> None:
    """differs from Go: a pair handler of a state called WeekEnd can veto."""
    m = mach("A WeekEnd", handlers={"AWeekEnd": no})
    m.add("A")
    assert m.add("WeekEnd").canceled


def test_hnd_9_none_accepts_and_finals_are_not_judged() -> None:
    m = mach("A", handlers={"AEnter": lambda _: None, "AState": no})
    assert m.add("A").executed


@pytest.mark.parametrize("answer", [1, 0, "yes", []])
def test_hnd_9_other_answers_are_errors(answer: object) -> None:
    m = mach("A", handlers={"AEnter": lambda _: answer})
    assert m.add("A").canceled
    assert isinstance(m.err, HandlerResultError)


def test_neg_2_an_implied_states_veto_counts() -> None:
    m = mach("Foo Bar", Foo="add:Bar", handlers={"BarEnter": no})
    assert m.add("Foo").canceled
    assert m.active == []


def _not_auto(event: Event) -> bool:
    return not event.mutation.is_auto


def test_neg_3_the_successor_of_a_self_veto_is_passed_over() -> None:
    """Errata: the walk goes by position over a list that shrinks."""
    m, log = mach("P Q T G R", P="auto", R="auto require:G"), Log()
    m.set(["P", "Q", "T"])
    log.bind(m, "QQ", "TT", "GG", PP=_not_auto)
    m.add("G")
    assert log.take() == "PP QQ TT PP TT GG"
    assert m.is_(["P", "R"])


def test_neg_3_the_successor_of_a_pair_veto_is_passed_over_too() -> None:
    """Errata: the same walk."""
    rel = "auto require:Go"
    m, log = mach("Go P Q R", P=rel, Q=rel, R=rel), Log()
    log.bind(m, "GoQ", "GoR", GoP=_not_auto)
    m.add("Go")
    assert log.take() == "GoP GoR"
    assert m.active == ["Go", "Q", "R"]


@pytest.mark.parametrize(("active", "accepted"), [("T X", False), ("T X K", True)])
def test_neg_3_the_last_self_answer_is_the_phases(active: str, accepted: bool) -> None:
    """Errata. X is passed over after T's veto, so T's answer is the last one, or K's is."""
    m = mach("T X K Blocker R", T="auto", R="auto", Blocker="remove:R")
    m.set(["T", "Blocker"])
    m.bind({"TT": _not_auto})
    m.set(active.split())  # R is free now, and is tried right afterwards
    assert m.is_(active.split())
    assert m.is_("R") is accepted


def test_neg_4_an_exit_veto_of_an_auto_state_cancels_the_auto_transition() -> None:
    """differs from Go, which crashes."""
    m = mach("A B G", A="auto remove:B require:G", B="auto", handlers={"BExit": no})
    m.add("Exception")
    assert m.is_("B")
    m.add("G")
    assert m.is_("B")
    assert m.not_("A")


def test_pan_2_the_error_becomes_exception_with_its_source(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[Event] = []
    m = mach("A", handlers={"AState": boom, "ExceptionState": seen.append})
    assert m.add("A").canceled
    assert m.is_err()
    assert str(m.err) == "boom"
    source = seen[0].source
    assert source is not None
    assert (source.machine_id, source.time) == ("m", 0)
    record = next(r for r in caplog.records if r.levelno == logging.ERROR)
    assert "m" in record.getMessage()
    assert "AState" in record.getMessage()
    assert record.exc_info is not None


def test_pan_3_a_failing_enter_changes_nothing() -> None:
    m = mach("A B", handlers={"BEnter": boom})
    m.add("A")
    m.add("B")
    assert m.string_all() == "(A:1 Exception:1) [B:0]"


def test_pan_4_multi_states_tick_once_per_pass() -> None:
    """Errata: State and End two passes, AnyState one."""
    for name, tick in (("BState", 7), ("CEnd", 7), ("AnyState", 5)):
        calls: list[int] = []

        def once(_: Any, calls: list[int] = calls) -> None:
            calls.append(1)
            if len(calls) == 1:
                raise ValueError("boom")

        m = mach("M B C", M="multi")
        m.add(["M", "C"])
        m.bind({name: once})
        assert m.set(["M", "B"]).canceled
        assert m.tick("M") == tick, name


def test_pan_4_a_transition_that_called_exception_lacks_a_pass() -> None:
    """Errata."""
    for name, tick in (("BState", 5), ("CEnd", 5), ("AnyState", 3)):
        m = mach("M B C", M="multi")
        m.add(["M", "C"])
        m.bind({name: boom})
        assert m.set(["M", "B", "Exception"]).canceled
        assert m.tick("M") == tick, name
        assert m.err is None


def test_pan_4_later_bindings_of_a_failed_name_are_skipped() -> None:
    m, log = mach("A"), Log()
    m.bind({"AState": boom})
    log.bind(m, "AState", "AnyState")
    m.add("A")
    assert log.take() == "AnyState"  # of Exception


def test_pan_6_a_failing_exception_handler_does_not_nest() -> None:
    m = mach("A", handlers={"ExceptionState": boom})
    assert m.add_err(ValueError("first")).canceled
    assert str(m.err) == "first"
    assert not m.is_err()
    assert m.add("A").executed


def test_pan_7_only_late_handlers_are_judged_and_none_follows() -> None:
    time, log = [0.0], Log()

    def slow(_: Any) -> bool:
        time[0] += 1
        return True

    m = mach("A", handler_timeout=0.5, now=lambda: time[0])
    log.bind(m, "AState", AEnter=slow)
    args = m.when_args("A", {})
    assert m.add("A").canceled
    assert log.take() == "AEnter"
    assert not m.is_err()
    assert m.tick("A") == 0
    assert not args.done()
    assert "AEnter" in str(m.internal_errors[0])


def test_pan_9_time_and_waits_follow_a_recovery() -> None:
    """differs from Go, where they see nothing of it."""
    tracer = Recorder()
    m = mach("A B C", tracers=[tracer], handlers={"BState": boom})
    waits = [m.when("A"), m.when_not("C"), m.when_time(["B"], [2]), m.when("B")]
    m.add("C")
    waits[1] = m.when_not("C")
    m.set(["A", "B"])
    assert [w.done() for w in waits] == [True, True, True, False]
    failed = next(tx for tx in tracer.ended if tx.called_states == ("A", "B"))
    assert failed.time_after == (1, 2, 2, 0)
    assert failed.changed == ((0, 1), (1, 2), (2, 1))
    assert not failed.is_accepted


def test_pan_9_contexts_of_reverted_states_end() -> None:
    m = mach("A")
    found: list[Any] = []

    def state(_: Event) -> None:
        found.append(m.state_context("A"))
        raise ValueError("boom")

    m.bind({"AState": state})
    m.add("A")
    assert found[0].done()


@pytest.mark.parametrize("name", ["AEnter", "AState"])
def test_an_auto_state_that_fails_is_rejected_alone_or_reverted(name: str) -> None:
    """Errata: no finals, no subscriptions, no auto follow-up, once something failed."""
    m, log = mach("A B Go", A="auto require:Go", B="auto require:Go"), Log()
    log.bind(m, "BState", **{name: boom})
    waiting = m.when("B")
    m.add("Go")
    assert m.is_("Go")
    assert m.not_("A")
    assert m.is_err()
    if name == "AEnter":
        assert m.is_("B")
        assert "BState" not in log
        assert not waiting.done()


@pytest.mark.parametrize("has_handler", [True, False])
def test_after_a_failure_other_autos_with_handlers_count_as_rejected(has_handler: bool) -> None:
    """Errata: events after the panic are invalid; one without a handler counts as accepted."""
    m, log = mach("A B Go", A="auto require:Go", B="auto require:Go"), Log()
    log.bind(m, *(["BEnter"] if has_handler else ["BExit"]), AEnter=boom)
    m.add("Go")
    assert m.is_("B") is not has_handler
    assert "BEnter" not in log
    assert m.not_("A")


def test_an_any_enter_veto_cancels_the_whole_auto_transition() -> None:
    m = mach("A Go", A="auto require:Go", handlers={"AnyEnter": _not_auto})
    assert m.add("Go").executed
    assert m.active == ["Go"]


def test_tx_7_an_auto_transition_that_comes_to_nothing_is_canceled() -> None:
    """A was kept by what B implies, but B goes, and resolved again A can't stand alone."""
    tracer = Recorder()
    m = mach("A B X C Go", A="auto require:X", B="auto add:X,C", C="remove:B", tracers=[tracer])
    m.add("Go")
    m.remove("Go")
    auto = [tx for tx in tracer.ended if tx.is_auto][-1]
    assert auto.called_states == ("A", "B")
    assert not auto.is_accepted
    assert (m.active, m.time_sum) == ([], 2)


@pytest.mark.parametrize("name", ["AEnter", "AState"])
def test_err_2_a_cancelled_handler_cancels_without_an_error(name: str) -> None:
    def cancelled(_: Any) -> None:
        raise asyncio.CancelledError

    m = mach("A", handlers={name: cancelled})
    assert m.add("A").canceled
    assert m.active == []
    assert not m.is_err()
    assert m.err is None


@pytest.mark.parametrize("traced", [False, True])
def test_pan_10_a_refusal_in_between_is_no_success(traced: bool) -> None:
    m, log = mach("A B Go", A="auto require:B", tracers=[Recorder()] * traced), Log()

    def go(event: Event) -> None:
        for n in range(15):
            for op in (m.remove, m.add):
                op("B", {"n": n})  # with arguments, or they would be duplicates

    log.bind(m, AState=boom, ExceptionEnter=no, GoState=go)
    m.add("Go")
    assert log.count("AState") == 10
    log.clear()
    m.remove("Go")  # another call, another try
    assert log.count("AState") == 1


def test_pan_10_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    m = mach("A M Go", A="auto require:Go", M="multi")
    m.bind({"AState": boom, "ExceptionState": lambda _: [m.add("M") for _ in range(3)]})
    m.add("Go")
    assert caplog.text.count("keep failing") == 1


def test_pan_10_auto_states_that_keep_failing_are_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    m, log = mach("A Go", A="auto require:Go"), Log()
    log.bind(m, AState=boom)
    m.add("Go")
    assert log.count("AState") == 10
    assert "keep failing" in caplog.text
    assert m.is_err()
    m.remove("Exception")
    assert log.count("AState") == 20


def test_an_interrupt_leaves_an_idle_machine() -> None:
    def interrupt(_: Any) -> None:
        m.add("B")
        raise KeyboardInterrupt

    m = mach("A B", handlers={"AState": interrupt})
    with pytest.raises(KeyboardInterrupt):
        m.add("A")
    assert not m.is_busy
    assert m.queue() == []
    assert m.add("B").executed


def test_txd_1_time_after_is_a_prediction_first() -> None:
    seen: list[tuple[int, ...]] = []

    class Looks(Recorder):
        def transition_start(self, tx: Any) -> None:
            seen.append(tx.time_after)

        def transition_finals(self, tx: Any) -> None:
            seen.append(tx.time_after)

    m = mach("A B", B="require:Nope", tracers=[Looks("looks")])
    m.add("A")
    m.add("B")
    m.can_remove("A")
    assert seen == [(1, 0, 0), (1, 0, 0), (1, 0, 0), (1, 0, 0)]


def test_transitions_tell_what_tools_ask() -> None:
    tracer = Recorder()
    m = mach("A B C", B="multi", C="auto require:B", tracers=[tracer])
    m.add(["B", "A"], source=None)
    m.set(["B"])
    first, auto, last = tracer.ended[0], tracer.ended[1], tracer.ended[2]
    assert first.called == (1, 0)
    assert (first.enters, first.exits) == (["A", "B"], [])
    assert first.target_states == ["A", "B"]
    assert auto.is_auto
    assert str(last.type) == "set"
    assert not first.is_health
    assert auto.time_before == (1, 1, 0, 0)
    assert (last.enters, last.exits) == (["B"], ["A", "C"])
    assert last.states_before == ["A", "B", "C"]
    assert last.changed == ((0, 1), (1, 2), (2, 1))
    assert last.is_completed
    assert len(last.id) == 16
    assert str(first) == f"tx#{first.id}\n[add] A B"


def test_str_5_a_transition_names_its_source() -> None:
    tracer = Recorder()
    m = mach("A", tracers=[tracer])
    n = Machine("n", {"B": {}})
    n.bind({"BState": lambda e: m.add("A", source=e)})
    n.add("B")
    tx = tracer.ended[0]
    assert tx.source is not None
    assert str(tx).splitlines()[2] == f"source: [{tx.source.tx_id}](n/{tx.source.tx_id}/t0)"


def test_ids_begin_anew_in_a_process_that_wakes_up_from_an_image() -> None:
    def drawn() -> list[str]:
        tracer = Recorder()
        m = mach("A", tracers=[tracer])
        for _ in range(300):  # more than one batch
            m.add("A")
        return [tx.id for tx in tracer.ended]

    before = drawn()
    left = list(transition._fresh)
    transition.__restored__()
    after = drawn()
    assert left
    assert len({*before, *left, *after}) == 600 + len(left)
    assert {len(id) for id in (*before, *after)} == {16}
