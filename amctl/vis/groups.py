"""Which states of a machine belong together: families by name, and one-of groups."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from amctl.graph.natural import natural

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amctl.graph.model import GraphState

__all__ = ["families", "family_of", "one_of_groups"]

_FAMILY = re.compile(r"([A-Z][A-Za-z]*?\d+)(?=[A-Z])")


def family_of(state: str) -> str:
    """The numbered first word of a name: `Browser3` of `Browser3Ready`; empty without one."""
    match = _FAMILY.match(state)
    return match[1] if match else ""


def families(
    states: Sequence[GraphState], prefixes: Iterable[str] = (), least: int = 5
) -> list[tuple[str, list[GraphState]]]:
    """Blocks of states whose names begin alike; what belongs to none comes first, under "".

    Args:
        states: In the order that blocks keep.
        prefixes: Make blocks of their own however small.
        least: States that make a block.
    """
    forced = sorted(set(prefixes), key=lambda p: (-len(p), p))
    prefix_of: dict[str, str] = {}
    for state in states:
        given = next((p for p in forced if p and state.name.startswith(p)), None)
        prefix_of[state.name] = family_of(state.name) if given is None else given
    sizes = Counter(prefix_of.values())
    blocks: dict[str, list[GraphState]] = {}
    for state in states:
        prefix = prefix_of[state.name]
        is_block = prefix in forced or sizes[prefix] >= least
        blocks.setdefault(prefix if is_block else "", []).append(state)
    rest = blocks.pop("", [])
    kept = list(blocks.items())
    kept.sort(key=lambda block: natural(block[0]))
    return ([("", rest)] if rest else []) + kept


def one_of_groups(states: Sequence[GraphState]) -> list[list[str]]:
    """Groups of states that all remove each other; none is in two. The largest come first."""
    removes = {s.name: set(s.remove) for s in states}
    mutual = {
        name: {x for x in others if x != name and x in removes and name in removes[x]}
        for name, others in removes.items()
    }
    left = [s.name for s in states if mutual[s.name]]
    found = []
    while left:
        best = max((_clique(name, left, mutual) for name in left), key=len)
        if len(best) < 2:
            break
        best.sort(key=left.index)
        found.append(best)
        left = [name for name in left if name not in best]
    return found


def _clique(seed: str, names: Sequence[str], mutual: dict[str, set[str]]) -> list[str]:
    clique = [seed]
    common = set(mutual[seed])
    for name in names:
        if name in common:
            clique.append(name)
            common &= mutual[name]
    return clique
