from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amctl.graph.model import GraphState
from amctl.vis.rows import Band, Seating, seated


def states(names: str) -> list[GraphState]:
    return [GraphState(name) for name in names.split()]


def columns(band: Band) -> list[str]:
    return [" ".join(s.name for s in column) for column in band.columns]


def nowhere(_: str) -> float:
    return 99.0


def test_few_states_stand_in_one_column_piped_ones_first() -> None:
    at = {"C": 1.0, "B": 0.0}
    sides = {"C": {"e"}, "B": {"w"}}
    found = seated(states("A B C"), sides=sides, partner=lambda s: at.get(s, 99.0))
    assert [columns(band) for band in found.bands] == [["B C A"]]
    assert found.positions() == {"B": 0, "C": 1, "A": 2}


def test_many_stand_in_two_columns_by_where_their_lines_lead() -> None:
    names = "A B C D E F G H I J K L"
    at = {"A": 2.0, "B": 1.0, "C": 0.0, "D": 0.0}
    sides = {"A": {"e"}, "B": {"e"}, "C": {"w"}, "D": {"w", "e"}}
    found = seated(states(names), sides=sides, partner=lambda s: at.get(s, 99.0))
    both, pair = found.bands
    assert columns(both) == ["D"]
    west, east = columns(pair)
    assert west.startswith("C")
    assert east.startswith("B A")
    assert abs(len(pair.columns[0]) - len(pair.columns[1])) <= 1
    assert found.columns == 2


def test_a_family_is_a_block_with_a_header() -> None:
    names = "Ready " + " ".join(f"B1{x}" for x in "PQRST")
    found = seated(states(names), sides={}, partner=nowhere)
    rest, block = found.bands
    assert (rest.prefix, rest.has_header) == ("", False)
    assert (block.prefix, block.has_header) == ("B1", True)
    assert found.positions()["B1P"] == rest.height + 1


def test_a_block_with_rows_of_full_width_has_one_header() -> None:
    names = " ".join(f"B1{x}" for x in "PQRST")
    found = seated(states(names), sides={"B1Q": {"w", "e"}}, partner=nowhere)
    assert [band.has_header for band in found.bands] == [True, False]
    assert {band.prefix for band in found.bands} == {"B1"}


def test_members_of_a_group_stand_together() -> None:
    mutual = [GraphState("A", remove=("E",)), *states("B C D"), GraphState("E", remove=("A",))]
    found = seated(mutual, sides={}, partner=nowhere)
    assert columns(found.bands[0]) == ["A E B C D"]
    assert found.groups == {"A": ("A", "E"), "E": ("A", "E")}
    assert seated(mutual, sides={}, partner=nowhere, groups=False).groups == {}


def test_nothing_is_seated_of_nothing() -> None:
    assert seated([], sides={}, partner=nowhere) == Seating(())
    assert Seating(()).columns == 1


PREFIXED = st.builds(
    "{}{}".format, st.sampled_from(["", "B1", "B22", "Xy3"]), st.text("PQRS", min_size=1)
)


@given(
    st.lists(PREFIXED, unique=True, max_size=40),
    st.dictionaries(PREFIXED, st.sets(st.sampled_from("we"), min_size=1)),
)
def test_every_state_has_one_seat(names: list[str], sides: dict[str, set[str]]) -> None:
    found = seated([GraphState(x) for x in names], sides=sides, partner=nowhere)
    seats = [s.name for band in found.bands for column in band.columns for s in column]
    assert sorted(seats) == sorted(names)
    assert sorted(found.positions()) == sorted(names)
