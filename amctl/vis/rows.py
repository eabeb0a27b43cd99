"""The order of a machine's rows: columns, blocks, and next to whom.

Rows that lead to the right stand in the right column, in the order of their partners, so that
lines don't cross; those that lead to both sides take the whole width; the rest fills up. States
of a one-of group stand together. Blocks (families, mirrored states) stay apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amctl.vis.groups import families, one_of_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from amctl.graph.model import GraphState

__all__ = ["Band", "Seating", "seated"]

ONE_COLUMN = 10
"""Up to so many states stand in one column."""

Column = tuple["GraphState", ...]


@dataclass(frozen=True, slots=True)
class Band:
    """Rows side by side."""

    columns: tuple[Column, ...]
    prefix: str = ""
    """Of its block: the header says it once, the rows leave it out."""
    has_header: bool = False

    @property
    def height(self) -> int:
        """Rows, that of the header too."""
        return max(map(len, self.columns)) + self.has_header


@dataclass(frozen=True, slots=True)
class Seating:
    """All bands of a table, from top to bottom."""

    bands: tuple[Band, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """State -> its one-of group."""

    @property
    def columns(self) -> int:
        """Columns of the widest band."""
        return max((len(band.columns) for band in self.bands), default=1)

    def positions(self) -> dict[str, int]:
        """State -> its row, counted from the top."""
        found, top = {}, 0
        for band in self.bands:
            for column in band.columns:
                found.update({s.name: top + band.has_header + i for i, s in enumerate(column)})
            top += band.height
        return found


def seated(
    states: Sequence[GraphState],
    *,
    prefixes: Iterable[str] = (),
    sides: Mapping[str, set[str]],
    partner: Callable[[str], float],
    groups: bool = True,
) -> Seating:
    """The rows of one machine.

    Args:
        states: Those that are drawn.
        prefixes: Blocks that must exist, since a line ends at them.
        sides: State -> "w" and "e", where its lines leave.
        partner: The mean row of a state's partners, of what is seated already.
        groups: Whether one-of groups are shown.
    """
    found = one_of_groups(states) if groups else []
    mates = {name: tuple(group) for group in found for name in group}
    bands: list[Band] = []
    for prefix, members in families(states, prefixes):
        bands += _block(prefix, members, sides, partner, mates)
    return Seating(tuple(bands), mates)


def _block(
    prefix: str,
    members: Sequence[GraphState],
    sides: Mapping[str, set[str]],
    partner: Callable[[str], float],
    mates: Mapping[str, tuple[str, ...]],
) -> list[Band]:
    def leads(side: str) -> list[GraphState]:
        found = [s for s in members if side in sides.get(s.name, ())]
        return sorted(found, key=lambda s: partner(s.name))

    west, east = leads("w"), leads("e")
    both = [s for s in west if s in east]
    free = [s for s in members if s not in west and s not in east]
    if len(members) <= ONE_COLUMN and not prefix:
        piped = sorted([*west, *(s for s in east if s not in both)], key=lambda s: partner(s.name))
        return [Band((_together([*piped, *free], mates),))]
    columns = [[s for s in west if s not in both], [s for s in east if s not in both]]
    for state in free:
        _home(state, columns, mates).append(state)
    bands = [Band((_together(both, mates),), prefix, bool(prefix))] if both else []
    if any(columns):
        pair = tuple(_together(column, mates) for column in columns)
        bands.append(Band(pair, prefix, bool(prefix) and not both))
    return bands


def _home(
    state: GraphState, columns: list[list[GraphState]], mates: Mapping[str, tuple[str, ...]]
) -> list[GraphState]:
    """The column of the state's one-of group, else the shorter one."""
    group = mates.get(state.name, ())
    with_mates = (c for c in columns if any(s.name in group for s in c))
    return next(with_mates, min(columns, key=len))


def _together(column: Sequence[GraphState], mates: Mapping[str, tuple[str, ...]]) -> Column:
    """Members of a group side by side, at the place of their first."""
    place = {s.name: i for i, s in enumerate(column)}

    def first(state: GraphState) -> int:
        return min(place[name] for name in mates.get(state.name, (state.name,)) if name in place)

    return tuple(sorted(column, key=first))
