"""Lines between states of the tree (debugger_ui.md 12)."""

from __future__ import annotations

from amctl.debugger.face.relations import MOST, TreeLine, relation_columns
from amctl.debugger.steps import Link

TREE = (
    TreeLine("A"),
    TreeLine("A", "require", "C"),
    TreeLine("B"),
    TreeLine("C"),
    TreeLine("D"),
)


def drawn(*links: Link) -> list[str]:
    """Each line: `g` where a line begins, `r` where it ends, `|` between."""
    letters = {"source": "g", "target": "r", "dim": "|", "text": " "}
    return [
        "".join(letters[role] for _, role in line).rstrip()
        for line in relation_columns(TREE, links)
    ]


def test_s12_a_line_joins_the_reference_and_its_state() -> None:
    assert drawn(Link("A", "require", "C", 1)) == ["", "g", "|", "r", ""]


def test_s12_without_the_reference_it_begins_at_the_state() -> None:
    assert drawn(Link("D", "remove", "B", 1)) == ["", "", "r", "|", "g"]


def test_s12_lines_that_overlap_stand_beside_one_another() -> None:
    found = drawn(Link("A", "require", "C", 1), Link("B", "add", "D", 2), Link("A", "add", "A", 3))
    assert found == ["", "g", "|g", "r|", " r"]


def test_s12_lines_apart_share_a_column() -> None:
    assert drawn(Link("A", "add", "B", 1), Link("D", "add", "C", 2)) == ["g", "|", "r", "r", "g"]


def test_s12_states_that_are_not_there_have_no_line() -> None:
    assert drawn(Link("A", "add", "X", 1)) == [""] * 5


def test_columns_are_bounded() -> None:
    found = relation_columns(TREE, [Link("A", "add", "D", n) for n in range(100)])
    assert {len(line) for line in found} == {MOST}
