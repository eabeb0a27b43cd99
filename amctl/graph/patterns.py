"""Which machines of a graph a person means, see `amctl.machine.patterns`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.graph.errors import NothingMatchedError, PatternError
from amctl.machine import patterns

if TYPE_CHECKING:
    from amctl.graph.model import Graph, GraphMachine

__all__ = ["matching"]


class _Known:
    """A machine as patterns see it."""

    __slots__ = ("_machine", "id", "parent_id", "tags")

    def __init__(self, machine: GraphMachine) -> None:
        self._machine = machine
        self.id, self.parent_id, self.tags = machine.id, machine.parent, machine.tags

    def is_active(self, state: str) -> bool:
        found = self._machine.state(state)
        return found is not None and found.is_active


def matching(graph: Graph, pattern: str) -> list[str]:
    """Ids of the known machines that fit, in the graph's order.

    Args:
        graph: Where to look.
        pattern: See `amctl.machine.patterns.matching`.

    Raises:
        NothingMatchedError: Nothing fits.
        PatternError: A regular expression is bad.
    """
    known = [_Known(machine) for machine in graph.machines.values() if machine.known]
    try:
        chosen = patterns.matching(known, pattern)
    except patterns.PatternError as error:
        raise PatternError(error.pattern, error.problem) from error
    if not chosen:
        raise NothingMatchedError(pattern, [machine.id for machine in known])
    return [machine.id for machine in chosen]
