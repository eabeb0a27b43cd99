"""Questions to the queue."""

from __future__ import annotations

from typing import Any

from amctl.machine import Machine, MutationType
from tests.machine.tools import Recorder, mach

ADD, REMOVE, SET = MutationType.ADD, MutationType.REMOVE, MutationType.SET


def inside(m: Machine, body: Any) -> Any:
    """What `body(machine)` gives inside of a handler, where mutations wait."""
    got: list[Any] = []
    m.bind({"GoState": lambda _: got.append(body(m))})
    m.add("Go")
    return got[0]


def test_que_10_the_first_match() -> None:
    def ask(m: Machine) -> list[int]:
        m.add(["A", "B"], {"x": 1})
        m.remove("C")
        m.set("A")
        m.can_add("B")  # in front
        return [
            m.is_queued((ADD,), "A"),
            m.is_queued((ADD,), "A", strict=True),
            m.is_queued((ADD,), ["B", "A"], strict=True),
            m.is_queued((ADD,), "A", without_args=True),
            m.is_queued((ADD, REMOVE), "C"),
            m.is_queued((ADD, SET), "A", min_queue_tick=5),
            m.is_queued((ADD, SET), "A", min_queue_tick=7),
            m.is_queued((*MutationType,), "B", without_args=True),
            m.is_queued((ADD,), []),
            m.is_queued((REMOVE,), ["C", "Nope"]),
        ]

    m = mach("A B C Go")
    m.add("C")
    assert inside(m, ask) == [1, -1, 1, -1, 2, 3, -1, -1, 1, -1]
    assert m.is_queued((ADD,), []) == -1


def test_que_11_what_will_be() -> None:
    """Errata: repeated names count. Implied states don't."""

    def ask(m: Machine) -> list[bool]:
        m.add(["A", "B"])
        m.remove("C")
        return [
            m.will_be("A"),
            m.will_be(["B", "A"]),
            m.will_be(["A", "B", "A"]),
            m.will_be(["A", "A"]),
            m.will_be("I"),
            m.will_be("Nope"),
            m.will_be("C"),
            m.will_be("Go"),
            m.will_be_any("C", "B"),
            m.will_be_any("C", ["A", "C"]),
            m.will_be_any(),
            m.will_be_removed("C"),
            m.will_be_removed(["C", "A"]),
        ]

    m = mach("A B C I Go", A="add:I")
    m.add("C")
    yes = [0, 1, 3, 8, 11]
    assert inside(m, ask) == [n in yes for n in range(13)]


def test_que_11_an_auto_mutation_is_an_add() -> None:
    m, seen = mach("A Au Go", Au="auto require:Go"), list[bool]()
    m.bind({"AuEnter": lambda _: seen.append(m.will_be("Au"))})  # it runs, so it waits no more

    class Peeks(Recorder):
        def transition_end(self, tx: Any) -> None:
            seen.append(m.will_be("Au"))

    m.bind_tracer(Peeks())
    m.add("Go")
    assert seen == [True, False, False]


def test_que_12_rates_can_be_limited() -> None:
    def ask(m: Machine) -> list[bool]:
        for n in range(3):
            m.add("A", {"n": n})
        m.add(["A", "B"])
        m.can_add("A")
        return [
            *(m.is_queued_above(n, (ADD,), "A") for n in range(6)),
            m.is_queued_above(4, (ADD,), "A", strict=True),
            m.is_queued_above(2, (ADD,), "A", without_args=True),
            m.is_queued_above(3, (ADD,), "A", min_queue_tick=4),
            m.is_queued_above(1, (REMOVE,), "A"),
        ]

    got = inside(mach("A B Go"), ask)
    assert got == [True, True, True, True, True, False, False, False, True, False]
