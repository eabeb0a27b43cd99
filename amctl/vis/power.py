"""The relations of one machine with few lines: a *power graph*.

States with the same relations share a box, and one line stands for all of them; a one-of group is
a box too, and says so instead of lines. A line may end at a whole box or at one of its rows.
Relations inside a box can't be lines: they are marks of the row. `expanded` undoes it all, so
that a test can tell that nothing was lost or made up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from amctl.vis.groups import one_of_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amctl.graph.model import GraphState

__all__ = ["Kind", "PowerBox", "PowerEdge", "PowerEnd", "PowerGraph", "expanded", "power_graph"]

Kind = Literal["require", "add", "remove", "after"]
_KINDS: tuple[Kind, ...] = ("require", "add", "remove", "after")

Signature = tuple[tuple[Kind, tuple[str, ...]], ...]


class PowerEnd(NamedTuple):
    """Where a line ends: at a box, or at one of its rows."""

    box: int
    state: str = ""


@dataclass(frozen=True, slots=True)
class PowerBox:
    """States that stand together."""

    states: tuple[str, ...]
    form: Literal["one of", "unrelated", "alike"] = "alike"


@dataclass(frozen=True, slots=True)
class PowerEdge:
    """A line from the states that have relations to the ones that they name."""

    source: PowerEnd
    target: PowerEnd
    kinds: tuple[Kind, ...]
    mutual: bool = False
    """It holds in both directions."""


@dataclass(frozen=True, slots=True)
class PowerGraph:
    """All relations of one machine."""

    boxes: tuple[PowerBox, ...]
    edges: tuple[PowerEdge, ...] = ()
    marks: Mapping[str, tuple[tuple[Kind, str], ...]] = field(default_factory=dict)
    """State -> relations to states of its own box."""

    def states_of(self, end: PowerEnd) -> tuple[str, ...]:
        """What a line's end stands for."""
        return (end.state,) if end.state else self.boxes[end.box].states


def power_graph(
    states: Sequence[GraphState], *, relations: bool = True, after: bool = False
) -> PowerGraph:
    """The power graph of the drawn states; relations to others are left out.

    Args:
        states: In index order.
        relations: False puts all of them into one box.
        after: Whether After relations count.
    """
    if not relations:
        return PowerGraph((PowerBox(tuple(s.name for s in states), "unrelated"),) if states else ())
    maker = _Maker(states, _KINDS if after else _KINDS[:3])
    return maker.graph()


class _Maker:
    def __init__(self, states: Sequence[GraphState], kinds: Sequence[Kind]) -> None:
        self.kinds = kinds
        known = {s.name for s in states}
        self.group = {name: tuple(group) for group in one_of_groups(states) for name in group}
        self.targets: dict[str, dict[Kind, set[str]]] = {
            s.name: {k: {t for t in getattr(s, k) if t in known} for k in kinds} for s in states
        }
        for name, group in self.group.items():
            self.targets[name]["remove"] -= set(group) - {name}
        self.boxes = self._boxes()
        self.box_of = {name: i for i, box in enumerate(self.boxes) for name in box.states}

    def graph(self) -> PowerGraph:
        found: dict[tuple[PowerEnd, PowerEnd], set[Kind]] = {}
        marks: dict[str, list[tuple[Kind, str]]] = {}
        for number, box in enumerate(self.boxes):
            for kind in self.kinds:
                self._box_edges(number, box, kind, found, marks)
        return PowerGraph(
            tuple(self.boxes), _joined(found), {s: tuple(sorted(m)) for s, m in marks.items()}
        )

    def _boxes(self) -> list[PowerBox]:
        used = {t for kinds in self.targets.values() for ts in kinds.values() for t in ts}
        by: dict[object, list[str]] = {}
        for name, targets in self.targets.items():
            group = self.group.get(name)
            signature = tuple((k, tuple(sorted(targets[k]))) for k in self.kinds)
            related = any(targets.values())
            key: object = group or ("alike", signature)
            if not group and not related:
                key = ("used", name) if name in used else "unrelated"
            by.setdefault(key, []).append(name)
        return [PowerBox(tuple(names), _form(key)) for key, names in by.items()]

    def _box_edges(
        self,
        number: int,
        box: PowerBox,
        kind: Kind,
        found: dict[tuple[PowerEnd, PowerEnd], set[Kind]],
        marks: dict[str, list[tuple[Kind, str]]],
    ) -> None:
        shared = set.intersection(*(self.targets[name][kind] for name in box.states))
        for name in box.states:
            left = set(self.targets[name][kind])
            for target in sorted(left & set(box.states)):
                marks.setdefault(name, []).append((kind, target))
                left.discard(target)
            for end, names in self._ends(left):
                whole = names <= shared or len(box.states) == 1
                source = PowerEnd(number) if whole else PowerEnd(number, name)
                found.setdefault((source, end), set()).add(kind)

    def _ends(self, targets: set[str]) -> list[tuple[PowerEnd, set[str]]]:
        """The ends that cover a set of targets: whole boxes where they fit, else rows."""
        ends = []
        for number in sorted({self.box_of[t] for t in targets}):
            names = set(self.boxes[number].states)
            if names <= targets:
                ends.append((PowerEnd(number), names))
            else:
                ends += [(PowerEnd(number, t), {t}) for t in sorted(names & targets)]
        return ends


def _form(key: object) -> Literal["one of", "unrelated", "alike"]:
    if key == "unrelated":
        return "unrelated"
    return "alike" if isinstance(key, tuple) and key[0] in ("alike", "used") else "one of"


def _joined(found: Mapping[tuple[PowerEnd, PowerEnd], set[Kind]]) -> tuple[PowerEdge, ...]:
    """Lines, where mutual removal is one."""
    edges = []
    for (source, target), kinds in sorted(found.items()):
        mutual = kinds == {"remove"} and found.get((target, source)) == {"remove"}
        if not mutual or source < target:
            ordered = tuple(k for k in _KINDS if k in kinds)
            edges.append(PowerEdge(source, target, ordered, mutual))
    return tuple(edges)


def expanded(graph: PowerGraph) -> set[tuple[Kind, str, str]]:
    """All relations that the picture shows: (kind, state, the state that it names)."""
    found: set[tuple[Kind, str, str]] = set()
    for box in graph.boxes:
        if box.form == "one of":
            found |= {("remove", a, b) for a in box.states for b in box.states if a != b}
    for edge in graph.edges:
        for a in graph.states_of(edge.source):
            for b in graph.states_of(edge.target):
                found |= {(kind, a, b) for kind in edge.kinds}
                if edge.mutual:
                    found.add(("remove", b, a))
    for state, marks in graph.marks.items():
        found |= {(kind, state, other) for kind, other in marks}
    return found
