"""Which rows of a trace a person wants to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.traces.outline import is_idle_auto
from amctl.traces.text import value_text

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator

    from amctl.traces.model import Span
    from amctl.traces.outline import Outline, Row

__all__ = ["Filters", "Picked", "causes_elsewhere", "is_trouble", "pick"]

_LONG = 30
"""Transitions of a group that are shown one by one; of more, only what stands out."""
_GROUPS = ("service", "machine", "states", "transitions")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is left out. Without any, everything is shown, but for what is folded."""

    services: frozenset[str] | None = None
    machines: frozenset[str] | None = None
    grep: re.Pattern[str] | None = None
    """Found in a name, an attribute, an event, or an error's text."""
    errors: bool = False
    """Only what failed."""
    min_ns: int = 0
    """The least duration."""
    depth: int = 0
    """Levels that are shown; 0 is all."""
    transitions: bool = True
    everything: bool = False
    """Fold nothing: each time of a state, long groups, refused auto transitions."""

    @property
    def is_narrow(self) -> bool:
        """Whether single spans are looked for; then nothing of what fits is folded."""
        return self.grep is not None or self.errors or self.min_ns > 0


@dataclass(frozen=True, slots=True)
class Picked:
    """A row to show."""

    row: Row
    index: int
    """In the outline."""
    spans: tuple[Span, ...]
    """Those to draw; of a folded group, those of the rows that aren't shown."""
    folded: int = 0
    """Transitions of a group that have no row of their own."""
    idle: int = 0
    """Those of them that were refused auto transitions."""


def pick(outline: Outline, filters: Filters) -> list[Picked]:
    """The rows to show, parents before their children."""
    chosen: dict[int, tuple[Span, ...]] = {}
    for index, row in enumerate(outline.rows):
        if (spans := _fitting(row, filters)) is not None:
            chosen[index] = spans
            at = row.parent
            while at >= 0 and at not in chosen:
                chosen[at] = ()
                at = outline.rows[at].parent
    folded = {} if filters.everything or filters.is_narrow else _folded(outline, chosen)
    hidden = {index for group in folded.values() for index in group}
    picked = []
    for index in sorted(chosen):
        row = outline.rows[index]
        if index in hidden or (filters.depth and row.depth >= filters.depth):
            continue
        inside = [outline.rows[one].spans[0] for one in folded.get(index, ())]
        idle = sum(map(is_idle_auto, inside))
        drawn = tuple(span for span in inside if not is_idle_auto(span))
        picked.append(Picked(row, index, chosen[index] or drawn, len(inside), idle))
    return picked


def _fitting(row: Row, filters: Filters) -> tuple[Span, ...] | None:
    """The spans of a row that fit; None if it isn't to be shown for itself."""
    if filters.services is not None and row.service not in filters.services:
        return None
    if filters.machines is not None and row.machine not in filters.machines:
        return None
    if not filters.transitions and row.kind in ("transition", "transitions"):
        return None
    if row.kind == "instance" and not filters.everything:
        return None
    if not filters.is_narrow:
        return row.spans
    if row.kind in _GROUPS:
        named = filters.grep is not None and not filters.errors and not filters.min_ns
        fits = named and filters.grep and any(_matches(filters.grep, s) for s in row.own)
        return () if fits else None
    spans = row.spans
    if filters.grep is not None:
        spans = tuple(span for span in spans if _matches(filters.grep, span))
    if filters.errors:
        spans = tuple(span for span in spans if is_trouble(span))
    if filters.min_ns:
        spans = tuple(span for span in spans if span.duration_ns >= filters.min_ns)
    return spans or None


def _folded(outline: Outline, chosen: Iterable[int]) -> dict[int, list[int]]:
    """Of each group of transitions, those that get no row: refused auto transitions, and of a long
    group all but errors and what another service caused."""
    groups: dict[int, list[int]] = {}
    for index in chosen:
        row = outline.rows[index]
        if row.kind == "transition":
            groups.setdefault(row.parent, []).append(index)
    hidden = {}
    for group, members in groups.items():
        idle = [one for one in members if is_idle_auto(outline.rows[one].spans[0])]
        is_long = len(members) - len(idle) > _LONG
        hidden[group] = sorted(
            one
            for one in (members if is_long else idle)
            if not is_trouble(span := outline.rows[one].spans[0])
            and not any(causes_elsewhere(outline, span))
            and len(outline.below(one)) == 0
        )
    return hidden


def is_trouble(span: Span) -> bool:
    """Whether it failed, or is the state or transition of an error."""
    name = span.name.partition(":")[2].lstrip()
    return span.is_error or name.startswith(("!", "Err", "Exception"))


def causes_elsewhere(outline: Outline, span: Span) -> Iterator[Span]:
    """What another service did, and what this was caused by."""
    for link in span.links:
        at = outline.span(link.span_id)
        if at is not None and at.service.name != span.service.name:
            yield at


def _matches(pattern: re.Pattern[str], span: Span) -> bool:
    return any(pattern.search(text) for text in _texts(span))


def _texts(span: Span) -> Iterator[str]:
    yield span.name
    if span.message:
        yield span.message
    for key, value in span.attributes.items():
        yield f"{key}={value_text(value)}"
    for event in span.events:
        yield event.name
        for key, value in event.attributes.items():
            yield f"{key}={value_text(value)}"
    yield from (span.span_id, span.service.name)
