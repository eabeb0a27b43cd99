from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.graph.model import GraphState
from amctl.vis.groups import families, family_of, one_of_groups


def states(*names: str) -> list[GraphState]:
    return [GraphState(name) for name in names]


def names(blocks: list[tuple[str, list[GraphState]]]) -> dict[str, list[str]]:
    return {prefix: [s.name for s in found] for prefix, found in blocks}


@pytest.mark.parametrize(
    ("state", "family"),
    [("Browser3Ready", "Browser3"), ("Ready", ""), ("Browser3", ""), ("Err2", ""), ("B2C3D", "B2")],
)
def test_a_family_is_a_numbered_first_word(state: str, family: str) -> None:
    assert family_of(state) == family


def test_families_of_five_are_blocks_in_natural_order() -> None:
    ten = [f"B10{x}" for x in "PQRST"]
    two = [f"B2{x}" for x in "PQRST"]
    few = ["C1X", "C1Y"]
    blocks = families(states(*ten, "Ready", *few, *two))
    assert names(blocks) == {"": ["Ready", *few], "B2": two, "B10": ten}
    assert [prefix for prefix, _ in blocks] == ["", "B2", "B10"]


def test_a_given_prefix_is_a_block_however_small() -> None:
    blocks = families(states("RemoteReady", "Ready"), ["Remote"])
    assert names(blocks) == {"": ["Ready"], "Remote": ["RemoteReady"]}


def removing(table: dict[str, str]) -> list[GraphState]:
    return [GraphState(name, remove=tuple(others)) for name, others in table.items()]


@pytest.mark.parametrize(
    ("table", "groups"),
    [
        ({"A": "BC", "B": "AC", "C": "AB"}, [["A", "B", "C"]]),
        ({"A": "B", "B": ""}, []),
        ({"A": "B", "B": "AC", "C": "B", "D": "E", "E": "D"}, [["A", "B"], ["D", "E"]]),
        ({"A": "AX"}, []),
    ],
)
def test_states_that_remove_each_other_are_one_of_a_group(
    table: dict[str, str], groups: list[list[str]]
) -> None:
    assert one_of_groups(removing(table)) == groups


@given(st.dictionaries(st.sampled_from("ABCDEFG"), st.text("ABCDEFG", max_size=7)))
def test_groups_are_disjoint_and_mutual(table: dict[str, str]) -> None:
    groups = one_of_groups(removing(table))
    found = [name for group in groups for name in group]
    assert len(found) == len(set(found))
    for group in groups:
        assert len(group) > 1
        assert all(b in table[a] for a in group for b in group if a != b)
