"""Moving through recordings: cursors, steps, history, addresses, growth."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amctl.debugger.filters import Auto, Filters
from amctl.debugger.index import Place
from amctl.debugger.jumps import Jump
from amctl.debugger.session import Session, Spot
from amctl.debugger.store import Store
from amctl.dump.memory import MemoryDump
from amctl.machine.steps import Step
from tests.debugger.histories import DUMPS, history, machine, tx, walks

STEPS = (Step(32, target=0), Step(4, target=0))


def session(
    *numbers: object, follow: bool = False, filters: Filters | None = None, **more: object
) -> Session:
    """On a recording of `a`; whole."""
    made = Session(Store(history(*numbers, **more)), filters or Filters.none(), follow=follow)  # type: ignore[arg-type]
    made.work_all()
    return made


def three() -> Session:
    return session(
        tx("a", 0, (1, 0, 0, 0), called=(0,), steps=STEPS),
        tx("a", 1, (1, 0, 0, 0), called=(1,), accepted=False),
        tx("a", 2, (1, 1, 0, 0), called=(1,), steps=STEPS[:1]),
    )


def test_it_begins_before_the_first_transition_or_follows() -> None:
    assert three().spot == Spot("a", 0)
    assert three().record is None
    followed = session(tx("a", 0, (1, 0, 0, 0)), follow=True)
    assert followed.spot == Spot("a", 1)
    assert followed.follow


def test_moves_skip_what_is_hidden() -> None:
    s = three()
    s.set_filters(replace(Filters.none(), canceled=True))
    assert s.move().ok
    assert s.cursor == 1
    assert s.move().ok
    assert s.cursor == 3
    stuck = s.move()
    assert (stuck.ok, stuck.text) == (False, "there is none behind it")
    assert s.cursor == 3
    s.move(-5)
    assert s.cursor == 0
    assert not s.move(-1).ok
    assert str(s.shown) == "showing 2 of 3, 0 dropped"


def test_a_cursor_that_gets_hidden_goes_back() -> None:
    s = three()
    s.go(Place("a", 2))
    s.set_filters(replace(Filters.none(), canceled=True))
    assert s.cursor == 1


def test_steps_lead_over_transitions() -> None:
    """33: past the last step comes the transition; back from it its last step."""
    s = three()
    spots = []
    while s.move_step().ok:
        spots.append((s.cursor, s.step))
    assert spots == [(0, 1), (0, 2), (1, 0), (2, 0), (2, 1), (3, 0)]
    back = []
    while s.move_step(-1).ok:
        back.append((s.cursor, s.step))
    assert back == [(2, 1), (2, 0), (1, 0), (0, 2), (0, 1), (0, 0)]


def test_the_end_the_beginning_and_fractions() -> None:
    s = three()
    s.last()
    assert s.cursor == 3
    s.first()
    assert s.cursor == 0
    for share, cursor in ((0.0, 0), (0.34, 1), (0.5, 2), (1.0, 3), (7.0, 3)):
        s.to_fraction(share)
        assert s.cursor == cursor


@pytest.mark.parametrize(
    ("kind", "forward", "cursors"),
    [
        (Jump.CANCELED, True, [2]),
        (Jump.TOUCHED, True, [2, 3]),
        (Jump.ACTIVE, True, [3]),
        (Jump.ENDED, True, []),
        (Jump.ERROR, True, []),
    ],
)
def test_jumps(kind: Jump, forward: bool, cursors: list[int]) -> None:
    s = three()
    s.select_state("Ready")
    found = []
    while (moved := s.jump(kind, forward)).ok:
        found.append(s.cursor)
    assert found == cursors
    assert moved.text.startswith("no ")
    while s.jump(kind, not forward).ok:
        found.pop()
    assert len(found) <= 1


def test_a_jump_by_state_needs_one() -> None:
    assert three().jump(Jump.TOUCHED).text == "select a state first"
    assert Session(Store(MemoryDump("x"))).jump(Jump.ERROR).text == (
        "the recording holds no transition yet"
    )


def test_fast_jumps_go_fifty_on_or_by_state() -> None:
    s = session(*[tx("a", n, (1, n // 60, 0, 0)) for n in range(200)])
    s.fast()
    assert s.cursor == 50
    s.select_state("Ready")
    s.fast()
    assert s.cursor == 61
    s.select_state("")
    s.fast(False)
    assert s.cursor == 11


def test_s8_switching_machines_keeps_the_moment() -> None:
    s = session(
        tx("a", 0, (1, 0, 0, 0)),
        tx("b", 1, (1, 0, 0, 0)),
        tx("a", 2, (2, 0, 0, 0)),
        tx("b", 3, (2, 0, 0, 0)),
        machines=("a", "b"),
    )
    s.go(Place("a", 2))
    s.select_machine("b")
    assert s.spot == Spot("b", 1)
    s.select_machine("a")
    assert s.spot == Spot("a", 2)  # it does not drift
    s.move()
    s.select_machine("nope")
    assert s.machine == "a"


def test_without_times_the_order_of_arrival_counts() -> None:
    s = session(
        tx("a", 0, (1, 0, 0, 0), time_ns=0),
        tx("b", 1, (1, 0, 0, 0), time_ns=0),
        tx("a", 2, (2, 0, 0, 0), time_ns=0),
        machines=("a", "b"),
    )
    s.go(Place("a", 1))
    s.select_machine("b")
    assert s.cursor == 0
    s.go(Place("a", 2))
    s.select_machine("b")
    assert s.cursor == 1


def test_all_machines_in_the_order_of_arrival() -> None:
    s = session(
        tx("a", 0, (1, 0, 0, 0)),
        tx("b", 1, (1, 0, 0, 0)),
        tx("b", 2, (1, 0, 0, 0), accepted=False),
        tx("a", 3, (2, 0, 0, 0)),
        machines=("a", "b"),
        filters=replace(Filters.none(), canceled=True),
    )
    spots = []
    while s.move_any().ok:
        spots.append((s.machine, s.cursor))
    assert spots == [("a", 1), ("b", 1), ("a", 2)]
    back = []
    while s.move_any(False).ok:
        back.append((s.machine, s.cursor))
    assert back == [("b", 1), ("a", 1), ("a", 0)]


def test_states_and_groups_are_remembered_by_machine() -> None:
    s = session(tx("a", 0, (1, 0, 0, 0)), machines=("a", "b"))
    assert s.select_state("Ready").ok
    s.select_machine("b")
    assert s.state == ""
    s.select_machine("a")
    assert s.state == "Ready"
    wrong = s.select_state("Redy")
    assert (wrong.text, wrong.hint) == ("a has no state 'Redy'", "did you mean Ready?")
    assert s.state == "Ready"
    assert not s.select_group("Nope").ok


def test_a_group_hides_what_calls_none_of_it() -> None:
    dump = MemoryDump("x", messages=[machine("a", groups={"MineStatesDef": (1,)})])
    dump.write(tx("a", 0, (1, 0, 0, 0), called=(0,)))
    dump.write(tx("a", 1, (1, 1, 0, 0), called=(1,)))
    s = Session(Store(dump), follow=False)
    s.work_all()
    assert s.select_group("mine").ok is False  # letters count
    assert s.select_group("Mine:1").ok
    assert str(s.shown) == "showing 1 of 2, 0 dropped"
    s.set_filters(replace(s.filters, outgroup=False))
    assert s.shown.visible == 2


def test_s38_history_goes_back_and_forward() -> None:
    s = three()
    for cursor in (1, 2, 3):
        s.go(Place("a", cursor))
    assert s.back().ok
    assert s.back().ok
    assert s.cursor == 1
    assert s.forward().ok
    assert s.cursor == 2
    assert len(s.history) == 4  # going back adds nothing
    s.first()
    assert not s.forward().ok
    assert [spot.cursor for spot in s.history] == [0, 2, 1, 0]


def test_s38_history_keeps_the_newest_hundred() -> None:
    s = session(*[tx("a", n, (n, 0, 0, 0)) for n in range(150)])
    while s.move().ok:
        pass
    assert len(s.history) == 100
    assert s.history[0].cursor == 150


def test_following_makes_one_entry_however_far_it_goes() -> None:
    dump = history(tx("a", 0, (1, 0, 0, 0)))
    s = Session(Store(dump), Filters.none())
    s.work_all()
    for number in range(1, 5):
        dump.write(tx("a", number, (number + 1, 0, 0, 0)))
        s.refresh()
        s.work_all()
    assert s.cursor == 5
    assert len(s.history) == 1
    s.move(-1)
    assert not s.follow
    s.set_follow(True)
    assert [spot.cursor for spot in s.history] == [5, 4, 5]


def test_a_view_that_does_not_follow_stays_as_the_recording_grows() -> None:
    dump = history(tx("a", 0, (1, 0, 0, 0), steps=STEPS), tx("a", 1, (2, 0, 0, 0), steps=STEPS))
    s = Session(Store(dump), Filters.none(), follow=False)
    s.work_all()
    s.move()
    s.move_step()
    s.select_state("Ready")
    before = s.spot, s.state, s.moment, s.address
    dump.write(machine("b"))
    for number in range(2, 100):
        dump.write(tx("ab"[number % 2], number, (number + 1, 0, 0, 0)))
        s.refresh()
        s.work()
    assert (s.spot, s.state, s.moment, s.address) == before
    assert s.shown.total == 51


def test_it_waits_for_the_first_machine() -> None:
    dump = MemoryDump("x")
    s = Session(Store(dump))
    assert s.spot == Spot("", 0)
    assert not s.move().ok
    assert not s.find("A").ok
    assert not s.go_to("mach://a").ok
    assert s.shown.total == 0
    dump.write(machine("a"))
    dump.write(tx("a", 0, (1, 0, 0, 0)))
    s.refresh()
    assert s.spot == Spot("a", 1)


def test_another_recording_is_met_at_the_same_transition() -> None:
    dump = history(*[tx("a", n, (n, 0, 0, 0)) for n in range(9)])
    s = Session(Store(dump), Filters.none(), follow=False)
    s.work_all()
    s.go(Place("a", 7))
    assert s.record is not None  # as a face has shown it
    dump.abandon()
    dump.write(machine("a"))
    for number in range(4, 8):
        dump.write(tx("a", number, (number, 0, 0, 0)))
    assert s.refresh().is_new
    assert s.cursor == 3
    assert s.record is not None
    assert s.record.tx.id == f"{6:016x}"


def test_where_it_became_true_over_machines() -> None:
    s = session(
        tx("a", 0, (1, 0, 0, 0)),
        tx("b", 1, (1, 0, 0, 0)),
        tx("b", 2, (2, 0, 0, 0)),
        tx("b", 3, (3, 0, 0, 0)),
        machines=("a", "b"),
    )
    assert s.find("Start & b.Start").ok
    assert s.spot == Spot("b", 1)
    assert s.find("Start & b.Start").ok  # a's Start, still
    assert s.spot == Spot("b", 3)
    assert s.find("Start & b.Start", back=True).ok
    assert s.spot == Spot("b", 1)
    none = s.find("Start & b.Start", back=True)
    assert none.text == "Start & b.Start did not become true before this"
    wrong = s.find("Strt")
    assert wrong.hint == "did you mean Start?"
    assert "ends too early" in s.find("A &").text


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(walks(most=12), st.lists(st.integers(0, 12), max_size=30))
def test_no_walk_ever_raises_and_every_place_is_one(dump: MemoryDump, moves: list[int]) -> None:
    s = Session(Store(dump))
    s.work_all()
    acts = [
        s.first, s.last, s.move, lambda: s.move(-1), s.move_step, lambda: s.move_step(-1),
        s.move_any, lambda: s.move_any(False), s.back, s.forward, lambda: s.fast(False),
        lambda: s.select_machine("b"), lambda: s.set_filters(s.filters.toggled("canceled")),
    ]  # fmt: skip
    for number in moves:
        acts[number]()
        assert 0 <= s.cursor <= s.store.size(s.machine)
        ahead = s.next_record
        assert s.step <= (len(ahead.tx.steps) if ahead else 0)
        assert str(s.shown).startswith("showing ")


def test_the_recorded_run_by_hand() -> None:
    s = Session.open(DUMPS / "workflow.gob.br", filters=Filters.none(), follow=False)
    s.work_all()
    s.go_to("mach://orchestrator?state=StartWork")
    assert (s.machine, s.state) == ("orchestrator", "StartWork")
    assert s.jump(Jump.ACTIVE).ok
    first = s.cursor
    assert s.find("StartWork", back=True).ok is False
    s.set_filters(replace(s.filters, auto=Auto.HIDE))
    assert s.shown.visible == 806 - 332
    s.close()
    assert first > 1
