"""Rules of errors, waits, contexts, events, disposal and data that no other test is named after."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import pytest

import amctl.machine as am
from amctl.machine import Args, Event, Limits, SchemaError, Source, Tracer
from amctl.machine.event import EventId
from amctl.machine.tracer import LastTx
from tests.machine.tools import Log, Recorder, boom, mach, no


@dataclass(frozen=True)
class AGo(Args):
    """Of the tests."""

    size: int = 0


async def test_lim_1_every_option_is_honoured() -> None:
    async def stubborn(_: Any) -> None:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            await asyncio.sleep(1e6)

    logging.disable()
    m = mach(
        "A", limits=Limits(handler_deadline=1, handler_backoff=7), handlers={"AState": stubborn}
    )
    m.add("A")
    await asyncio.sleep(0)
    m.remove("A")
    await asyncio.sleep(1.5)
    assert len(m.internal_errors) == 1
    assert m.add("A").canceled
    await asyncio.sleep(7)
    assert m.add("Exception").executed
    m.dispose_force()
    logging.disable(logging.NOTSET)


def test_err_7_errors_within_a_handler_of_errors_do_not_nest_for_ever() -> None:
    logging.disable()
    m = mach("A", queue_limit=3)
    m.bind({"ExceptionState": lambda e: None if e.machine.tick("Exception") > 5 else _again(e)})
    m.add_err(ValueError("first"))
    logging.disable(logging.NOTSET)
    assert (m.is_err(), m.is_busy, str(m.err)) == (True, False, "again")


def _again(e: Event) -> None:
    e.machine.add_err(ValueError("again"))


def test_err_10_what_fails_has_a_class_or_an_answer_of_its_own() -> None:
    classes = {
        "state unknown": am.UnknownStateError,
        "invalid args": am.ArgsError,
        "handler timeout": am.HandlerTimeoutError,
        "timeout": am.WaitTimeoutError,
        "disposed": am.DisposedError,
        "schema": am.SchemaError,
        "nested eval": am.NestedEvalError,
    }
    assert all(issubclass(cls, am.MachineError) for cls in classes.values())
    assert len({*classes.values()}) == len(classes)
    assert (am.CANCELED.canceled, am.Result(2).queued) == (True, True)
    m = mach("A", A="require:Exception")
    m.add("A")
    refusal = m.last_refusal("A")  # relation, state missing, state inactive
    assert refusal is not None
    assert (refusal.reason.kind, refusal.reason.by) == ("require", ("Exception",))


def test_sub_4_giving_a_wait_up_takes_effect_at_once() -> None:
    """differs from Go, where an expired wait closes with the next transition only."""
    m = mach("A B")
    signal = m.when("A")
    signal.cancel()
    assert signal.done()
    assert not m.is_watched


async def test_sub_4_a_wait_that_ran_out_is_over_at_once() -> None:
    m = mach("A")
    signal = m.when("A", timeout=2)
    await asyncio.sleep(2.1)
    assert signal.done()


def test_sub_6_neither_checks_nor_canceled_ones_close_anything() -> None:
    m = mach("A B", B="require:Nope")
    waits = [m.when("A"), m.when_time(["A"], [1]), m.when_query(lambda _: True)]
    waits.append(m.when_args("A", {}))
    m.can_add("A")
    m.add("B")
    assert not any(w.done() for w in waits)
    m.add("A")
    assert all(w.done() for w in waits)


def test_ctx_4_a_context_tells_whose_it_is_and_what_it_was_wanted_for() -> None:
    m, got = mach("A B"), []

    def state(e: Event) -> None:
        got.append((e, m.state_context("A", e)))

    m.bind({"AState": state, "BState": lambda e: m.state_context("A", e)})
    m.add("A")
    event, context = got[0]
    assert (context.machine_id, context.name, context.tick) == ("m", "A", 1)
    assert context.event is event
    m.add("B")
    assert m.state_context("A") is context
    assert context.event is event
    m.remove("A")
    assert m.state_context("A").event is None


async def test_ctx_7_work_looks_at_its_context_after_each_wait() -> None:
    m, seen = mach("A"), []

    async def work(context: am.StateContext) -> None:
        while context.is_alive:
            seen.append(m.tick("A"))
            await asyncio.sleep(1)

    m.bind({"AState": lambda e: m.spawn(work(m.state_context("A", e)))})
    m.add("A")
    await asyncio.sleep(1.5)
    m.remove("A")
    await asyncio.sleep(2)
    assert seen == [1, 1]
    assert len(m._tasks) == 0


async def test_frk_1_a_fork_belongs_to_a_context_and_its_failure_is_an_error() -> None:
    """differs from Go: coroutine handlers and `StateContext.spawn` do what forks are for."""
    logging.disable()
    m, seen = mach("A"), []

    async def work() -> None:
        await asyncio.sleep(1)
        seen.append("ran")
        raise ValueError("boom")

    context = m.state_context("A")
    context.spawn(work())
    await asyncio.sleep(1.5)
    logging.disable(logging.NOTSET)
    assert (seen, str(m.err), m.is_err()) == (["ran"], "boom", True)
    m.add("A")  # the context is over
    task = context.spawn(work())
    await asyncio.wait([task])
    assert task.cancelled()
    assert seen == ["ran"]


def test_evl_2_an_eval_is_not_run_any_more_once_it_is_over() -> None:
    m, ran = mach("A"), []
    assert m.eval("me", lambda: ran.append(1))
    m.dispose_force()
    assert not m.eval("me", lambda: ran.append(2))
    assert ran == [1]


def test_evl_2_a_failing_eval_says_no_too() -> None:
    logging.disable()
    m = mach("A")
    assert not m.eval("me", lambda: boom(0))
    logging.disable(logging.NOTSET)
    assert m.is_err()


def test_dsp_5_a_machine_outlives_its_parents_end_until_it_said_goodbye() -> None:
    parent, seen = mach("A", "parent"), []
    child = mach("Disposing Disposed", "child", parent=parent, Disposed="")
    child.bind({"DisposingState": lambda _: seen.append(parent.is_disposed)})
    grandchild = mach("A", "grandchild", parent=child)
    parent.dispose_force()
    assert (seen, child.is_("Disposing"), grandchild.is_disposed) == ([True], True, False)
    child.dispose_force()
    assert grandchild.is_disposed


def test_trc_4_the_last_transition_is_kept() -> None:
    last = LastTx()
    m = mach("A", tracers=[last])
    assert (last.id, last.tx) == ("lasttx", None)
    m.add("A")
    m.remove("A")
    assert last.tx is not None
    assert str(last.tx.mutation) == "[remove] A"


def test_trc_5_the_projects_tracers_listen_to_the_hooks_they_are_said_to() -> None:
    from amctl.telemetry.dbgtracer import DebugTracer

    hooks = ("schema_change", "mutation_queued", "transition_end", "machine_dispose")
    assert all(getattr(DebugTracer, h) is not getattr(Tracer, h) for h in hooks)


def test_evt_2_what_is_exported_and_copied() -> None:
    m, got = mach("A"), []
    m.bind({"AEnter": got.append})
    m.can_add("A", {"x": 1})
    event = got[0]
    assert event.export() == EventId("m", "AEnter", event.transition.id, is_check=True)
    other = event.with_args({"y": 2})
    assert (other.name, other.raw, event.raw) == ("AEnter", {"y": 2}, {"x": 1})
    assert other.machine is m


def test_evt_3_a_source_from_outside_has_ids_only() -> None:
    m, told = mach("A"), Recorder()
    m.bind_tracer(told)
    m.add("A", source=Source("elsewhere", "t1"))
    source = told.ended[0].source
    assert (source.machine_id, source.tx_id, source.time) == ("elsewhere", "t1", 0)


def test_arg_4_arguments_are_judged_by_an_enter_handler() -> None:
    m = mach("A")
    m.bind({"AEnter": lambda e: e.args(AGo).size > 3})
    assert m.add("A").canceled
    assert m.can_add("A", {AGo.key(): AGo(2)}).canceled
    assert m.add("A", {AGo.key(): AGo(4)}).executed


def test_par_1_a_parent_has_its_tracers_told_and_nothing_else() -> None:
    told = Recorder()
    parent = mach("A", "parent", tracers=[told])
    told.take()
    child = mach("A", "child", parent=parent, tracers=[Recorder("own")])
    far = mach("A", "far", parent_id="parent")
    assert told.take() == ["sub parent child"]
    assert (child.parent_id, far.parent_id) == ("parent", "parent")
    assert child.tracers[0].seen[0] == "init child"  # type: ignore[attr-defined]  # a Recorder
    child.dispose_force()
    assert not parent.is_disposed
    parent.dispose_force()
    assert not far.is_disposed


def test_exp_1_an_export_has_these_keys() -> None:
    m = mach("A B", A="require:B")
    m.add(["A", "B"])
    assert m.export() == {
        "id": "m",
        "state_names": ["A", "B", "Exception"],
        "time": [1, 1, 0],
        "queue_tick": 2,
        "machine_tick": 0,
        "schema": {"A": {"require": ["B"]}, "B": {}, "Exception": {"multi": True}},
    }


def test_exp_2_only_the_same_machine_is_imported() -> None:
    m, n = mach("A"), mach("A", "n")
    with pytest.raises(SchemaError, match="can't import 'n'"):
        m.import_(n.export())
    with pytest.raises(SchemaError, match="can't import"):
        m.import_(mach("A B").export())


def test_hlt_1_the_core_knows_no_more_of_health_than_its_triggers() -> None:
    m, told = (
        mach("Healthcheck Heartbeat A", A="auto require:Nope", Healthcheck="multi"),
        Recorder(),
    )
    m.bind_tracer(told)
    assert m.add("Healthcheck").executed
    assert m.add("Heartbeat").executed
    assert [tx.is_health for tx in told.ended] == [True, True]
    assert not any(tx.is_auto for tx in told.ended)
    m.add(["Healthcheck", "Heartbeat"])
    assert not told.ended[2].is_health
    assert told.ended[3].is_auto
    assert m.is_("Heartbeat")  # a handler of its own removes it


def test_sem_3_steps_are_worked_out_for_who_asks_checks_too() -> None:
    from amctl.machine.steps import steps_of

    m, told = mach("A B", A="add:B"), Recorder()
    m.bind_tracer(told)
    m.can_add("A")
    assert len(steps_of(told.ended[0])) > 1


def test_hnd_9_a_veto_is_the_answer_false_alone(caplog: pytest.LogCaptureFixture) -> None:
    for answer in (None, True):
        m = mach("A", handlers={"AEnter": lambda _, answer=answer: answer})
        assert m.add("A").executed
    assert mach("A", handlers={"AEnter": no}).add("A").canceled
    m = mach("A", handlers={"AEnter": lambda _: 1})
    assert m.add("A").canceled
    assert "HandlerResultError" in caplog.text or m.is_err()


def test_que_7_what_is_put_in_front_runs_last_in_first_out() -> None:
    m, log = mach("A B Go"), Log()

    def ask(_: Event) -> None:
        m.can_add("A")
        m.can_add("B")

    log.bind(m, "AEnter", "BEnter", GoState=ask)
    m.add("Go")
    assert log.take() == "GoState BEnter AEnter"


def test_mut_2_an_empty_toggle_is_a_removal() -> None:
    m, told = mach("A"), Recorder()
    m.bind_tracer(told)
    assert m.toggle([]).executed
    assert str(told.ended[0].mutation) == "[remove] "


def test_sub_2_a_time_is_looked_at_when_its_state_moves() -> None:
    m = mach("A B")
    signal = m.when_time(["A"], [1])
    m.import_({**m.export(), "time": [1, 0, 0]})
    m.add("B")
    assert not signal.done()
    m.remove("A")
    assert signal.done()


def test_sub_6_a_failed_final_phase_leaves_no_wait_stale() -> None:
    """Errata: subscriptions count edges; after a recovery they count the truth (PAN-9)."""
    logging.disable()
    m = mach("A B", handlers={"BState": boom})
    both, off = m.when("A", "B"), m.when("A")
    m.add(["A", "B"])
    assert (off.done(), both.done()) == (True, False)
    m.detach(m.bindings[0])
    logging.disable(logging.NOTSET)
    m.add("B")
    assert both.done()


def test_rel_12_exits_stand_in_active_order_then_sorted() -> None:
    m, log = mach("A B C D", A="after:D"), Log()
    m.set(["C", "A", "B", "D"])
    log.bind(m, "AExit", "BExit", "CExit", "DExit")
    assert m.active == ["C", "A", "B", "D"]  # B stands between those that are related
    m.set("B")
    assert log.take() == "CExit DExit AExit"


def test_sub_5_an_empty_map_waits_for_any_activation_and_shares_with_its_like() -> None:
    m = mach("A")
    signal, other = m.when_args("A", {}), m.when_args("A", {"x": 1})
    assert m.when_args("A", None) is signal
    m.add("A", {"y": 1})
    assert (signal.done(), other.done()) == (True, False)
