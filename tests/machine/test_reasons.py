"""Why transitions are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.machine import Machine, Tracer, Transition
from amctl.machine.handlers import HandlerTable
from amctl.machine.plan import AUTO, CHECK_ADD, CHECK_REMOVE, Planner
from amctl.machine.reasons import Reason, explain, reason_of
from amctl.machine.relations import ADD, REMOVE, SET
from tests.machine.strategies import schemas
from tests.machine.tools import Recorder, boom, mach, no

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import Schema


class Reasons(Tracer):
    """Keeps the reason of every transition."""

    id = "reasons"

    def __init__(self) -> None:
        self.all: list[Reason | None] = []

    def transition_end(self, tx: Transition) -> None:
        self.all.append(reason_of(tx))


def why(m: Machine, call: Callable[[], object]) -> Reason:
    """The reason of the first transition of a call."""
    tracer = Reasons()
    m.bind_tracer(tracer)
    call()
    m.detach_tracer(tracer)
    reason = tracer.all[0]
    assert reason is not None
    return reason


def test_what_was_accepted_has_none() -> None:
    m = mach("A B", B="auto")
    tracer = Reasons()
    m.bind_tracer(tracer)
    m.add("A")
    m.remove("A")
    assert tracer.all == [None, None, None]


def test_a_missing_requirement() -> None:
    m = mach("A B C", A="require:B,C")
    m.add("C")
    reason = why(m, lambda: m.add("A"))
    assert reason == Reason("require", "A", ("B",))
    assert str(reason) == "A requires B"


def test_several_missing_ones() -> None:
    m = mach("A B C D", A="require:B,C,D")
    assert str(why(m, lambda: m.add("A"))) == "A requires B, C and D"


def test_the_end_of_a_chain_is_what_has_to_be_activated() -> None:
    m = mach("A B C D", A="require:B", B="require:C,D")
    m.add("D")
    reason = why(m, lambda: m.add("A"))
    assert reason == Reason("require", "A", ("C",), text="A requires B, B requires C")
    assert str(reason) == "A is missing C: A requires B, B requires C"


def test_a_chain_of_states_that_were_called_together() -> None:
    m = mach("A B C", A="require:B", B="require:C")
    assert why(m, lambda: m.add(["A", "B"])).by == ("C",)


def test_a_circle_has_no_end() -> None:
    m = mach("A B", A="require:B", B="require:A")
    reason = why(m, lambda: m.add("A"))
    assert (reason.kind, reason.by) == ("require", ("B",))


def test_a_requirement_that_does_not_exist() -> None:
    m = mach("A B", A="require:Nope,B,Nor")
    assert str(why(m, lambda: m.add("A"))) == "A requires Nope, B and Nor"


def test_a_requirement_that_an_active_state_removes() -> None:
    m = mach("A B C", A="require:B", C="remove:B")
    m.add("C")
    reason = why(m, lambda: m.add("A"))
    assert reason.by == ("B",)
    assert str(reason) == "A is missing B: A requires B, B is removed by C"


def test_a_requirement_that_fell_in_the_same_call() -> None:
    m = mach("A B C", A="require:B add:C", C="remove:B")
    m.add("B")
    assert str(why(m, lambda: m.add("A"))) == "A is missing B: A requires B, B is removed by C"


def test_blocked_by_whose_remove() -> None:
    m = mach("A B C", B="remove:A", C="remove:A")
    m.add(["B", "C"])
    reason = why(m, lambda: m.add("A"))
    assert reason == Reason("remove", "A", ("B", "C"))
    assert str(reason) == "A is removed by B and C"


def test_the_first_called_state_that_could_not_be() -> None:
    m = mach("A B C", B="require:C", C="")
    assert why(m, lambda: m.add(["A", "B"])).state == "B"


def test_auto_transitions() -> None:
    m = mach("A B C", A="auto require:B")
    tracer = Reasons()
    m.bind_tracer(tracer)
    m.add("C")
    assert tracer.all == [None, Reason("require", "A", ("B",))]


def test_vetoes_name_handler_and_binding() -> None:
    m = mach("A B")
    m.bind({"AEnter": lambda _: True}, id="kind")
    m.bind({"AEnter": no, "AB": no, "AnyEnter": no}, id="stern")
    reason = why(m, lambda: m.add("A"))
    assert reason == Reason("veto", "A", handler="AEnter", binding="stern")
    assert str(reason) == "AEnter of binding stern vetoed it"
    reason = why(m, lambda: m.add("B"))
    assert reason == Reason("veto", handler="AnyEnter", binding="stern")


def test_vetoes_with_a_prefix_have_the_whole_name() -> None:
    m = mach("FooA")
    m.bind({"AEnter": no}, prefix="Foo", id="b")
    assert why(m, lambda: m.add("FooA")).handler == "FooAEnter"


def test_neg_3_the_last_veto_of_an_auto_transition_that_lost_everything() -> None:
    m = mach("A B C", A="auto", B="auto", C="")
    m.bind({"AEnter": no, "BEnter": no, "CExit": lambda _: None}, id="b")
    tracer = Reasons()
    m.bind_tracer(tracer)
    m.add("C")
    m.remove("C")
    assert tracer.all == [None, None, None, Reason("veto", "B", handler="BEnter", binding="b")]


def test_failed_handlers() -> None:
    m = mach("A B")
    m.bind({"AEnter": boom, "BState": boom}, id="b")
    reason = why(m, lambda: m.add("A"))
    assert reason == Reason("error", "A", handler="AEnter", binding="b", text="boom")
    assert str(reason) == "AEnter of binding b failed: boom"
    assert why(m, lambda: m.add("B")).handler == "BState"


def test_pan_7_handlers_that_ran_too_long() -> None:
    ticks = iter(range(0, 1000, 10))
    m = mach("A", handler_timeout=1.0, now=lambda: float(next(ticks)))
    m.bind({"AEnter": lambda _: None}, id="b")
    reason = why(m, lambda: m.add("A"))
    assert reason.kind == "timeout"
    assert str(reason).startswith("AEnter of binding b ran too long: ")


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason("relations", by=("A", "B")), "relations refuse A and B"),
        (Reason("relations"), "relations refuse it"),
        (Reason("error", handler="AState", binding="b"), "AState of binding b failed"),
    ],
)
def test_text_of_the_rest(reason: Reason, text: str) -> None:
    assert str(reason) == text


@pytest.mark.slow
@given(schemas(), st.data())
def test_there_is_a_reason_exactly_when_relations_refuse(raw: Schema, data: st.DataObject) -> None:
    schema = raw.compiled()
    some = st.lists(st.integers(0, len(schema.names) - 1), unique=True)
    active, called = data.draw(some), data.draw(some)[:3]
    kind = data.draw(st.sampled_from((ADD, REMOVE, SET, CHECK_ADD, CHECK_REMOVE, AUTO)))
    if kind == AUTO and not called:
        return
    planner = Planner(schema, HandlerTable(schema.names, ()))
    config, names = planner.config(tuple(active)), planner.called(tuple(called))
    reason = explain(schema, config, kind, names)
    accepted = planner._accepts(kind, names, _targets(planner, config, kind, names))
    assert (reason is None) == accepted
    if reason is not None:
        assert reason.kind in ("require", "remove")
        assert reason.state in names.names
        assert reason.by
        assert str(reason)


def _targets(planner: Planner, config: Any, kind: int, called: Any) -> int:
    plan = planner.plan(config, kind, called)
    return sum(1 << i for i in plan.targets)


def test_the_reason_of_a_plan_that_runs_again_is_kept() -> None:
    m, recorder = mach("A", A="require:Nope"), Recorder()
    m.bind_tracer(recorder)
    for _ in range(4):
        m.add("A")
    found = [reason_of(tx) for tx in recorder.ended]
    assert {str(one) for one in found} == {"A requires Nope"}
    assert found[-1] is found[-2]
