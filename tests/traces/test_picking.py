"""Which rows are shown."""

from __future__ import annotations

import re

from amctl.traces.outline import Outline
from amctl.traces.picking import Filters, is_trouble, pick
from tests.traces.made import Maker, recorded


def labels(outline: Outline, filters: Filters) -> list[str]:
    return [one.row.label for one in pick(outline, filters)]


def busy(count: int) -> Outline:
    """A machine with so many transitions, one of which failed, one caused by another service."""
    made = Maker()
    other = made.add("0: [add] Go", service="remote")
    _, _, transitions = made.machine("lamp")
    for number in range(count):
        made.add(f"0: [add] S{number}", number, 1, parent=transitions, accepted=True)
    made.add("0: !S", 50, 2, parent=transitions, error="it broke", reason="Because")
    made.add("0: [add] Auto", 51, 0, parent=transitions, accepted=False, auto=True)
    made.add("0: [add] Caused", 52, 9, parent=transitions, links=((other, "source"),))
    return Outline(made.trace())


def test_a_short_group_is_shown_but_for_refused_autos() -> None:
    found = pick(busy(3), Filters(machines=frozenset(["lamp"])))
    assert [one.row.label for one in found] == [
        "lamp",
        "states",
        "transitions",
        "[add] S0",
        "[add] S1",
        "[add] S2",
        "!S",
        "[add] Caused",
    ]
    assert (found[2].folded, found[2].idle, found[2].spans) == (1, 1, ())


def test_a_long_group_shows_what_stands_out() -> None:
    found = pick(busy(60), Filters(machines=frozenset(["lamp"])))
    assert [one.row.label for one in found] == [
        "lamp",
        "states",
        "transitions",
        "!S",
        "[add] Caused",
    ]
    assert (found[2].folded, found[2].idle, len(found[2].spans)) == (61, 1, 60)


def test_all_folds_nothing() -> None:
    made = labels(busy(60), Filters(everything=True, machines=frozenset(["lamp"])))
    assert len(made) == 66
    rows = Outline(recorded()).rows
    assert labels(Outline(recorded()), Filters(everything=True)) == [row.label for row in rows]


def test_what_is_looked_for_keeps_what_is_above_it() -> None:
    outline = busy(60)
    above = ["lamp", "transitions"]
    assert labels(outline, Filters(errors=True)) == [*above, "!S"]
    assert labels(outline, Filters(grep=re.compile("am.reason=Beca"))) == [*above, "!S"]
    assert labels(outline, Filters(grep=re.compile("it broke"))) == [*above, "!S"]
    assert labels(outline, Filters(grep=re.compile("Auto"))) == [*above, "[add] Auto"]
    assert labels(outline, Filters(min_ns=3_000_000)) == [*above, "[add] Caused"]
    assert labels(outline, Filters(services=frozenset(["remote"]))) == ["remote", "0: [add] Go"]
    assert labels(outline, Filters(grep=re.compile("nowhere"))) == []


def test_groups_and_depth_can_be_left_out() -> None:
    outline = busy(3)
    assert "transitions" not in labels(outline, Filters(transitions=False))
    assert labels(outline, Filters(depth=1)) == ["remote", "lamp"]


def test_only_fitting_times_of_a_state_are_drawn() -> None:
    made = Maker()
    _, states, _ = made.machine("lamp")
    name = made.add("0:On", parent=states)
    made.add("0:On", 0, 1, parent=name)
    long = made.add("0:On", 5, 50, parent=name)
    found = pick(Outline(made.trace()), Filters(min_ns=10_000_000))
    assert found[-1].spans == (long,)


def test_trouble_is_a_failed_span_or_a_state_of_errors() -> None:
    made = Maker()
    names = ("0:Exception", "0:ErrNetwork", "1: ![add] X", "0:Working", "Error page")
    assert [is_trouble(made.add(name)) for name in names] == [True, True, True, False, False]
    assert is_trouble(made.add("x", error="e"))
