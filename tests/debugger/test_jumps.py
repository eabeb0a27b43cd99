"""Where jumps lead; the moves that use them stand in test_session.py."""

from __future__ import annotations

from amctl.debugger.filters import Filters
from amctl.debugger.index import Place
from amctl.debugger.jumps import Jump, neighbour, target
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from amctl.telemetry.messages import SourceRef
from tests.debugger.histories import history, tx


def made() -> Session:
    dump = history(
        tx("a", 1, (1, 0, 0, 0), called=(0,)),
        tx("b", 2, (1, 0, 0, 0), source=SourceRef("a", f"{1:016x}")),
        tx("b", 3, (1, 0, 0, 1)),
        tx("b", 4, (1, 0, 0, 1)),
        tx("b", 5, (1, 0, 0, 3)),
        tx("b", 6, (2, 0, 0, 4)),
        machines=("a", "b"),
    )
    session = Session(Store(dump), Filters.none(), follow=False)
    session.work_all()
    return session


def test_causes_lead_to_another_machine_and_effects_back() -> None:
    session = made()
    session.go(Place("b", 1))
    assert session.jump(Jump.CAUSE, forward=False).ok
    assert (session.machine, session.cursor) == ("a", 1)
    assert session.jump(Jump.CAUSE, forward=False).text == (
        "no source is told: it came from outside"
    )
    assert session.jump(Jump.CAUSE).ok
    assert (session.machine, session.cursor) == ("b", 1)
    assert session.jump(Jump.CAUSE).text == "nothing is known to come from this"


def test_errors_are_those_that_are_new() -> None:
    session = made()
    session.go(Place("b", 0))
    found = []
    while session.jump(Jump.ERROR).ok:
        found.append(session.cursor)
    assert found == [2, 4]


def test_a_state_that_ended() -> None:
    session = made()
    session.go(Place("b", 0))
    session.select_state("Start")
    place, why = target(session, Jump.ENDED, True)
    assert (place, why) == (Place("b", 5), "")
    place, why = target(session, Jump.ENDED, False)
    assert (place, why) == (None, "no Start ended before this")


def test_a_neighbour_of_any_machine() -> None:
    session = made()
    session.go(Place("b", 1))
    assert neighbour(session, True) == Place("b", 2)
    assert neighbour(session, False) == Place("a", 1)


def test_what_is_only_partly_looked_at_is_said() -> None:
    dump = history(*[tx("a", n, (1, 0, 0, 0)) for n in range(10)])
    session = Session(Store(dump), Filters.none(), follow=False)
    session.store.work(5)
    assert target(session, Jump.CANCELED, True) == (
        None,
        "no canceled behind this, as far as is looked at (50%)",
    )
    assert str(session.shown) == "showing 10 of 10, 0 dropped (50% looked at)"
