"""Addresses and moments (debugger_ui.md 2.7)."""

from __future__ import annotations

import pytest

from amctl.debugger.addresses import address_of, cursor_at, cursor_of_moment
from amctl.debugger.filters import Filters
from amctl.debugger.index import Place
from amctl.debugger.session import Session, Spot
from amctl.debugger.store import Store
from amctl.graph.machurl import MachUrl
from amctl.machine.steps import Step
from tests.debugger.histories import SECOND, history, tx

BASE = 1000 * SECOND


def made() -> Session:
    dump = history(
        tx("a", 0xA0, (1, 0, 0, 0), time_ns=BASE, queue_tick=1),
        tx("a", 0xA1, (1, 0, 0, 0), time_ns=BASE + 1, queue_tick=1, is_queued=True),
        tx("a", 0xA2, (2, 0, 0, 0), time_ns=BASE + 2, queue_tick=3, steps=(Step(4, target=0),)),
        tx("a", 0xA3, (3, 0, 0, 0), time_ns=BASE + 9, queue_tick=4),
        tx("b", 0xB0, (1, 0, 0, 0), time_ns=BASE + 5),
        machines=("a", "b"),
    )
    session = Session(Store(dump), Filters.none(), follow=False)
    session.work_all()
    return session


@pytest.mark.parametrize(
    ("address", "spot"),
    [
        ("mach://a/00000000000000a2", Spot("a", 3)),
        ("mach://a/00000000000000a1", Spot("a", 2)),
        ("mach://a/00000000000000a0/1", Spot("a", 1, 0)),  # the next one has no step
        ("mach://a/00000000000000a1/1", Spot("a", 2, 1)),
        ("mach://a/00000000000000a1/9", Spot("a", 2, 1)),
        ("mach://a/00000000000000a2?t=1", Spot("a", 3)),  # the transition wins
        ("mach://a?t=2&q=1", Spot("a", 3)),  # then time
        ("mach://a?t=77", Spot("a", 1)),  # no such time: the first one
        ("mach://a?t=0", Spot("a", 0)),
        ("mach://a?q=2", Spot("a", 3)),
        ("mach://a?q=99", Spot("a", 4)),
        ("mach://a?ht=1970-01-01T00:16:40.000000002Z", Spot("a", 3)),
        ("mach://a?ht=1970-01-01T00:16:40.000000003Z", Spot("a", 4)),
        ("mach://a?ht=2070-01-01T00:00:00Z", Spot("a", 4)),
        ("mach://a?q=nonsense&t=2", Spot("a", 3)),  # bad numbers are ignored
    ],
)
def test_an_address_leads_to_its_transition(address: str, spot: Spot) -> None:
    session = made()
    session.go_to(address)
    assert session.spot == spot


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("mach://a/nope", "a has no transition 'nope'"),
        ("mach://c/x", "the recording has no machine 'c'"),
        ("match://a", "it doesn't begin with mach://"),
        ("mach://", "the machine's id is missing"),
        ("mach://a/000000000000", "a has no transition"),  # several begin so
    ],
)
def test_a_bad_address_leads_nowhere_and_says_why(address: str, text: str) -> None:
    session = made()
    moved = session.go_to(address)
    assert not moved.ok
    assert text in moved.text
    assert session.spot == Spot("a", 0)


def test_the_beginning_of_an_id_is_enough_where_it_is_one() -> None:
    dump = history(tx("a", 0xABCDEF << 40, (1, 0, 0, 0)), tx("a", 0xABCD12 << 40, (2, 0, 0, 0)))
    session = Session(Store(dump), Filters.none(), follow=False)
    session.work_all()
    assert not session.go_to_tx("abc").ok  # too short
    assert not session.go_to_tx("abcd").ok  # both begin so
    assert session.go_to_tx("abcde").ok
    assert session.cursor == 1


def test_every_place_has_an_address_that_leads_back() -> None:
    session = made()
    for id, last in (("a", 4), ("b", 1)):
        for cursor in range(last + 1):
            session.go(Place(id, cursor))
            text = str(session.address)
            session.go(Place("a", 2))
            session.go_to(text)
            assert (session.machine, session.cursor) == (id, cursor)
            place = Place(id, cursor)
            assert str(address_of(session.store, place)) == text


def test_state_and_group_stand_in_the_address() -> None:
    session = made()
    session.go_to("mach://a/00000000000000a2?state=Ready")
    assert session.state == "Ready"
    assert session.address == MachUrl("a", "00000000000000a2", state="Ready")


def test_wall_and_machine_times() -> None:
    session = made()
    assert session.go_to_wall(BASE + 3).ok
    assert session.cursor == 4
    assert session.go_to_time(2).ok
    assert session.cursor == 3


def test_moments_of_other_machines_are_up_to_and_with_theirs() -> None:
    # differs from Go, which lands on the transition before that moment
    store = made().store
    assert cursor_at(store, "b", BASE + 5) == 1
    assert cursor_at(store, "b", BASE + 4) == 0
    assert cursor_of_moment(store, "a", 4, "b") == 1
    assert cursor_of_moment(store, "a", 3, "b") == 0
    assert cursor_of_moment(store, "a", 3, "a") == 3
    assert cursor_at(store, "c", BASE) == 0
