"""Events, mutations and where they come from (section 25)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from amctl.machine import Args, ArgsError, Event, MutationType, Source
from amctl.machine.event import as_source
from tests.machine.tools import Recorder, mach, no


@dataclass(frozen=True)
class AWork(Args):
    """Of the tests."""

    size: int = 0


def test_evt_1_bindings_share_one_event_for_each_name() -> None:
    seen: list[Event] = []
    m = mach("A")
    for _ in range(2):
        m.bind({"AEnter": seen.append, "AState": seen.append})
    m.add("A")
    assert [e.name for e in seen] == ["AEnter", "AEnter", "AState", "AState"]
    assert seen[0] is seen[1]
    assert seen[2] is seen[3]
    assert seen[0] is not seen[2]
    assert seen[0].raw == {}


def test_events_give_typed_arguments() -> None:
    got: list[AWork] = []
    m = mach("A M", M="multi", handlers={"MState": lambda e: got.append(e.args(AWork))})
    m.add("M")
    m.add("M", AWork(2))
    m.add("M", {"am__Work": {"size": 3}})
    assert got == [AWork(), AWork(2), AWork(3)]
    m.add("M", {"am__Work": {"size": "big"}})
    assert isinstance(m.err, ArgsError)


def test_an_event_knows_what_it_belongs_to() -> None:
    seen: list[Event] = []
    origin = Source("far", "tx1", 7)
    m = mach("B A", handlers={"AState": seen.append})
    m.add(["A", "B"], source=origin)
    event = seen[0]
    assert event.machine is m
    assert event.source == origin
    assert event.mutation.type is MutationType.ADD
    assert event.mutation.called_states == ("A", "B")
    assert event.mutation is event.transition.mutation
    assert not event.is_check


def test_evt_4_an_event_is_valid_while_its_transition_runs() -> None:
    seen: list[tuple[Event, bool]] = []
    m = mach("A B")
    m.bind({"AState": lambda e: seen.append((e, e.is_valid()))})
    m.add("A")
    event, within = seen[0]
    assert within
    assert not event.is_valid()


def test_evt_4_not_once_it_is_canceled() -> None:
    seen: list[Event] = []
    m = mach("A B", handlers={"AEnter": lambda e: seen.append(e) or False})
    m.bind({"BState": lambda _: seen.append(seen[0].is_valid())})  # type: ignore[arg-type]
    m.add("A")
    m.add("B")
    assert seen[1] is False


def test_evt_5_and_mut_9_the_string_has_index_order() -> None:
    seen: list[Event] = []
    m = mach("A B C", handlers={"AState": seen.append})
    m.add(["C", "A"])
    assert str(seen[0]) == "[add] A C"
    m.remove(["C", "B"])
    assert str(seen[0].mutation) == "[add] A C"


@pytest.mark.parametrize(("op", "text"), [("add", "add"), ("remove", "remove"), ("set", "set")])
def test_mut_9_types(op: str, text: str) -> None:
    tracer = Recorder()
    m = mach("A", tracers=[tracer])
    getattr(m, op)("A")
    assert str(tracer.ended[0].mutation) == f"[{text}] A"


def test_checks_and_autos_say_so() -> None:
    tracer = Recorder()
    m = mach("A Au", Au="auto require:A", tracers=[tracer])
    m.can_add("A")
    m.add("A")
    flags = [(tx.mutation.is_check, tx.mutation.is_auto, str(tx.mutation)) for tx in tracer.ended]
    assert flags == [
        (True, False, "[add] A"), (False, False, "[add] A"), (False, True, "[add] Au"),
    ]  # fmt: skip


def test_mut_7_an_event_that_is_over_is_a_source_without_a_time() -> None:
    seen: list[Event] = []
    m = mach("A B", id="origin", handlers={"BState": seen.append})
    m.add("A")
    m.add("B")
    source = seen[0].as_source()
    assert (source.machine_id, source.time) == ("origin", 0)
    assert source.tx_id == seen[0].transition.id


def test_sources_are_taken_as_they_are() -> None:
    origin, seen = Source("far"), list[Event]()
    mach("A", handlers={"AState": seen.append}).add("A")
    assert as_source(origin) is origin
    assert as_source(None) is None
    assert as_source(seen[0]) == seen[0].as_source()


def test_can_6_an_event_of_a_check_says_so() -> None:
    seen: list[Any] = []
    m = mach("A", handlers={"AEnter": lambda e: seen.append(e.is_check) or no(e)})
    assert m.can_add("A").canceled
    assert m.add("A").canceled
    assert seen == [True, False]
