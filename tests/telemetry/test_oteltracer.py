"""The tree of spans: otel.md's oracle (section 11), its likely faults (12), what is better (13).

Every rule is tried with both sinks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine, Source, State, States
from amctl.machine.registry import find, live
from amctl.telemetry.spans import SpanRef, from_traceparent, traceparent
from tests.telemetry.span_world import WORLDS, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.machine import Event

FAR = SpanRef("ab" * 16, "cd" * 8)


class MStates(States):
    A = State()
    B = State(multi=True)
    C = State(require=["A"])
    Auto = State(auto=True, require=["A"])
    Healthcheck = State(multi=True)
    RegisterDisposal = State()


class Handlers:
    def AEnter(self, e: Event) -> bool:
        return "no" not in e.raw

    def AState(self, e: Event) -> None:
        pass


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    yield WORLDS[request.param]()
    for one in live():
        one.dispose()


def machine(id: str = "m", **options: object) -> Machine:
    return Machine(id, MStates, **options)  # type: ignore[arg-type]


def test_bind_makes_the_groups_at_once(world: World) -> None:
    world.tracer().follow(machine())
    assert world.names() == ["mach:0:m", "0:states", "0:transitions"]
    assert world.path(world.one("0:states")) == ["mach:0:m", "0:states"]
    assert world.one("mach:0:m").attributes == {"am.id": "m"}
    assert world.one("0:states").attributes == {"am.mach_id": "m"}


def test_add_a_opens_an_instance_and_a_transition(world: World) -> None:
    m = machine()
    tracer = world.tracer(auto=False)
    tracer.follow(m)
    m.add("A")
    tx = world.one("0: [add] A")
    assert world.path(tx) == ["mach:0:m", "0:transitions", "0: [add] A"]
    assert tx.attributes["am.states_diff"] == "+A"
    assert tx.attributes["am.accepted"] is True
    assert (tx.attributes["am.time_before"], tx.attributes["am.time_after"]) == (0, 1)
    assert tx.attributes["am.steps_count"] >= 2
    (name,) = world.named("0:A")  # the instance is still open
    tracer.close()
    _, instance = world.named("0:A")
    assert instance.parent == name.id
    assert instance.events == [("[add] A", {})]
    assert instance.attributes == {"am.tx_id": tx.attributes["am.tx_id"]}
    assert (instance.id, "added") in tx.links


def test_a_multi_state_is_one_instance_with_events(world: World) -> None:
    m = machine()
    tracer = world.tracer()
    tracer.follow(m)
    m.add("B")
    m.add("B")
    tracer.close()
    name, instance = world.named("0:B [M]")
    assert instance.parent == name.id
    assert instance.events == [("[add] B", {})] * 2
    first, second = world.named("0: [add] B")
    assert (first.attributes["am.states_diff"], second.attributes["am.states_diff"]) == ("+B", "+B")


def test_remove_ends_the_instance_and_links_to_it(world: World) -> None:
    m = machine()
    world.tracer(auto=False).follow(m)
    m.add("A")
    m.remove("A")
    _, instance = world.named("0:A")
    tx = world.one("0: [remove] A")
    assert tx.attributes["am.states_diff"] == "-A -Auto"
    assert (instance.id, "removed") in tx.links
    assert tx.start < instance.end < tx.end


def test_a_state_that_comes_back_is_a_new_instance_below_the_same_name(world: World) -> None:
    m = machine()
    tracer = world.tracer(auto=False)
    tracer.follow(m)
    for _ in range(2):
        m.add("A")
        m.remove("A")
    name, one, two = world.named("0:A")
    assert one.parent == two.parent == name.id
    assert one.id != two.id


def test_canceled_transitions_touch_no_states_and_say_why(world: World) -> None:
    m = machine()
    tracer = world.tracer()
    tracer.follow(m)
    m.add("C")
    tracer.close()
    tx = world.one("0: [add] C")
    assert tx.attributes["am.accepted"] is False
    assert tx.attributes["am.reason"] == "C requires A"
    assert {"am.time_after", "am.states_diff"}.isdisjoint(tx.attributes)
    assert world.named("0:C") == []


def test_handlers_are_events_of_the_transition(world: World) -> None:
    m = machine()
    m.bind(Handlers(), id="hands")
    tracer = world.tracer(auto=False)
    tracer.follow(m)
    m.add("A")
    tx = world.one("0: [add] A")
    assert tx.events == [("AEnter", {"emitter": "hands"}), ("AState", {"emitter": "hands"})]


def test_an_error_marks_name_and_status(world: World) -> None:
    m = machine()
    tracer = world.tracer()
    tracer.follow(m)
    m.add_err(ValueError("broken"))
    m.add("B")  # Exception stays active, which is no further error
    tracer.close()
    tx = world.one("0: ![add] Exception")
    assert tx.attributes["am.error"] == "broken"
    assert (tx.status, tx.message) == ("error", "broken")
    assert tx.events[0] == (
        "exception",
        {"exception.type": "ValueError", "exception.message": "broken"},
    )
    assert len(world.named("0:Exception [M]")) + len(world.named("0:Exception")) == 2
    assert world.one("0: [add] B").status == "unset"


def test_a_child_nests_below_submachines(world: World) -> None:
    m = machine()
    world.tracer().follow(m)
    k = machine("k", parent=m)
    machine("g", parent=k)
    assert world.names()[3:] == [
        "0:submachines", "mach:1:k", "1:states", "1:transitions",
        "1:submachines", "mach:2:g", "2:states", "2:transitions",
    ]  # fmt: skip
    top = ["mach:0:m", "0:submachines", "mach:1:k", "1:submachines", "mach:2:g", "2:states"]
    assert world.path(world.one("2:states")) == top


def test_children_that_are_there_already_are_found(world: World) -> None:
    m = machine()
    machine("k", parent=m)
    world.tracer().follow(m)
    assert "mach:1:k" in world.names()


def test_dispose_ends_every_span(world: World) -> None:
    m = machine()
    world.tracer().follow(m)
    m.add(["A", "B"])
    m.dispose_force()
    assert len(world.named("0:A")) == len(world.named("0:B [M]")) == 2


def test_closing_lets_all_machines_go(world: World) -> None:
    m = machine()
    tracer = world.tracer()
    tracer.follow(m)
    k = machine("k", parent=m)
    tracer.close()
    tracer.close()
    before = len(world.seen())
    m.add("A")
    k.add("A")
    machine("late", parent=m)
    assert len(world.seen()) == before


def test_a_second_machine_of_one_id_is_left_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    m = machine()
    world.tracer().follow(m)
    machine("k", parent=m)
    machine("k", parent=m)
    assert world.names().count("mach:1:k") == 1
    assert "a second machine k isn't traced" in caplog.text


def test_what_another_machine_of_the_id_has_left_comes_last(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    old, m = machine(), machine()
    left, own = machine("k", parent=old), machine("k", parent=m)
    world.tracer().follow(m)
    assert "a second machine k isn't traced" in caplog.text
    left.add("A")
    assert world.named("1: [add] A") == []
    own.add("A")
    assert len(world.named("1: [add] A")) == 1


# --- causes


def test_a_transition_links_to_its_source(world: World) -> None:
    m, k = machine(), machine("k")
    tracer = world.tracer(auto=False)
    tracer.follow(m)
    tracer.follow(k)

    class Both:
        def AState(self, e: Event) -> None:
            k.add("B", source=e)

    m.bind(Both())
    m.add("A")
    cause, effect = world.one("0: [add] A"), world.one("1: [add] B")
    assert (cause.id, "source") in effect.links


def test_trace_context_rides_on_mutations(world: World) -> None:
    m = machine()
    tracer = world.tracer()
    tracer.follow(m)
    m.add("B", source=Source("elsewhere", "tx1", 0, traceparent(FAR)))
    assert (FAR.span_id, "source") in world.one("0: [add] B").links
    given: list[Source] = []

    class Leave:
        def BState(self, e: Event) -> None:
            given.append(e.as_source())

    m.bind(Leave())
    m.add("B")
    last = world.named("0: [add] B")[-1]
    ref = from_traceparent(given[0].trace)
    assert ref is not None
    assert ref.span_id == last.id


@pytest.mark.parametrize("text", [b"", b"nonsense", b"00-" + b"0" * 32 + b"-" + b"1" * 16 + b"-01"])
def test_trace_context_that_is_none_is_no_link(world: World, text: bytes) -> None:
    m = machine()
    world.tracer().follow(m)
    m.add("B", source=Source("elsewhere", "tx1", 0, text))
    assert [kind for _, kind in world.one("0: [add] B").links if kind == "source"] == []


def test_only_the_last_300_transitions_are_remembered(world: World) -> None:
    m, k = machine(), machine("k")
    tracer = world.tracer(auto=False)
    tracer.follow(m)
    tracer.follow(k)
    ids: list[str] = []

    class Note:
        def BState(self, e: Event) -> None:
            ids.append(e.transition.id)

    m.bind(Note())
    for _ in range(301):
        m.add("B")
    k.add("B", source=Source("m", ids[0]))
    k.add("B", source=Source("m", ids[1]))
    old, young = world.named("1: [add] B")
    assert [kind for _, kind in old.links] == ["added"]
    assert [kind for _, kind in young.links] == ["source", "added"]


def test_the_tree_stands_below_a_remote_parent(world: World) -> None:
    world.tracer(parent=FAR).follow(machine())
    top = world.one("mach:0:m")
    assert (top.parent, top.trace) == (FAR.span_id, FAR.trace_id)
    assert {span.trace for span in world.seen()} == {FAR.trace_id}


# --- what is left out


def test_health_makes_nothing(world: World) -> None:
    m = machine()
    tracer = world.tracer()
    tracer.follow(m)
    m.add("Healthcheck")
    tracer.close()
    assert world.names() == ["mach:0:m", "0:states", "0:transitions"]


def test_health_may_be_included(world: World) -> None:
    m = machine()
    world.tracer(health=True).follow(m)
    m.add("Healthcheck")
    assert len(world.named("0: [add] Healthcheck")) == 1


def test_without_auto_transitions_their_states_still_appear(world: World) -> None:
    m = machine()
    tracer = world.tracer(auto=False)
    tracer.follow(m)
    m.add("A")
    tracer.close()
    assert [name for name in world.names() if name.startswith("0: ")] == ["0: [add] A"]
    assert len(world.named("0:Auto")) == 2


def test_auto_transitions_say_so(world: World) -> None:
    m = machine()
    world.tracer().follow(m)
    m.add("A")
    assert world.one("0: [add] Auto").attributes["am.auto"] is True
    assert world.one("0: [add] A").attributes["am.auto"] is False


def test_without_transitions_there_are_states_alone(world: World) -> None:
    m = machine()
    tracer = world.tracer(transitions=False)
    tracer.follow(m)
    m.add("A")
    tracer.close()
    assert [name for name in world.names() if "[" in name] == []
    assert "0:transitions" not in world.names()
    assert len(world.named("0:A")) == 2


def test_questions_make_no_spans(world: World) -> None:
    m = machine()
    world.tracer().follow(m)
    m.can_add("A")
    assert len(world.seen()) == 3


def test_rpc_and_relay_machines_are_left_out_but_not_what_is_below(world: World) -> None:
    m = machine()
    world.tracer().follow(m)
    client = machine("rc-x", parent=m, tags=["rpc-client"])
    machine("below", parent=client)
    machine("relay-x", parent=m, tags=["relay"])
    assert [n for n in world.names() if n.startswith("mach:")] == ["mach:0:m", "mach:1:below"]
    assert world.path(world.one("mach:1:below"))[-2] == "0:submachines"


def test_rpc_machines_are_traced_if_asked_for(world: World) -> None:
    m = machine()
    world.tracer(rpc=True).follow(m)
    machine("rc-x", parent=m, tags=["rpc-client"])
    assert "mach:1:rc-x" in world.names()


def test_the_workflows_expression_hides_machines_and_a_state(world: World) -> None:
    m = machine("rm-root")  # the topmost machine is never left out by its id
    tracer = world.tracer(rpc=True, skip_re=r"(^rm-|relay-|rc-)|(RegisterDisposal$)")
    tracer.follow(m)
    for id in ("rm-x", "my-relay-x", "rc-x", "kept"):
        machine(id, parent=m)
    kept = find("kept")
    assert kept is not None
    kept.add(["A", "RegisterDisposal"])  # type: ignore[attr-defined]
    tracer.close()
    shown = [n for n in world.names() if n.startswith("mach:")]
    assert shown == ["mach:0:rm-root", "mach:1:kept"]
    assert len(world.named("1:A")) == 2
    assert world.named("1:RegisterDisposal") == []
    tx = world.one("1: [add] A RegisterDisposal")
    assert {"+A", "+RegisterDisposal"} <= set(tx.attributes["am.states_diff"].split())


def test_arguments_are_attributes_if_asked_for(world: World) -> None:
    m = machine()
    world.tracer(args=True).follow(m)
    m.add("B", {"id": "x1", "secret": "s"})
    found = world.one("0: [add] B").attributes
    assert found["am.args.id"] == "x1"
    assert "am.args.secret" not in found


def test_the_originals_names_come_too_if_asked_for(world: World) -> None:
    m = machine()
    world.tracer(old_names=True).follow(m)
    m.add("B")
    found = world.one("0: [add] B").attributes
    assert found["tx_id"] == found["am.tx_id"]
    assert found["states_diff"] == "+B"


def test_states_that_are_active_already_are_open(world: World) -> None:
    m = machine()
    m.add("A")
    tracer = world.tracer()
    tracer.follow(m)
    tracer.close()
    assert len(world.named("0:A")) == 2
