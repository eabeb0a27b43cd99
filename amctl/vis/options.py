"""What to draw: the flags of am-vis, and its presets (vis.md 3.1 and 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["VisOptions"]


@dataclass(frozen=True, slots=True)
class VisOptions:
    """One value per flag; the defaults are those of a drawing without preset."""

    distance: int = 0
    """Machine-to-machine hops from a requested machine that are drawn in full; -1 is all."""
    depth: int = 0
    """Levels of submachines below a requested machine that are drawn in full."""
    states: bool = True
    start: bool = False
    ready: bool = True
    exception: bool = True
    inherited: bool = True
    mark_inherited: bool = True
    relations: bool = True
    after: bool = False
    """Draw After relations too (the original never does)."""
    pipes: bool = True
    detailed_pipes: bool = True
    half_pipes: bool = True
    conns: bool = True
    half_conns: bool = True
    parent_rel: bool = True
    half_hierarchy: bool = True
    nest_submachines: bool = False
    tags: bool = True
    active: bool = True
    """Show which states are active."""
    pipe_states: bool = True
    """Draw a state that a drawn pipe ends at, whatever the other rules say."""
    map: bool = False
    """Machines as cards without states."""
    collapse: bool = True
    """Eight or more pipes of one pair that mirror a block of states become one line."""
