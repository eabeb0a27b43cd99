"""The steps of a transition, one by one: what each did to which state, with its relation lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from amctl.dump.following import plain, state_name, step_line
from amctl.machine.steps import (
    ACTIVATE,
    CALLED,
    CANCEL,
    DEACTIVATE,
    DEACTIVATE_PASSIVE,
    HANDLER,
    RELATION,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.debugger.store import Record

__all__ = ["Link", "Mark", "StepRow", "handler_steps", "links", "marks", "step_rows"]

_RELATIONS: Final = ("after", "add", "require", "remove")
_SIGNS: Final = {ACTIVATE: "+", DEACTIVATE: "-", DEACTIVATE_PASSIVE: "-", HANDLER: "*", CANCEL: "!"}


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step."""

    number: int
    """From 1."""
    text: str
    """`called A`, `A require B`, `handler AState`, `activate A`."""
    type: int
    """See `amctl.machine.steps`."""
    states: tuple[str, ...]


@dataclass(slots=True)
class Mark:
    """What the steps up to one did to a state."""

    signs: str = ""
    """`+` activated, `-` deactivated, `*` a handler ran, `!` canceled; each once, in order."""
    is_called: bool = False
    is_touched: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A line from a state to another one, because of a relation."""

    source: str
    relation: str
    """`after`, `add`, `require` or `remove`."""
    target: str
    number: int
    """Of its step."""


def step_rows(record: Record) -> tuple[StepRow, ...]:
    """All steps of a transition."""
    return tuple(
        StepRow(at, plain(step_line(step, record.names)), step.type, _sides(record, step))
        for at, step in enumerate(record.tx.steps, 1)
    )


def _sides(record: Record, step: object) -> tuple[str, ...]:
    sides = (getattr(step, "source", -1), getattr(step, "target", -1))
    return tuple(state_name(i, record.names) for i in sides if i >= 0)


def marks(record: Record, step: int) -> dict[str, Mark]:
    """State -> what the first `step` steps did to it, the first touched first."""
    found: dict[str, Mark] = {}
    for one in record.tx.steps[:step]:
        for name in _sides(record, one):
            mark = found.setdefault(name, Mark())
            mark.is_touched = True
        if one.target >= 0 or one.source >= 0:
            side = one.target if one.target >= 0 else one.source
            mark = found[state_name(side, record.names)]
            sign = _SIGNS.get(one.type, "")
            if sign not in mark.signs:
                mark.signs += sign
            mark.is_called = mark.is_called or one.type == CALLED
    return found


def links(record: Record, step: int) -> tuple[Link, ...]:
    """Relations that the first `step` steps have looked at."""
    return tuple(
        Link(
            state_name(one.source, record.names),
            _RELATIONS[one.relation] if 0 <= one.relation < 4 else "after",
            state_name(one.target, record.names),
            number,
        )
        for number, one in enumerate(record.tx.steps[:step], 1)
        if one.type == RELATION and one.source >= 0 and one.target >= 0
    )


def handler_steps(record: Record) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names of handlers that ran, by the steps, with their states."""
    for step in record.tx.steps:
        if step.type == HANDLER:
            text = step_line(step, record.names).removeprefix("handler ")
            yield plain(text), _sides(record, step)
