"""Steps of transitions (section 25), found by resolving once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.machine import Machine, MutationType, Schema, Source, Transition
from amctl.machine._replay import Replay
from amctl.machine.plan import AUTO
from amctl.machine.relations import Resolver
from amctl.machine.steps import (
    CALLED,
    HANDLER,
    RELATION,
    Step,
    StepRecorder,
    step_text,
    steps_of,
)
from amctl.rpc._transition import MirrorTransition
from tests.machine.strategies import schemas
from tests.machine.tools import Log, boom, mach, no
from tests.support.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.telemetry.messages import SchemaMsg, TxMsg

REQUIRE = 2


class Steps(StepRecorder):
    """Keeps the steps of every transition, as texts."""

    def __init__(self, id: str = "steps") -> None:
        self.id = id
        self.all: list[tuple[str, ...]] = []
        self.steps: tuple[Step, ...] = ()

    def transition_end(self, tx: Transition) -> None:
        self.steps = steps_of(tx)
        self.all.append(tuple(step_text(s, tx.machine.names) for s in self.steps))


def steps(machine: Machine, call: Any = None) -> list[str]:
    """The steps of the last transition of a call, without bold marks."""
    tracer = Steps()
    machine.bind_tracer(tracer)
    call()
    machine.detach_tracer(tracer)
    return [line.replace("**", "") for line in tracer.all[-1]]


@pytest.mark.slow
@given(schemas(), st.data())
def test_both_resolvers_agree(raw: Schema, data: st.DataObject) -> None:
    schema = raw.compiled()
    some = st.lists(st.integers(0, len(schema.names) - 1), unique=True).map(tuple)
    active, called, kind = data.draw(some), data.draw(some)[:3], data.draw(st.integers(0, 2))
    masks = [sum(1 << i for i in items) for items in (called, active)]
    targets, _ = Resolver(schema).targets(kind, called, masks[0], active, masks[1])
    assert Replay(schema, kind, called, active).targets == targets


def test_stp_called_comes_first_and_adding_activates_what_is_not_active() -> None:
    m = mach("A B")
    m.add("A")
    assert steps(m, lambda: m.add(["B", "A"])) == ["called B", "called A", "activate B"]


def test_stp_remove_deactivates_each_called_one() -> None:
    m = mach("A B")
    m.add("A")
    expected = ["called A", "called B", "deactivate A", "deactivate B"]
    assert steps(m, lambda: m.remove(["A", "B"])) == expected


def test_stp_set_deactivates_what_is_not_called() -> None:
    m = mach("A B")
    m.add("A")
    assert steps(m, lambda: m.set("B")) == ["called B", "activate B", "deactivate A"]


def test_stp_implied_states_are_recorded_in_both_passes() -> None:
    m = mach("A B C", A="add:B,C")
    once = ["A add B", "A add C", "activate B", "activate C"]
    assert steps(m, lambda: m.add("A")) == ["called A", "activate A", *once, *once]


def test_stp_removal_does_not_imply_what_it_calls() -> None:
    m = mach("A B C", A="multi add:B,C")
    m.add("A")
    once = ["A add C", "activate C"]
    assert steps(m, lambda: m.remove("B")) == ["called B", "deactivate B", *once, *once]


def test_stp_every_check_of_require_and_what_is_missing() -> None:
    m = mach("A B C", A="require:B,C", B="require:C")
    m.add("C")
    assert steps(m, lambda: m.add("A")) == [
        "called A",
        "activate A",
        "A require B",
        "deactivate-passive A",
        "cancel B",
        "A require C",
        "cancel A",
    ]


def test_stp_a_missing_requirement_that_does_not_exist() -> None:
    m = mach("A", A="require:Nope")
    assert steps(m, lambda: m.add("A"))[2:] == [
        "A",
        "deactivate-passive A",
        "cancel Any",
        "cancel A",
    ]


def test_stp_blocked_states_with_each_blocker() -> None:
    m = mach("A B C D", A="remove:B,C", D="remove:C")
    m.add("B")
    assert steps(m, lambda: m.add(["A", "D", "C"])) == [
        "called A",
        "called D",
        "called C",
        "activate A",
        "activate D",
        "activate C",
        "A remove B",
        "deactivate B",
        "A remove C",
        "D remove C",
        "deactivate-passive C",
        "cancel C",
    ]


def test_stp_the_fallen_block_no_more_but_are_recorded() -> None:
    m = mach("A B", A="remove:B", B="remove:A")
    m.add("B")
    assert steps(m, lambda: m.add("A"))[2:] == ["A remove B", "deactivate B", "B remove A"]


def test_stp_comparisons_by_after_those_of_exits_too() -> None:
    m = mach("A B C D", A="after:B", C="after:D")
    assert steps(m, lambda: m.set(["A", "B"]))[4:] == ["B after A"]
    assert steps(m, lambda: m.set(["D", "C"]))[6:] == ["D after C", "B after A"]


def test_stp_handlers_that_ran_in_their_order() -> None:
    m = mach("A B")
    Log().bind(m)
    m.add("A")
    assert steps(m, lambda: m.set("B"))[3:] == [
        "handler AExit",
        "handler BEnter",
        "handler A after BExit",
        "handler AnyEnter",
        "handler AEnd",
        "handler BState",
        "handler AnyState",
    ]
    assert steps(m, lambda: m.add("B"))[1:] == [
        "handler BB",
        "handler AnyEnter",
        "handler AnyState",
    ]


def test_stp_a_handler_is_a_step_however_many_bindings_have_it() -> None:
    m = mach("A")
    for _ in range(3):
        Log().bind(m, "AEnter", "AState")
    assert steps(m, lambda: m.add("A"))[2:] == ["handler AEnter", "handler AState"]


def test_stp_handlers_behind_a_veto_or_a_failure_did_not_run() -> None:
    m = mach("A B")
    Log().bind(m, "BEnter", AEnter=no)
    assert steps(m, lambda: m.add(["A", "B"]))[4:] == ["handler AEnter"]
    m = mach("A B")
    Log().bind(m, "BState", AState=boom)
    failed = Steps()
    m.bind_tracer(failed)
    m.add(["A", "B"])
    assert failed.all[0][4:] == ("handler **A**State",)


def test_stp_1_without_a_recorder_there_are_no_handler_steps() -> None:
    m = mach("A")
    Log().bind(m)

    class Plain(Steps):
        def handler_start(self, tx: Transition, binding: str, name: str) -> None:
            pass

    plain = Plain()
    m.bind_tracer(plain)
    m.add("A")
    assert [s.type for s in plain.steps] == [CALLED, 4]


def test_two_recorders_do_not_disturb_each_other() -> None:
    m = mach("A")
    Log().bind(m, "AState")
    both = Steps("one"), Steps("two")
    for tracer in both:
        m.bind_tracer(tracer)
    m.add("A")
    assert both[0].all == both[1].all
    assert len(both[0].all[0]) == 3


def test_handlers_with_a_prefix_have_their_whole_name() -> None:
    m = mach("FooA FooB")
    Log().bind(mach("A B"), "AEnter")
    log: list[str] = []
    m.bind({"AEnter": lambda _: log.append("AEnter"), "BFooA": lambda _: None}, prefix="Foo")
    assert steps(m, lambda: m.add("FooA"))[2:] == ["handler FooAEnter"]


def test_a_name_with_two_meanings_takes_the_one_that_fits() -> None:
    """FrontEnd is a state of its own here, and the final handler of Front."""
    m = mach("Front FrontEnd End")
    m.bind({"FrontEnd": lambda _: None, "FrontEndEnter": lambda _: None})
    m.add("Front")
    tracer = Steps()
    m.bind_tracer(tracer)
    m.remove("Front")
    assert tracer.steps[-1] == Step(HANDLER, target=0, is_final=True)
    m.add("FrontEnd")
    assert tracer.steps[-1] == Step(HANDLER, target=1, is_enter=True)


def test_tx_7_auto_transitions_resolve_twice() -> None:
    m = mach("A B C", A="auto add:C", B="")
    Log().bind(m, "AEnter", "AState")
    once = ["A add C", "activate C"]
    assert steps(m, lambda: m.add("B")) == [
        "called A",
        "activate A",
        *once,
        *once,
        "handler AEnter",
        "activate A",
        *once,
        *once,
        "handler AState",
    ]


def test_tx_7_rejected_ones_do_it_without_called_states() -> None:
    m = mach("A B C D", A="auto require:D", B="", C="require:B")
    m.add("B")
    assert steps(m, lambda: m.add("C")) == [
        "called A",
        "activate A",
        "A require D",
        "deactivate-passive A",
        "cancel D",
        *["C require B"] * 3,
        "cancel A",
        *["C require B"] * 2,
    ]


def test_neg_3_what_an_auto_state_vetoed_is_gone_the_second_time() -> None:
    m = mach("A B C", A="auto", B="auto add:C")
    Log().bind(m, "BEnter", BEnter=no)
    found = steps(m, lambda: m.add("Exception"))
    assert found[-2:] == ["handler BEnter", "activate A"]


def test_a_name_of_an_entering_state_or_of_a_pair() -> None:
    """ABEnter is for AB that enters, or for the pair of AB and Enter."""
    m = mach("A Enter AB")
    m.bind({"ABEnter": lambda _: None})
    tracer = Steps()
    m.bind_tracer(tracer)
    m.add("AB")
    assert tracer.steps[-1] == Step(HANDLER, target=2, is_enter=True)
    m.add("Enter")
    assert tracer.steps[-1] == Step(HANDLER, source=2, target=1)


def test_a_handler_whose_binding_is_gone_is_a_step_of_nobody() -> None:
    m = mach("FooA B")
    m.bind({"AState": lambda _: m.detach("gone")}, prefix="Foo", id="gone")
    tracer = Steps()
    m.bind_tracer(tracer)
    m.add("FooA")
    assert tracer.steps[-1] == Step(HANDLER, is_final=True)


def test_a_mirrors_transition_has_no_plan_but_moves() -> None:
    m = mach("A B")
    called = m._called(("B",))
    orders, times = ((0,), (1,)), ((1, 0, 0), (2, 1, 0))
    tx = MirrorTransition(m, MutationType.SET, called, orders, times, 3, Source("far"))
    found = [step_text(s, m.names) for s in steps_of(tx)]
    assert found == ["called **B**", "activate **B**", "deactivate **A**"]


def test_checks_have_steps_too() -> None:
    m = mach("A B", A="require:B")
    Log().bind(m, "BEnter", "BState")
    assert steps(m, lambda: m.can_add("B")) == ["called B", "activate B", "handler BEnter"]
    assert steps(m, lambda: m.can_add("A"))[-1] == "cancel A"


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Step(CALLED, target=1), "called **B**"),
        (Step(4, target=0), "activate **A**"),
        (Step(8, target=0), "deactivate **A**"),
        (Step(16, source=0), "deactivate-passive **A**"),
        (Step(64, target=9), "cancel **Any**"),
        (Step(RELATION, 0, 1, 0), "**A** after **B**"),
        (Step(RELATION, 0, 1, 1), "**A** add **B**"),
        (Step(RELATION, 0, 1, 2), "**A** require **B**"),
        (Step(RELATION, 0, 1, 3), "**A** remove **B**"),
        (Step(HANDLER, source=0), "handler **A**Exit"),
        (Step(HANDLER, target=0, is_enter=True), "handler **A**Enter"),
        (Step(HANDLER, target=0, is_self=True), "handler **A**A"),
        (Step(HANDLER, 0, 1), "handler **A** after **B**Exit"),
        (Step(HANDLER, is_enter=True), "handler **Any**Enter"),
        (Step(HANDLER, target=0, is_final=True), "handler **A**End"),
        (Step(HANDLER, target=0, is_final=True, is_enter=True), "handler **A**State"),
        (Step(HANDLER, is_self=True), "handler **Any**Any"),
        (Step(3, target=0), "3 **A**"),
    ],
)
def test_str_6_text(step: Step, text: str) -> None:
    assert step_text(step, ("A", "B")) == text


# -- what the original recorded


class Replayed:
    """One machine of a recording, brought to each of its transitions."""

    def __init__(self, schema: SchemaMsg) -> None:
        self.machine = Machine("m", Schema(schema.states, schema.names))
        self.active: tuple[int, ...] = ()

    def expect(self, tx: TxMsg) -> tuple[Step, ...]:
        """Our steps for it. Afterwards the machine has followed."""
        machine = self.machine
        kind = AUTO if tx.is_auto else tx.type
        config = machine._planner.config(self.order(tx))
        plan = machine._planner.plan(config, kind, machine._planner.called(tx.called))
        mine = Transition(machine, plan, {})
        mine.is_accepted = tx.accepted
        mine.ran = self, list(_ran(tx, machine.names))
        if tx.accepted:
            assert plan.outcome is not None
            self.active = plan.outcome.targets
        assert plan.accepted == tx.accepted  # nothing was vetoed in this recording
        assert {i for i, tick in enumerate(tx.clocks) if tick & 1} == {*self.active}
        return steps_of(mine)

    def order(self, tx: TxMsg) -> tuple[int, ...]:
        """What was active, in the original's order: it goes through its states by Require in an
        order that is another one in every process, and shows only here."""
        first: dict[int, int] = {}
        for at, step in enumerate(tx.steps):
            if step.type == RELATION and step.relation == REQUIRE:
                first.setdefault(step.source, at)
        known = sorted((i for i in self.active if i in first), key=first.__getitem__)
        rest = iter(known)
        return tuple(next(rest) if i in first else i for i in self.active)


def _ran(tx: TxMsg, names: tuple[str, ...]) -> Iterator[tuple[str, str, bool]]:
    for step in tx.steps:
        if step.type == HANDLER:
            text = step_text(step, names).replace("*", "")
            yield "b", text.removeprefix("handler "), step.is_final


@needs_shared
@pytest.mark.slow
def test_golden_the_steps_of_the_recorded_workflow() -> None:
    """Every recorded transition with steps, step by step; sides are indexes there, too."""
    from amctl.dump.gob import read_gob

    dump = read_gob(SHARED / "data" / "wasm-workflow.gob.br")
    same = 0
    for id in dump.machines():
        replayed = Replayed(dump.schema(id))
        for tx in dump.transitions(id):
            if tx.steps and not tx.is_queued:
                assert replayed.expect(tx) == tx.steps, (id, tx.id)
                same += 1
    assert same == 346
