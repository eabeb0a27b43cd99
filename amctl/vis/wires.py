"""Pipes as lines: which of them share one.

Two pipes between the same ends (as a rule the add and the remove of one state) are one line. So
are all pipes of a pair of machines that mirror a block of states, and all of a pair when they
aren't drawn in detail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amctl.graph.model import Pipe
    from amctl.vis.view import View

__all__ = ["Wire", "wires"]

MIRROR = 8
"""Pipes of a pair of machines that are worth a line of their own together."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One line for one or more pipes. An end without a state is the machine itself."""

    source: str
    source_state: str
    target: str
    target_state: str
    pipes: tuple[Pipe, ...]
    form: Literal["pipe", "bundle", "group"] = "pipe"
    prefix: str = ""
    """Of a bundle: what the target's states have before the names of the source's."""

    @property
    def kind(self) -> Literal["both", "add", "remove"]:
        """What its pipes do."""
        kinds = {pipe.kind for pipe in self.pipes}
        return "both" if len(kinds) > 1 else next(iter(kinds))

    @property
    def text(self) -> str:
        """For its tooltip."""
        what = "add and remove" if self.kind == "both" else self.kind
        if self.form == "pipe" and len({(p.source_state, p.target_state) for p in self.pipes}) == 1:
            source = f"{self.source}:{self.pipes[0].source_state or '?'}"
            return f"pipe, {what}: {source} → {self.target}:{self.pipes[0].target_state or '?'}"
        head = f"{len(self.pipes)} pipes, {what}: {self.source} → {self.target}"
        pairs = dict.fromkeys((p.source_state or "?", p.target_state or "?") for p in self.pipes)
        return "\n".join([head, *(f"{one} → {other}" for one, other in pairs)])


def wires(view: View) -> list[Wire]:
    """The lines to draw, sorted by their ends."""
    pairs: dict[tuple[str, str], list[Pipe]] = {}
    drawn = {*view.full, *view.half}
    for pipe in view.pipes:
        if pipe.source != pipe.target and drawn.issuperset((pipe.source, pipe.target)):
            pairs.setdefault((pipe.source, pipe.target), []).append(pipe)
    found = []
    for pair, pipes in sorted(pairs.items()):
        if not view.options.detailed_pipes or view.options.map:
            found.append(Wire(pair[0], "", pair[1], "", tuple(sorted(pipes)), "group"))
        else:
            found += _detailed(view, pair, pipes)
    return found


def _detailed(view: View, pair: tuple[str, str], pipes: Sequence[Pipe]) -> list[Wire]:
    source, target = pair
    ends: dict[tuple[str, str], list[Pipe]] = {}
    for pipe in pipes:
        ends.setdefault(_ends(view.states, pipe), []).append(pipe)
    prefix = _mirrored(list(ends)) if view.options.collapse else None
    if prefix is not None:
        return [Wire(source, "", target, "", tuple(sorted(pipes)), "bundle", prefix)]
    return [
        Wire(source, one, target, other, tuple(sorted(found)))
        for (one, other), found in sorted(ends.items())
    ]


def _ends(states: Mapping[str, frozenset[str]], pipe: Pipe) -> tuple[str, str]:
    one = pipe.source_state if pipe.source_state in states.get(pipe.source, ()) else ""
    other = pipe.target_state if pipe.target_state in states.get(pipe.target, ()) else ""
    return one, other


def _mirrored(ends: Sequence[tuple[str, str]]) -> str | None:
    """The prefix that the targets of all ends have in common, if they mirror their sources."""
    prefixes = {b.removesuffix(a) if a and b.endswith(a) else None for a, b in ends}
    return prefixes.pop() if len(ends) >= MIRROR and len(prefixes) == 1 else None
