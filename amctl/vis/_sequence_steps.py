"""Steps of a transition by name: as recorded, or made from its clocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from amctl.machine.steps import (
    ACTIVATE,
    CALLED,
    CANCEL,
    DEACTIVATE,
    DEACTIVATE_PASSIVE,
    HANDLER,
    RELATION,
    Step,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amctl.telemetry.messages import TxMsg

__all__ = ["ANY", "SequenceStep", "StepKind", "lit_after", "recorded_steps", "steps_from_clocks"]

ANY = "Any"
"""The pseudo-state of steps about no state."""

StepKind = Literal[
    "called",
    "activate",
    "deactivate",
    "deactivate-passive",
    "cancel",
    "handler",
    "require",
    "add",
    "remove",
    "after",
]

_KINDS: dict[int, StepKind] = {
    HANDLER: "handler",
    ACTIVATE: "activate",
    DEACTIVATE: "deactivate",
    DEACTIVATE_PASSIVE: "deactivate-passive",
    CALLED: "called",
    CANCEL: "cancel",
}
_RELATIONS: tuple[StepKind, ...] = ("after", "add", "require", "remove")
_SUFFIX = {
    (True, True): "State",
    (True, False): "End",
    (False, True): "Enter",
    (False, False): "Exit",
}
"""Of a handler's name, by (is it final, does it enter)."""


@dataclass(frozen=True, slots=True)
class SequenceStep:
    """What happened to one state."""

    kind: StepKind
    target: str
    source: str = ""
    """State that has the relation; empty for all the other kinds."""
    handler: str = ""
    """Name of the handler that ran."""

    @property
    def states(self) -> tuple[str, ...]:
        """Its states."""
        return (self.source, self.target) if self.source else (self.target,)

    @property
    def label(self) -> str:
        """The handler's name, or the kind."""
        return self.handler or self.kind


def lit_after(kind: StepKind, was_active: bool, is_lit: bool) -> bool:
    """Whether a state's lifeline is thick after a step that targets it.

    Args:
        kind: The step's.
        was_active: Whether the state was active before the transition.
        is_lit: Whether its lifeline is thick before the step.
    """
    if kind == "activate":
        return True
    if kind in ("deactivate", "deactivate-passive"):
        return False
    return is_lit and was_active if kind == "cancel" else is_lit


def recorded_steps(names: Sequence[str], steps: Iterable[Step]) -> list[SequenceStep]:
    """The steps of a recording; those of an unknown type are left out."""
    found = []
    for step in steps:
        source, target = _name(names, step.source), _name(names, step.target)
        if step.type == RELATION:
            kind = _RELATIONS[step.relation] if 0 <= step.relation < 4 else "after"
            found.append(SequenceStep(kind, target or ANY, source or ANY))
        elif step.type == HANDLER:
            state, handler = _handler(step, source, target)
            found.append(SequenceStep("handler", state, handler=handler))
        elif step.type in _KINDS:
            found.append(SequenceStep(_KINDS[step.type], target or source or ANY))
    return found


def _handler(step: Step, source: str, target: str) -> tuple[str, str]:
    """The state whose handler it is, and the handler's name."""
    state = target or source or ANY
    if step.data:
        return state, step.data
    if step.is_self:
        return state, state + state
    if source and target and source != target:
        return state, source + target
    return state, state + _SUFFIX[step.is_final, step.is_enter]


def _name(names: Sequence[str], index: int) -> str:
    return names[index] if 0 <= index < len(names) else ""


def steps_from_clocks(
    names: Sequence[str], tx: TxMsg, was: Sequence[int], now: Sequence[int]
) -> list[SequenceStep]:
    """What can be told of a transition without steps: the call, and what became of the states."""
    called = [names[i] for i in dict.fromkeys(tx.called) if 0 <= i < len(names)]
    steps = [SequenceStep("called", name) for name in called]
    if not tx.accepted and not tx.is_queued:
        steps += [SequenceStep("cancel", name) for name in called]
    moves = [move for i, name in enumerate(names) for move in _moves(name, was[i], now[i])]
    return steps + sorted(moves, key=lambda step: step.kind, reverse=True)


def _moves(name: str, was: int, now: int) -> Iterator[SequenceStep]:
    if was == now:
        return
    if was & 1 and not now & 1:
        yield SequenceStep("deactivate", name)
    elif now & 1:
        yield SequenceStep("activate", name)
    else:  # inactive both times, so it must have been active between them
        yield SequenceStep("activate", name)
        yield SequenceStep("deactivate", name)
