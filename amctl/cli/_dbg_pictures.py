"""Pictures of the debugger's folder: `amctl vis` draws them, the debugger itself can't."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from amctl.graph.build import build_graph
from amctl.vis.draw import draw
from amctl.vis.presets import options_for
from amctl.vis.render import render
from amctl.vis.select import select
from amctl.vis.sequence import sequence
from amctl.vis.sequence_svg import render_svg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amctl.dump.model import Dump
    from amctl.machine import StateDef

__all__ = ["Pictures", "neighbours"]

_HUBS: Final = ("Start", "Ready")
"""States that nearly all others have to do with: nothing is joined through them."""


class Pictures:
    """See `amctl.debugger.face.files.Artist`."""

    def graph(self, dump: Dump) -> bytes:
        """All machines, as the map preset draws them."""
        view = select(build_graph(dump), options_for("map"), title=_name(dump))
        return render(draw(view), "svg")

    def machine(self, dump: Dump, id: str, level: int, states: frozenset[str] | None) -> bytes:
        """A machine: 1 its own states, 2 those it inherits, too, 3 its parts and pipes, too."""
        given = {"inherited": level > 1, "start": level > 1, "active": False}
        if level > 2:
            given |= {"pipes": True, "nest_submachines": True, "parent_rel": True}
        options = options_for("single" if level < 3 else "", given)
        if level > 2:
            options = replace(options, depth=10)
        view = select(build_graph(dump), options, [id], title=id, only=states)
        return render(draw(view), "svg")

    def state(self, dump: Dump, id: str, state: str) -> bytes:
        """A state, its neighbours by any relation, and theirs, but not through Start and Ready."""
        near = neighbours(dump.schema(id).states, state)
        options = options_for("single", {"active": False, "after": True})
        view = select(build_graph(dump), options, [id], title=f"{id} {state}", only=near)
        return render(draw(view), "svg")

    def steps(
        self, dump: Dump, id: str, tx_id: str, states: frozenset[str] | None, relations: bool
    ) -> bytes:
        """A transition, of its steps only those of some states, and maybe without relations."""
        found = sequence(dump, id, tx_id)
        steps = [
            step
            for step in found.steps
            if (states is None or states.issuperset(step.states)) and (relations or not step.source)
        ]
        actors = [a for a in found.actors if states is None or a.name in states or a.is_called]
        part = replace(found, steps=tuple(steps), actors=tuple(actors))
        return render_svg(part).encode()


def neighbours(states: Mapping[str, StateDef], start: str) -> frozenset[str]:
    """A state, those joined to it by a relation in any direction, and those joined to these."""
    joined: dict[str, set[str]] = {}
    for name, one in states.items():
        for other in _related(one):
            joined.setdefault(name, set()).add(other)
            joined.setdefault(other, set()).add(name)
    found = {start}
    for _ in range(2):
        through = [name for name in found if name == start or name not in _HUBS]
        found.update(*(joined.get(name, ()) for name in through))
    return frozenset(found)


def _related(state: StateDef) -> Iterator[str]:
    for part in (state.add, state.require, state.remove, state.after):
        yield from part


def _name(dump: Dump) -> str:
    return dump.name.rstrip("/").rpartition("/")[2] or dump.name
