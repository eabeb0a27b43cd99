"""A network of machines as plain data: what every listing and picture is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Graph", "GraphMachine", "GraphState", "Pipe"]


@dataclass(frozen=True, slots=True)
class GraphState:
    """One state of a machine, at the graph's moment."""

    name: str
    tick: int = 0
    """Odd is active."""
    auto: bool = False
    multi: bool = False
    require: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    inherited: bool = False
    """Part of a standard set which the machine has as a whole (vis.md 3.3)."""

    @property
    def is_active(self) -> bool:
        """Whether it is active at the graph's moment."""
        return self.tick & 1 == 1


@dataclass(frozen=True, slots=True)
class GraphMachine:
    """One machine."""

    id: str
    states: tuple[GraphState, ...] = ()
    """In index order."""
    parent: str = ""
    """Id; empty at the top. It may be missing in the graph."""
    tags: tuple[str, ...] = ()
    known: bool = True
    """False for one that only others speak of: no schema, no clock."""
    time_ns: int = 0
    """Unix time of its last transition up to the graph's moment; 0 if there is none."""

    @property
    def time_sum(self) -> int:
        """Sum of ticks."""
        return sum(s.tick for s in self.states)

    def state(self, name: str) -> GraphState | None:
        """A state by name."""
        return next((s for s in self.states if s.name == name), None)


@dataclass(frozen=True, slots=True, order=True)
class Pipe:
    """States of one machine that follow those of another; an end that never reported is empty."""

    source: str
    kind: Literal["add", "remove"]
    source_state: str
    target: str
    target_state: str

    @property
    def is_half(self) -> bool:
        """Whether an end is unknown."""
        return not (self.source_state and self.target_state)


@dataclass(frozen=True, slots=True)
class Graph:
    """Machines, by id in natural order, and what joins them. Everything is sorted."""

    machines: dict[str, GraphMachine] = field(default_factory=dict)
    pipes: tuple[Pipe, ...] = ()
    rpc: tuple[tuple[str, str], ...] = ()
    """(client machine, server machine)."""

    @property
    def parents(self) -> tuple[tuple[str, str], ...]:
        """(child, parent), sorted; only of known machines whose parent is in the graph."""
        known = self.machines
        return tuple(sorted((m.id, m.parent) for m in known.values() if m.parent in known))
