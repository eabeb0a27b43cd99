"""Rules of resolution, transitions and handlers that no recorded case shows (sections 7 to 14)."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from amctl.machine import Limits, Machine, Tracer
from amctl.machine.relations import Resolver
from tests.machine.tools import Log, Recorder, boom, mach, no


class Look(Tracer):
    """Notes what a function sees at some hooks."""

    id = "look"

    def __init__(self, fn: Any) -> None:
        self.fn = fn
        self.seen: list[tuple[str, Any]] = []

    def _note(self, hook: str, tx: Any) -> None:
        self.seen.append((hook, self.fn(tx)))

    def transition_init(self, tx: Any) -> None:
        self._note("init", tx)

    def transition_start(self, tx: Any) -> None:
        self._note("start", tx)

    def transition_finals(self, tx: Any) -> None:
        self._note("finals", tx)

    def transition_end(self, tx: Any) -> None:
        self._note("end", tx)


def looked(m: Machine, fn: Any) -> Look:
    look = Look(fn)
    m.bind_tracer(look)
    return look


def test_rel_14_an_auto_transition_needs_one_of_its_called_states() -> None:
    m, told = mach("A B C G", A="auto require:C", B="auto require:G"), Recorder()
    m.bind_tracer(told)
    m.add("G")  # of A and B, called together, just one fits
    assert (m.is_("B"), m.is_("A")) == (True, False)
    assert told.ended[-1].is_accepted
    m.remove("G")
    assert (told.ended[-1].is_auto, told.ended[-1].is_accepted) == (True, False)


def test_rel_16_another_resolver_decides() -> None:
    class Strict(Resolver):
        """Implies nothing, sorts by name, and tries no auto state."""

        def targets(self, kind: int, *args: Any) -> tuple[list[int], int]:
            order, mask = super().targets(kind, *args)
            return self.sort(order, mask), mask

        def sort(self, items: list[int], mask: int) -> list[int]:
            return sorted(items)

        def autos(self, active: tuple[int, ...], active_mask: int) -> tuple[int, ...]:
            return ()

    m = mach("A B C D", D="auto", B="after:C", limits=Limits(resolver=Strict))
    m.add(["C", "B", "A"])
    assert m.active == ["A", "B", "C"]
    m.set_schema({**m.schema.to_dict(), "E": {"auto": True}})
    m.add("E")
    m.remove("E")
    assert m.active == ["A", "B", "C"]


def test_tx_1_the_snapshot_is_of_the_moment_before() -> None:
    m = mach("A B")
    m.add("A")
    look = looked(m, lambda tx: (tx.time_before, tx.states_before, tx.is_accepted, m.transition))
    m.set("B")
    tx = look.seen[0][1][3]
    want = ((1, 0, 0), ["A"], True, tx)
    assert look.seen == [(hook, want) for hook in ("init", "start", "finals", "end")]
    assert m.transition is None


def test_tx_3_targets_and_a_prediction_are_there_from_the_start() -> None:
    m = mach("A B", A="add:B")
    look = looked(m, lambda tx: (tx.target_states, tx.time_after))
    m.can_add("A")
    m.add("A")
    assert {item for _, (_, item) in look.seen[:3]} == {(0, 0, 0)}
    assert look.seen[0][1][0] == ["A", "B"]
    assert look.seen[3] == ("init", (["A", "B"], (1, 1, 0)))


def test_tx_4_enters_and_exits_are_known_when_it_is_accepted() -> None:
    m = mach("A B", A="require:B")
    m.add("B")
    look = looked(m, lambda tx: (tx.is_accepted, tx.enters, tx.exits))
    m.set("A")
    m.add("A")
    assert look.seen[0] == ("init", (False, [], []))
    assert ("init", (True, ["A"], [])) in look.seen


def test_tx_5_a_rejected_one_starts_and_ends_too() -> None:
    m = mach("A", A="require:Nope")
    look = looked(m, lambda tx: (tx.is_accepted, tx.is_completed))
    m.add("A")
    assert look.seen == [
        ("init", (False, False)),
        ("start", (False, False)),
        ("end", (False, True)),
    ]


def test_tx_6_a_rejected_one_asks_nobody() -> None:
    m, log = mach("A B", A="require:B"), Log()
    log.bind(m)
    assert m.add("A").canceled
    assert log.take() == ""


def test_tx_8_effects_come_in_this_order() -> None:
    m, seen = mach("A B"), []
    m.add("A")
    context = m.state_context("A")
    context.add_done_callback(lambda _: seen.append(f"context {m.active}"))
    look = looked(m, lambda _: seen.append(f"hook {m.active}"))
    m.bind({n: lambda e: seen.append(e.name) for n in ("AEnd", "BState", "AnyState")})
    m.set("B")
    assert seen[2:-1] == ["context ['B']", "hook ['B']", "AEnd", "BState", "AnyState"]
    assert len(look.seen) == 4


def test_tx_8_canceled_time_stands_still() -> None:
    m = mach("A", handlers={"AEnter": no})
    look = looked(m, lambda tx: (tx.time_before, tx.time_after))
    m.add("A")
    assert look.seen[-1] == ("end", ((0, 0), (0, 0)))


def test_tx_9_on_change_hears_of_every_transition_but_checks() -> None:
    m, heard = mach("A B", B="require:Nope"), []
    m.on_change = lambda machine, before, after: heard.append((machine, before, after))
    m.add("A")
    m.add("A")
    m.add("B")
    m.can_remove("A")
    none, one = ({"A": n, "B": 0, "Exception": 0} for n in (0, 1))
    assert heard == [(m, none, one), (m, one, one), (m, one, one)]
    assert m.on_change is not None
    m.on_change = None
    m.add("B")
    assert (len(heard), m.on_change, m.tracers) == (3, None, ())


def test_tx_9_on_change_comes_before_auto_states_are_tried() -> None:
    m, told = mach("A C", C="auto"), Recorder()
    m.bind_tracer(told)
    m.on_change = lambda machine, before, after: told.seen.append("change")
    m.add("A")
    order = [s for s in told.take() if s in ("change", "queued auto C", "end A", "end C")]
    assert order == ["change", "queued auto C", "end A", "change", "end C"]


def test_tx_9_pan_11_a_failing_on_change_is_an_error() -> None:
    def fail(*_: Any) -> None:
        raise ValueError("boom")

    logging.disable()
    m = mach("A")
    m.on_change = fail
    assert m.add("A").executed
    logging.disable(logging.NOTSET)
    assert (m.is_("A"), str(m.err)) == (True, "boom")


def test_tx_9_set_in_the_midst_it_begins_with_the_next_one() -> None:
    m, heard = mach("A B"), []

    def begin(_: Any) -> None:
        m.on_change = lambda machine, before, after: heard.append(after)

    m.bind({"AState": begin})
    m.add("A")
    m.add("B")
    assert heard == [{"A": 1, "B": 1, "Exception": 0}]


@pytest.mark.parametrize(
    ("call", "tried"),
    [
        (lambda m: m.add("X"), True),
        (lambda m: m.remove("Y"), True),
        (lambda m: m.add("Y"), False),  # no clock moved
        (lambda m: m.add("Z"), False),  # canceled
        (lambda m: m.can_add("X"), False),
        (lambda m: m.add("Healthcheck"), False),
    ],
)
def test_tx_10_which_transitions_are_followed_by_auto_states(call: Any, tried: bool) -> None:
    m = mach("Y X Z Healthcheck U", Z="require:Nope", U="auto require:Nope2")
    m.add("Y")
    told = Recorder()
    m.bind_tracer(told)
    call(m)
    assert ("queued auto U" in told.take()) is tried


def test_tx_11_at_its_end_it_is_completed_and_knows_the_queue() -> None:
    m = mach("A B", handlers={"AState": lambda e: e.machine.add("B")})
    look = looked(m, lambda tx: (tx.is_completed, tx.queue_len))
    m.add("A")
    assert [item for hook, item in look.seen if hook == "end"] == [(True, 1), (True, 0)]
    assert all(not done for hook, (done, _) in look.seen if hook != "end")


def test_tx_12_waits_are_served_by_accepted_ones_that_are_no_checks() -> None:
    m = mach("A B", B="require:Nope")
    asked: list[int] = []
    m.when_query(lambda clock: bool(asked.append(clock[0])))
    m.can_add("A")
    m.add("B")
    assert asked == []
    m.add("A")
    m.add("A")
    assert asked == [1, 1]


def test_tx_13_negotiation_sees_the_old_states_and_finals_the_new_ones() -> None:
    m, seen = mach("A B"), []
    m.add("A")
    names = ("AExit", "BEnter", "AB", "AnyEnter", "AEnd", "BState", "AnyState")
    m.bind({n: lambda e: seen.append((e.name, *e.machine.active)) for n in names})
    m.set("B")
    assert seen == [(n, "A") for n in names[:4]] + [(n, "B") for n in names[4:]]


def test_tx_15_a_transition_stays_readable() -> None:
    m, told = mach("A B", A="add:B"), Recorder()
    m.bind_tracer(told)
    m.add("A", {"x": 1})
    m.set([])
    tx = told.ended[0]
    assert (tx.states_before, tx.target_states, tx.called_states) == ([], ["A", "B"], ("A",))
    assert (tx.enters, tx.exits, tx.time_before, tx.time_after) == (
        ["A", "B"],
        [],
        (0, 0, 0),
        (1, 1, 0),
    )
    assert (str(tx.mutation), tx.args, tx.is_current) == ("[add] A", {"x": 1}, False)


def test_txd_2_what_moved_nothing_is_told_by_its_time() -> None:
    m = mach("A")
    m.add("A")
    look = looked(m, lambda tx: tx.is_accepted and sum(tx.time_before) == sum(tx.time_after))
    m.add("A")
    m.remove("A")
    assert [item for hook, item in look.seen if hook == "end"] == [True, False]


def test_hnd_1_the_names_of_handlers_and_no_any_foo() -> None:
    m, log = mach("Foo Bar"), Log()
    names = (
        "FooEnter",
        "FooExit",
        "FooBar",
        "FooFoo",
        "AnyEnter",
        "FooState",
        "FooEnd",
        "AnyState",
    )
    log.bind(m, *names)
    m.add("Foo")
    m.add(["Foo", "Bar"])
    m.remove("Foo")
    assert {*log} == {*names}
    with pytest.raises(ValueError, match="no state for handler 'AnyFoo'"):
        m.bind({"AnyFoo": no})
    with pytest.raises(ValueError, match="no state for handler 'FooAny'"):
        m.bind({"FooAny": no})


def test_hnd_14_handlers_run_one_at_a_time_and_what_they_ask_for_waits() -> None:
    m, log = mach("A B"), Log()

    def state(_: Any) -> None:
        assert m.add("B").queued
        assert m.not_("B")
        log.append("done")

    log.bind(m, "BState", AState=state)
    m.add("A")
    assert log.take() == "AState done BState"


def test_hnd_16_after_a_failure_no_further_handler_runs_and_counts_as_a_no() -> None:
    logging.disable()
    m, log = mach("G A B C", A="auto", B="auto", C="auto"), Log()
    m.bind({"CState": boom})  # a panicked transition has no finals
    log.bind(m, "BEnter", AEnter=boom)
    moves: list[list[str]] = []
    m.on_change = lambda machine, before, after: moves.append(machine.active)
    m.add("G")
    logging.disable(logging.NOTSET)
    # BEnter would have to run, so B is out; nobody was to ask C
    assert log[0] == "AEnter"
    assert moves[1] == ["C", "G"]


@pytest.mark.parametrize("name", ["AExit", "BEnter", "KK", "AB", "AnyEnter"])
def test_neg_1_any_negotiation_handler_may_veto(name: str) -> None:
    m, log = mach("K A B"), Log()
    m.set(["K", "A"])
    log.bind(m, "AEnd", "BState", "AnyState", **{name: no})
    before = m.time()
    assert m.set(["K", "B"]).canceled
    assert (m.time(), m.active, log.take()) == (before, ["K", "A"], name)


def test_neg_5_what_handlers_of_a_dropped_state_did_is_not_undone() -> None:
    m, log = mach("G A I", A="auto add:I"), Log()
    log.bind(m, "IEnter", "IState", "AState", AEnter=no)
    m.add("G")
    assert log.take() == "AEnter IEnter"
    assert (m.active, m.tick("I")) == (["G"], 0)


def test_neg_6_questions_run_the_same_handlers_as_mutations() -> None:
    m, log = mach("A B"), Log()
    m.add("A")
    log.bind(m)
    m.can_add("B")
    asked = log.take()
    m.add("B")
    assert log.take() == f"{asked} BState AnyState"


def test_pan_5_an_end_or_any_handler_that_fails_reverts_nothing() -> None:
    logging.disable()
    for name in ("AEnd", "AnyState"):
        m, log = mach("A B"), Log()
        m.add("A")
        log.bind(m, "BState", **{name: boom})
        assert m.set("B").canceled
        assert {*m.active} == {"B", "Exception"}
        assert m.time(["A", "B"]) == [2, 1]
        assert ("BState" in log) is (name == "AnyState")
    logging.disable(logging.NOTSET)


def test_aut_2_called_are_inactive_auto_states_in_index_order_that_nothing_removes() -> None:
    m, told = mach("C G B A X", A="auto", B="auto", C="auto", X="auto", G="remove:X"), Recorder()
    m.bind_tracer(told)
    m.add("G")
    assert [s for s in told.take() if s.startswith("queued")] == ["queued G", "queued auto C B A"]
    m.bind_tracer(quiet := Recorder("quiet"))
    m.add("G")
    assert "queued auto" not in " ".join(quiet.take())


def test_aut_3_requirements_are_dropped_by_resolution_not_before() -> None:
    m, told = mach("G A B", A="auto require:Nope", B="auto"), Recorder()
    m.bind_tracer(told)
    m.add("G")
    assert told.ended[-1].called_states == ("A", "B")
    assert m.active == ["B", "G"]


def test_aut_4_a_swap_is_accepted_although_no_more_states_are_active() -> None:
    m, told = mach("C D G", D="auto remove:C require:G"), Recorder()
    m.add("C")
    m.bind_tracer(told)
    m.add("G")
    tx = told.ended[-1]
    assert (tx.is_auto, tx.is_accepted, tx.enters, tx.exits) == (True, True, ["D"], ["C"])


def test_aut_5_a_removed_auto_state_comes_back_unless_it_is_blocked_or_lacks_something() -> None:
    m = mach("A B R", A="auto", B="auto require:R", R="")
    m.add("R")
    m.remove("A")
    assert m.tick("A") == 3
    m.remove(["R", "B"])
    assert m.tick("B") == 2
    n = mach("A X", A="auto", X="remove:A")
    n.add("X")
    assert n.tick("A") == 0


def test_aut_7_an_implied_states_veto_cancels_the_whole_auto_transition() -> None:
    m = mach("G A I B", A="auto add:I", B="auto")
    m.bind({"IEnter": no}, id="veto")
    m.add("G")
    assert m.active == ["G"]
    m.detach("veto")
    m.add("Exception")
    assert {*m.active} == {"G", "A", "I", "B", "Exception"}
