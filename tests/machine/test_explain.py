"""Why a state is or isn't active."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.machine import Machine, Tracer, UnknownStateError
from amctl.machine.errors import HandlerTimeoutError
from amctl.machine.explain import explain_by_relations
from amctl.machine.explanation import Blamed, Explanation, Kind
from amctl.machine.limits import Limits
from tests.machine.strategies import schemas
from tests.machine.tools import boom, mach, no

if TYPE_CHECKING:
    from amctl.machine import Event, Schema, Transition


def told(found: Explanation) -> tuple[Kind, tuple[str, ...]]:
    """The gist."""
    return found.kind, tuple(b.state for b in found.blame)


# -- relations


def test_the_ends_of_a_chain_are_to_blame_and_no_link() -> None:
    m = mach("A B C D", A="require:B,D", B="require:C")
    m.add("D")
    found = m.explain("A")
    assert told(found) == (Kind.REQUIRE, ("C",))
    assert str(found) == ("A is not active: A is missing C: A requires B, B requires C")
    assert found.remedy == "add C"
    assert found.blame == (Blamed("C", wanted=True),)


def test_a_state_that_the_schema_lacks_can_never_come() -> None:
    m = Machine("m", {"A": {"require": ["Nope"]}})
    found = m.explain("A")
    assert found.blame == (Blamed("Nope", wanted=True, exists=False),)
    assert found.remedy == "mend the schema, which has no state Nope"


def test_an_active_rival_is_to_blame() -> None:
    m = mach("A B", B="remove:A")
    m.add("B")
    found = m.explain("A")
    assert told(found) == (Kind.REMOVE, ("B",))
    assert found.sentence == "A is not active: A is removed by B"
    assert found.remedy == "remove B"
    assert m.remove("B").executed
    assert m.explain("A").kind is Kind.NEVER_ASKED


def test_an_error_behind_the_rival_is_told() -> None:
    m = Machine("m", {"A": {}, "Exception": {"multi": True, "remove": ["A"]}})
    m.add_err(ValueError("boom"))
    found = m.explain("A")
    assert told(found) == (Kind.REMOVE, ("Exception",))
    assert found.error == "ValueError: boom"
    assert found.sentence == "A is not active: A is removed by Exception (ValueError: boom)"


# -- active


def test_an_active_state_tells_who_implies_it() -> None:
    m = mach("A B", A="add:B")
    m.add("A")
    m.remove("B")
    m.remove("A")
    m.add("A")
    assert m.explain("A").sentence == "A is active, for the 2nd time"
    found = m.explain("B")
    assert found.kind is Kind.ACTIVE
    assert found.is_active
    assert found.implied_by == ("A",)
    assert found.sentence == "B is active, for the 2nd time; A implies it"


def test_an_active_auto_state_tells_what_it_came_with() -> None:
    m = mach("A B", B="auto require:A")
    m.add("A")
    assert m.explain("B").sentence == "B is active; as an auto state it comes with A"


def test_an_active_error_state_tells_the_error() -> None:
    m = mach("A")
    m.add_err(ValueError("boom"))
    assert m.explain("Exception").error == "ValueError: boom"
    assert m.explain("Exception").sentence == "Exception is active: ValueError: boom"


# -- never asked, ended


def test_what_nobody_added_says_so_and_who_would_bring_it() -> None:
    m = mach("A B", A="add:B")
    found = m.explain("B")
    assert found.kind is Kind.NEVER_ASKED
    assert found.remedy == "add B, or A, which brings it"
    assert found.implied_by == ("A",)


def test_nobody_is_told_to_add_what_would_not_bring_it() -> None:
    """One is active already, so that adding it implies nothing; one is refused itself."""
    m = mach("A B C D M", A="add:B", C="add:B require:D", M="multi add:B")
    m.add("A")
    m.remove("B")
    found = m.explain("B")
    assert found.kind is Kind.ENDED
    assert found.remedy == "add B, or M, which brings it"
    assert found.implied_by == ("M",)
    m.add("D")
    assert m.explain("B").implied_by == ("C", "M")
    assert m.add("C").executed
    assert m.is_("B")


def test_what_was_removed_says_how_often_it_was_there() -> None:
    m = mach("A")
    for _ in range(2):
        m.add("A")
        m.remove("A")
    found = m.explain("A")
    assert found.kind is Kind.ENDED
    assert found.sentence == "A was active 2 times, was removed, and nothing has added it since"


# -- handlers


def test_a_veto_is_found_without_anybody_noticing() -> None:
    class Seen(Tracer):
        id = "seen"

        def transition_init(self, tx: Transition) -> None:
            raise AssertionError("told")

    m = mach("A B")
    m.bind({"AEnter": no}, id="guard")
    m.bind_tracer(Seen())
    found = m.explain("A")
    assert found.kind is Kind.NEVER_ASKED
    assert found.sentence == (
        "A never was active: nothing has added it; "
        "asked now, without arguments: AEnter of binding guard vetoed it"
    )
    assert found.reason is not None
    assert (found.reason.handler, found.reason.binding) == ("AEnter", "guard")
    assert (m.queue_tick, m.time_sum) == (1, 0)


def test_a_veto_that_was_seen_is_no_guess() -> None:
    m = mach("A")
    m.bind({"AEnter": no}, id="guard")
    m.add("A")
    found = m.explain("A")
    assert found.sentence == "A is not active: AEnter of binding guard vetoed it, asked now"
    assert found.last is not None
    assert found.last.count == 1


def test_a_veto_that_depended_on_arguments_is_remembered() -> None:
    m = mach("A")
    m.bind({"AEnter": lambda e: "bad" not in e.raw}, id="guard")
    m.add("A", {"bad": 1})
    found = m.explain("A")
    assert found.kind is Kind.VETO
    assert found.sentence == (
        "A is not active: the call [add] A was refused: AEnter of binding guard vetoed it; "
        "nothing refuses it now"
    )


def test_a_negotiation_handler_that_fails_makes_no_exception() -> None:
    m = mach("A")
    m.bind({"AEnter": boom}, id="guard")
    found = m.explain("A")
    assert found.reason is not None
    assert (found.reason.kind, found.reason.text) == ("error", "boom")
    assert not m.is_err()
    m.add("A")
    found = m.explain("A")
    assert (found.kind, found.error) == (Kind.ERROR, "boom")
    assert found.remedy == "mend AEnter of binding guard"


def test_the_veto_of_an_auto_state_is_to_blame_whoever_tried() -> None:
    m = mach("A B", B="auto")
    m.bind({"BEnter": no}, id="guard")
    m.add("A")
    found = m.explain("B")
    assert found.kind is Kind.VETO
    assert found.sentence == "B is not active: BEnter of binding guard vetoed it, asked now"


def test_a_negotiation_handler_that_answers_nonsense_is_told() -> None:
    async def later() -> None: ...

    m = mach("A")
    for answer in (later, lambda: 5):
        id = m.bind({"AEnter": lambda _, answer=answer: answer()})
        assert "neither a bool nor None" in m.explain("A").sentence
        m.detach(id)


def test_what_a_negotiation_handler_queues_is_carried_out() -> None:
    m = mach("A B")
    m.bind({"AEnter": _adds})
    m.explain("A")
    assert m.is_("B")
    assert not m.is_busy


def _adds(e: Event) -> None:
    assert e.is_check
    assert e.is_valid()
    e.machine.add("B")


def test_a_handler_that_failed_on_it_is_remembered() -> None:
    m = mach("A")
    m.bind({"AState": boom}, id="h")
    m.add("A")
    m.remove("Exception")
    found = m.explain("A")
    assert found.kind is Kind.ERROR
    assert found.error == "boom"
    assert found.remedy == "mend AState of binding h, or try again: add A"


def test_what_succeeded_later_is_no_matter() -> None:
    m, fail = mach("A"), [True]
    m.bind({"AState": lambda e: boom(e) if fail.pop() else None}, id="h")
    m.add("A")
    fail += [False]
    m.add("A")
    m.remove("A")
    assert m.explain("A").kind is Kind.ENDED


def test_an_error_that_ended_it_is_remembered() -> None:
    m = Machine(
        "m",
        {
            "Working": {"remove": ["Exception"]},
            "Exception": {"multi": True, "remove": ["Working"]},
        },
    )
    m.add("Working")
    m.add_err(ValueError("boom"))
    found = m.explain("Working")
    assert told(found) == (Kind.ERROR, ("Exception",))
    assert found.sentence == "Working was ended by an error: ValueError: boom"
    m.add("Working")
    m.remove("Working")
    assert m.explain("Working").kind is Kind.ENDED


def test_what_an_error_left_alone_was_not_ended_by_it() -> None:
    m = mach("A")
    m.add("A")
    m.add_err(ValueError())
    m.remove("A")
    assert m.explain("A").kind is Kind.ENDED


def test_a_handler_that_took_too_long_is_remembered() -> None:
    now = [0.0]

    def slow(_: Event) -> None:
        now[0] += 2

    m = mach("A", handler_timeout=1.0, now=lambda: now[0])
    m.bind({"AState": slow}, id="h")
    m.add("A")
    found = m.explain("A")
    assert found.kind is Kind.TIMEOUT
    assert found.last is not None
    assert found.last.at == 2.0


# -- auto


def test_an_auto_state_that_nothing_refuses_waits_for_a_change() -> None:
    m = mach("A B", B="auto")
    found = m.explain("B")
    assert found.kind is Kind.AUTO
    assert "the next change has it tried" in found.sentence
    m.add("A")
    assert m.is_("B")


def test_an_auto_state_is_not_tried_against_its_rival() -> None:
    m = mach("A B", A="remove:B", B="auto remove:A")
    m.add("A")
    found = m.explain("B")
    assert told(found) == (Kind.AUTO, ("A",))
    assert found.sentence == "B is an auto state, but not tried while A is active, which removes it"


def test_an_auto_state_that_keeps_failing_was_given_up() -> None:
    m = mach("A B", B="auto")
    m.bind({"BState": boom})
    m.add("A")
    found = m.explain("B")
    assert "given up" in found.sentence
    assert found.kind is Kind.AUTO
    assert found.error == "ValueError: boom"


# -- the queue


def test_what_waits_says_where_behind_what_and_for_which_handler() -> None:
    m, seen = mach("A B C D E", C="add:D"), dict[str, Explanation]()

    def held(e: Event) -> None:
        m.add("B")
        m.add("C")
        m.remove("A")
        m.set("E")
        for state in "BCDE":
            seen[state] = m.explain(state)
        seen["-A"] = m.explain("A", "remove")

    m.bind({"AState": held}, id="h")
    m.add("A")
    assert seen["B"].kind is Kind.QUEUED
    assert seen["B"].sentence == (
        "[add] B waits at place 1 of the queue until [add] A is over, "
        "while handler AState of binding h runs"
    )
    assert seen["B"].remedy == "AState of binding h has to end"
    place = seen["C"].place
    assert place is not None
    assert (place.number, place.ahead, place.handler) == (2, ("[add] B",), "AState")
    assert seen["D"].place == place
    assert seen["-A"].place is not None
    assert seen["-A"].place.number == 3
    assert seen["E"].place is not None
    assert seen["E"].sentence.startswith(
        "[set] E waits at place 4 of the queue, behind [add] B, [add] C and [remove] A until"
    )


def test_what_is_under_negotiation_runs() -> None:
    m, seen = mach("A"), list[Explanation]()
    m.bind({"AEnter": lambda e: seen.append(m.explain("A"))}, id="h")
    m.add("A")
    assert seen[0].kind is Kind.RUNNING
    assert seen[0].remedy == "AEnter has to end"


def test_what_does_not_wait_is_explained_as_ever_but_handlers_are_not_asked() -> None:
    m, seen = mach("A B C D", D="require:C"), list[Explanation]()
    m.bind({"BEnter": no})

    def held(e: Event) -> None:
        m.add("C")
        m.set(("A", "C"))
        seen.extend((m.explain("B"), m.explain("D"), m.explain("A", "remove")))
        m.set("C")
        seen.append(m.explain("A", "remove"))

    m.bind({"AState": held})
    m.add("A")
    assert [found.kind for found in seen] == [
        Kind.NEVER_ASKED,
        Kind.REQUIRE,
        Kind.ACTIVE,
        Kind.QUEUED,
    ]
    assert seen[3].place is not None
    assert seen[3].place.mutation == "[set] C"


def test_a_queued_mutation_of_other_states_ends_none() -> None:
    m, seen = mach("A B"), list[Explanation]()

    def held(e: Event) -> None:
        m.add("B")
        m.remove("B")
        seen.append(m.explain("A", "remove"))

    m.bind({"AState": held})
    m.add("A")
    assert seen[0].kind is Kind.ACTIVE


def test_what_waits_for_no_handler_says_so() -> None:
    m, seen = mach("A B"), list[Explanation]()

    class Asks(Tracer):
        id = "asks"

        def transition_start(self, tx: Transition) -> None:
            seen.append(m.explain("A"))

    m.bind_tracer(Asks())
    m.add("A")
    assert seen[0].sentence == "[add] A is being carried out"

    def run() -> None:
        m.add("B")
        seen.append(m.explain("B"))

    m.detach_tracer(m.tracers[0])
    m.eval("test", run)
    assert seen[1].sentence == "[add] B waits at place 1 of the queue"
    assert seen[1].remedy == "what runs has to end"


def test_a_handler_that_another_machines_handler_caused_is_told_apart() -> None:
    m, far, seen = mach("A B"), Machine("far", {"X": {}}), list[Explanation]()
    far.bind({"XState": lambda _: seen.append(m.explain("B"))}, id="other")
    m.bind({"AState": lambda _: (m.add("B"), far.add("X"))}, id="mine")
    m.add("A")
    assert seen[0].place is not None
    assert (seen[0].place.handler, seen[0].place.binding) == ("AState", "mine")


def test_another_thread_can_ask_what_a_handler_that_does_not_end_holds_up() -> None:
    m, seen = mach("A B"), list[Explanation]()
    m.bind({"BEnter": no})

    def never_ending(e: Event) -> None:
        m.add("B")
        asking = threading.Thread(target=lambda: seen.append(m.explain("B")))
        asking.start()
        asking.join()

    m.bind({"AState": never_ending}, id="h")
    m.add("A")
    assert seen[0].place is not None
    assert (seen[0].kind, seen[0].place.handler) == (Kind.QUEUED, "AState")


def test_a_full_queue_is_remembered() -> None:
    m = mach("A B C", queue_limit=1)

    def fill(e: Event) -> None:
        m.add("B")
        m.add("C")

    m.bind({"AState": fill})
    m.add("A")
    found = m.explain("C")
    assert found.kind is Kind.FULL
    assert "the queue is full" in found.sentence


async def test_coroutine_handlers_under_way_are_told() -> None:
    async def forever(e: Event) -> None:
        await asyncio.Event().wait()

    m = mach("A B")
    m.bind({"AState": forever})
    m.add("A")
    assert m.explain("B").tasks == ("AState",)
    m.dispose()
    await m.when_disposed()


# -- the end


def test_a_disposed_machine_says_so() -> None:
    m = mach("A")
    m.dispose_force()
    assert m.explain("A").kind is Kind.DISPOSED
    assert m.explain("A", "remove").kind is Kind.DISPOSED


async def test_a_machine_in_disposal_says_so() -> None:
    async def stays(e: Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append(m.explain("B"))

    seen: list[Explanation] = []
    m = mach("A B")
    m.bind({"AState": stays})
    m.add("A")
    await asyncio.sleep(0)
    m.dispose()
    await m.when_disposed()
    assert seen[0].kind is Kind.DISPOSED
    assert "being disposed of" in seen[0].sentence


def test_a_backoff_tells_how_long_it_lasts() -> None:
    now = [10.0]
    m = mach("A B", limits=Limits(handler_backoff=3.0), now=lambda: now[0])
    m.add_err(HandlerTimeoutError("AState", "h", 1.0))
    m._back_off()
    assert m.add("B").canceled
    now[0] = 11.0
    found = m.explain("B")
    assert found.kind is Kind.BACKOFF
    assert "for 2.0 s more: HandlerTimeoutError" in found.sentence
    m._error = None
    assert m.explain("B").sentence.endswith("for 2.0 s more")
    now[0] = 20.0
    assert "while, as a handler" in m.explain("B").sentence
    m.add("B")
    assert m.is_("B")


# -- removal


def test_why_a_state_stays() -> None:
    m = mach("A B C M N", B="auto", M="multi add:N")
    m.bind({"CExit": no}, id="h")
    assert m.explain("A", "remove").kind is Kind.INACTIVE
    m.add(("A", "C", "M"))
    assert m.explain("A", "remove").kind is Kind.ACTIVE
    assert m.explain("B", "remove").kind is Kind.AUTO
    assert told(m.explain("N", "remove")) == (Kind.IMPLIED, ("M",))
    found = m.explain("C", "remove")
    assert found.kind is Kind.VETO
    assert found.sentence.startswith("C does not go: CExit of binding h vetoed it")


def test_nonsense_is_refused() -> None:
    m = mach("Ready")
    with pytest.raises(UnknownStateError) as caught:
        m.explain("Redy")
    assert caught.value.hint == "did you mean 'Ready'?"
    with pytest.raises(ValueError, match="op is"):
        m.explain("Ready", "set")


# -- by schema and clock alone


def test_schema_and_clock_tell_what_relations_do() -> None:
    m = mach("A B C", A="require:B", C="auto")
    schema = m.schema.compiled()
    assert explain_by_relations("m", schema, [0, 0, 0, 0], "A").remedy == "add B"
    assert explain_by_relations("m", schema, [0, 2], "B").kind is Kind.ENDED
    assert explain_by_relations("m", schema, [0, 1], "B").kind is Kind.ACTIVE
    assert explain_by_relations("m", schema, [0, 1], "C").kind is Kind.AUTO
    with pytest.raises(UnknownStateError):
        explain_by_relations("m", schema, [0, 0], "D")


@given(schema=schemas(), data=st.data())
def test_the_remedy_of_relations_helps_or_shows_the_next_obstacle(
    schema: Schema, data: st.DataObject
) -> None:
    """Whatever was refused is explained, and whatever is explained as free is accepted."""
    m = Machine("m", schema)
    names = list(m.names)
    for state in data.draw(st.lists(st.sampled_from(names), max_size=5)):
        m.add(state)
    state = data.draw(st.sampled_from(names))
    found = m.explain(state)
    related = found.kind in (Kind.REQUIRE, Kind.REMOVE, Kind.RELATIONS)
    if not found.is_active:
        assert m.add(state).canceled == related
