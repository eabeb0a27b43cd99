"""Lines that join states in the tree while one steps: who looked at whom (debugger_ui.md 12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amctl.debugger.steps import Link

__all__ = ["MOST", "TreeLine", "relation_columns"]

MOST = 24
"""Columns at most; what needs more is left out."""


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A line of the tree, as far as lines between states need it."""

    state: str = ""
    """The state that it is, or that it belongs to."""
    relation: str = ""
    """`add`, `require`, `remove` or `after`, if it is a reference below that state."""
    target: str = ""
    """The state that is referred to."""

    @property
    def is_state(self) -> bool:
        """Whether it is the state's own line."""
        return bool(self.state) and not self.relation


def relation_columns(
    tree: Sequence[TreeLine], links: Iterable[Link]
) -> list[list[tuple[str, str]]]:
    """For each line of the tree what stands in its columns: letters with roles of `themes`.

    A line begins, green, at the reference below its source, or at the source itself, and ends, red,
    at its target. Lines that overlap stand in columns of their own, in the order of the steps.
    """
    states = {line.state: at for at, line in enumerate(tree) if line.is_state}
    refs = {(x.state, x.relation, x.target): at for at, x in enumerate(tree) if x.relation}
    columns: list[dict[int, tuple[str, str]]] = []
    for link in links:
        source = refs.get((link.source, link.relation, link.target), states.get(link.source, -1))
        target = states.get(link.target, -1)
        if source < 0 or target < 0 or source == target:
            continue
        rows = range(min(source, target), max(source, target) + 1)
        column = next((one for one in columns if not any(at in one for at in rows)), None)
        if column is None:
            if len(columns) == MOST:
                continue
            column = {}
            columns.append(column)
        column.update((at, ("|", "dim")) for at in rows)
        column[source], column[target] = ("|", "source"), ("|", "target")
    return [[column.get(at, (" ", "text")) for column in columns] for at in range(len(tree))]
