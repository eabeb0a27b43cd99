"""What handlers' names mean, and in which order events come (section 9)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.machine import BindError, HandlerNameError
from amctl.machine.handlers import Binding, HandlerTable
from tests.machine.tools import Log, mach, no

NAMES = ("A", "B", "C", "D")
SOME = st.lists(st.integers(0, 3), unique=True, max_size=4).map(tuple)


def _table(*names: str, states: tuple[str, ...] = NAMES) -> HandlerTable:
    return HandlerTable(states, [Binding("b", dict.fromkeys(names, no), "", states, "m")])


def _every() -> list[str]:
    out = [s + p for s in NAMES for p in ("Exit", "Enter", "State", "End")]
    return [*out, *(a + b for a in NAMES for b in NAMES), "AnyEnter", "AnyState"]


@given(SOME, SOME, SOME, st.booleans(), st.sets(st.sampled_from(_every())))
def test_hnd_2_order(
    active: tuple[int, ...],
    targets: tuple[int, ...],
    called: tuple[int, ...],
    removing: bool,
    bound: set[str],
) -> None:
    """The table against the plain text of the rule."""
    exits = tuple(i for i in active if i not in targets)
    enters = tuple(i for i in targets if i not in active or i in called)
    order = [NAMES[i] + "Exit" for i in exits] + [NAMES[i] + "Enter" for i in enters]
    order += [NAMES[i] * 2 for i in targets if i in active and not removing]
    order += [NAMES[x] + NAMES[y] for x in active for y in targets if x != y]
    order += ["AnyEnter"]
    finals = [NAMES[i] + "End" for i in exits] + [NAMES[i] + "State" for i in enters]
    finals += ["AnyState"]
    table = _table(*bound)
    mask = sum(1 << i for i in active)
    got = table.negotiation(exits, enters, targets, active, mask, removing)
    assert [a.name for a in got] == [n for n in order if n in bound]
    assert [a.name for a, _ in table.finals(exits, enters)] == [n for n in finals if n in bound]


def test_hnd_15_nothing_bound_nothing_to_ask() -> None:
    table = HandlerTable(NAMES, ())
    assert table.negotiation((0,), (1,), (1,), (0,), 1, False) == ()
    assert table.finals((0,), (1,)) == ()


def test_finals_know_how_many_state_events_come_before() -> None:
    finals = _table("AEnd", "CState", "AnyState").finals((0,), (1, 2))
    assert [(a.name, at) for a, at in finals] == [("AEnd", 0), ("CState", 1), ("AnyState", 2)]


@pytest.mark.parametrize(
    ("states", "name", "phases"),
    [
        ("Foo Bar", "FooBar", "pairs"),
        ("Foo", "FooFoo", "selves"),
        ("Front FrontEnd", "FrontEnd", "end"),
        ("A FrontEnd", "AFrontEnd", "pairs"),
        ("Foo FooState", "FooStateState", "state"),
        ("Enter A", "AEnter", "enter pairs"),
        ("Any Enter", "AnyEnter", "any_enter enter pairs"),
    ],
)
def test_nam_9_hnd_10_a_name_may_mean_more_than_one_event(
    states: str, name: str, phases: str
) -> None:
    """States with endings of handlers for names are unwise, but nothing is lost."""
    table = _table(name, states=tuple(states.split()))
    places = ("exit", "enter", "selves", "pairs", "state", "end", "any_enter", "any_state")
    filled = []
    for place in places:
        found: Any = getattr(table, place)
        found = found.values() if isinstance(found, dict) else found
        if any(found) if isinstance(found, list | type({}.values())) else found is not None:
            filled.append(place)
    assert sorted(filled) == sorted(phases.split())


def test_hnd_10_a_coroutine_may_not_answer_a_name_that_also_negotiates() -> None:
    async def handler(_: Any) -> None: ...

    states = ("Foo", "State")
    Binding("b", {"FooEnd": handler}, "", states, "m")
    with pytest.raises(BindError):
        Binding("b", {"FooState": handler}, "", states, "m")  # also the pair Foo, State


def test_hnd_11_an_empty_field_is_no_handler() -> None:
    class Handlers:
        """As of an object that fills its fields later."""

        AState = None
        BState = staticmethod(no)

    binding = Binding("b", Handlers(), "", NAMES, "m")
    assert set(binding.handlers) == {"BState"}


def test_hnd_8_the_prefix_is_cut_off_names() -> None:
    m, log = mach("FooA FooB"), Log()
    handlers = ("AState", "BState", "AFooB", "AFooA", "BExit")
    m.bind({n: (lambda _, n=n: log.append(n)) for n in handlers}, prefix="Foo")
    m.add("FooA")
    m.add(["FooB", "FooA"])
    m.remove("FooB")
    assert log.take() == "AState AFooA AFooB BState BExit"


def test_hnd_8_a_prefixed_typo_is_never_called() -> None:
    Binding("b", {"Typo": no}, "Foo", NAMES, "m")
    with pytest.raises(HandlerNameError):
        Binding("b", {"Typo": no}, "", NAMES, "m")


def test_hnd_6_ids_keep_harmless_characters() -> None:
    assert Binding("a b/c:d_e.f-G9\n", {}, "", NAMES, "m").id == "abcd_e.f-G9"


def test_class_and_static_methods_are_handlers_too() -> None:
    ran: list[str] = []

    class Handlers:
        @staticmethod
        def AState(e: Any) -> None:
            ran.append(e.name)

        @classmethod
        def BState(cls, e: Any) -> None:
            ran.append(e.name)

    mach("A B", handlers=Handlers()).add(["A", "B"])
    assert ran == ["AState", "BState"]


def test_handlers_say_whether_they_are_coroutine_functions() -> None:
    async def later(_: Any) -> None: ...

    binding = Binding("b", {"AState": later, "AEnd": no}, "", NAMES, "m")
    table = HandlerTable(NAMES, [binding])
    actions = [table.state[0], table.end[0]]
    assert [a.handlers[0].is_coroutine for a in actions if a] == [True, False]
