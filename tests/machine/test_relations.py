"""The resolver against its list-walking twin, and the table of consequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.machine.relations import Resolver
from tests.machine.strategies import schemas
from tests.machine.tools import mach
from tests.support.reference_resolver import exits, resolve

if TYPE_CHECKING:
    from amctl.machine.schema import Schema

KINDS = ("add", "remove", "set")


@pytest.mark.slow
@given(schemas(), st.data())
def test_rel_1_to_12_masks_and_lists_agree(raw: Schema, data: st.DataObject) -> None:
    schema = raw.effective[0]
    compiled = raw.compiled()
    some = st.lists(st.sampled_from(schema.names), unique=True)
    active, called = data.draw(some), data.draw(some)[:3]
    kind = data.draw(st.integers(0, 2))
    order = [tuple(compiled.index[s] for s in names) for names in (called, active)]
    masks = [sum(1 << i for i in items) for items in order]
    resolver = Resolver(compiled)
    targets, mask = resolver.targets(kind, order[0], masks[0], order[1], masks[1])
    names = [schema.names[i] for i in targets]
    assert names == resolve(schema, KINDS[kind], called, active)
    assert mask == sum(1 << i for i in targets)
    left = [i for i in order[1] if not mask >> i & 1]
    gone = resolver.sort(left, sum(1 << i for i in left))
    assert [schema.names[i] for i in gone] == exits(schema, names, active)


@pytest.mark.parametrize(
    ("states", "relations", "active", "op", "called", "result", "after"),
    [
        ("C D", {"C": "remove:D"}, "D", "add", "C", "executed", "C"),
        ("C D", {"D": "remove:C"}, "D", "add", "C", "canceled", "D"),
        ("C D", {"C": "remove:D", "D": "remove:C"}, "D", "add", "C", "executed", "C"),
        ("C D", {"C": "remove:D", "D": "remove:C"}, "", "add", "C D", "canceled", ""),
        ("A C D", {"A": "add:C", "D": "remove:C"}, "D", "add", "A", "executed", "A D"),
        ("C D", {"C": "require:D"}, "D C", "remove", "D", "executed", ""),
        ("A B C", {"A": "remove:B", "B": "remove:C"}, "B", "add", "A C", "executed", "A C"),
        ("A B", {"A": "auto remove:B", "B": "auto remove:A"}, "", "add", "Exception", "executed",
         "A Exception"),
        ("A B E", {"B": "require:E"}, "E", "set", "A B", "canceled", "E"),
        ("A B", {"A": "require:Nope"}, "", "add", "A", "canceled", ""),
    ],
)  # fmt: skip
def test_rel_13_consequences(
    states: str,
    relations: dict[str, str],
    active: str,
    op: str,
    called: str,
    result: str,
    after: str,
) -> None:
    m = mach(states, **relations)
    m.add(active.split())
    assert str(getattr(m, op)(called.split())) == result
    assert sorted(m.active) == sorted(after.split())


def test_rel_6_states_of_the_second_level_come_first_and_backwards() -> None:
    m = mach("A B C D X", A="add:B", B="add:C,D")
    m.add("X")
    m.add("A")
    assert m.active == ["D", "C", "A", "X", "B"]


def test_rel_10_a_require_cycle_disables_the_sort_by_require() -> None:
    m = mach("A B C D", A="require:B", B="require:A", C="require:D")
    assert m.add(["C", "D"]).executed
    assert m.active == ["C", "D"]
    n = mach("C D", C="require:D")
    n.add(["C", "D"])
    assert n.active == ["D", "C"]


def test_rel_11_after_sorts_neighbours_at_any_size() -> None:
    names = [f"S{i:02}" for i in range(30)]
    m = mach(" ".join([*names, "X"]), S29="after:S28")
    m.add(["S29", "X", "S28"])
    assert m.active == ["S29", "X", "S28"]
    m.set([*names[:28], "S29", "S28"])
    assert m.active[-2:] == ["S28", "S29"]
