"""Steps of a transition: what was called, which relations decided, who ran, what moved (STP-*).

Nothing is noted while a machine resolves relations. `steps_of` resolves them once more, for tracers
that ask. Only which handlers really ran has to be seen as it happens: bind a `StepRecorder` (or
inherit from it), or handler steps are missing.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from amctl.machine._replay import replay
from amctl.machine._step import (
    ACTIVATE,
    CALLED,
    CANCEL,
    DEACTIVATE,
    DEACTIVATE_PASSIVE,
    HANDLER,
    RELATION,
    Step,
)
from amctl.machine.handlers import roles
from amctl.machine.plan import AUTO, RELATION_KIND
from amctl.machine.relations import ADD
from amctl.machine.tracer import Tracer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.machine.compiled import Compiled
    from amctl.machine.transition import Transition

__all__ = [
    "ACTIVATE",
    "CALLED",
    "CANCEL",
    "DEACTIVATE",
    "DEACTIVATE_PASSIVE",
    "HANDLER",
    "RELATION",
    "Step",
    "StepRecorder",
    "step_text",
    "steps_of",
]

_TYPES = {
    RELATION: "rel",
    HANDLER: "handler",
    ACTIVATE: "activate",
    DEACTIVATE: "deactivate",
    DEACTIVATE_PASSIVE: "deactivate-passive",
    CALLED: "called",
    CANCEL: "cancel",
}
_RELATIONS = ("after", "add", "require", "remove")
_BY_PHASE = {
    "Exit": Step(HANDLER),
    "Enter": Step(HANDLER, is_enter=True),
    "Self": Step(HANDLER, is_self=True),
    "Pair": Step(HANDLER),
    "AnyEnter": Step(HANDLER, is_enter=True),
    "End": Step(HANDLER, is_final=True),
    "State": Step(HANDLER, is_final=True, is_enter=True),
    "AnyState": Step(HANDLER, is_final=True, is_enter=True),
}


class StepRecorder(Tracer):
    """Notes for each transition which handlers ran. The first one of a machine does it for all."""

    def handler_start(self, tx: Transition, binding: str, name: str) -> None:
        """See Tracer."""
        if tx.ran is None:
            tx.ran = self, []
        recorder, ran = tx.ran
        if recorder is self:
            ran.append((binding, name, tx.has_moved))


def steps_of(tx: Transition) -> tuple[Step, ...]:
    """What happened in a transition, in order. To be asked at its end, or later.

    A transition that a mirror made up tells only what was called and what moved.
    """
    plan = tx.plan
    if getattr(plan, "config", None) is None:
        return (*(Step(CALLED, target=i) for i in tx.called), *_moves(tx), *_handlers(tx))
    if tx.vetoes or tx.failure is not None:
        return _steps(tx)
    key: object = StepRecorder if tx.ran is None else (StepRecorder, *tx.ran[1])
    kept: tuple[Step, ...] | None = plan.kept.get(key) if plan.kept is not None else None
    return plan.keep(key, _steps(tx)) if kept is None else kept


def _steps(tx: Transition) -> tuple[Step, ...]:
    plan, config, schema = tx.plan, tx.plan.config, tx.machine._compiled
    steps = [Step(CALLED, target=i) for i in tx.called]
    kind, called, active = RELATION_KIND[plan.kind], plan.called.order, config.order
    found = replay(schema, kind, called, active)
    steps += found.steps
    if plan.accepted:
        exits = [i for i in active if i not in found.targets]
        steps += found.sorting(exits)
    else:
        steps += [Step(CANCEL, target=i) for i in called if i not in found.targets]
    ran = _handlers(tx)
    negotiated = next((at for at, step in enumerate(ran) if step.is_final), len(ran))
    steps += ran[:negotiated]
    if plan.kind == AUTO:  # TX-7
        dropped = {action.state for _, action in tx.vetoes}
        left = tuple(i for i in called if i in found.targets and i not in dropped)
        again = replay(schema, ADD, left, active)
        steps += again.steps
        if left:
            steps += again.sorting([i for i in active if i not in again.targets])
    return (*steps, *ran[negotiated:])


def _moves(tx: Transition) -> list[Step]:
    index = tx.machine._compiled.index
    steps = [Step(ACTIVATE, target=index[name]) for name in tx.enters]
    return steps + [Step(DEACTIVATE, target=index[name]) for name in tx.exits]


def _handlers(tx: Transition) -> list[Step]:
    """One step for each name, however many bindings answered to it."""
    steps: dict[tuple[str, bool], Step] = {}
    if tx.ran is None:
        return []
    prefixes = {b.id: b.prefix for b in tx.machine._bindings}
    for binding, name, is_final in tx.ran[1]:
        full = prefixes.get(binding, "") + name
        if (full, is_final) not in steps:
            steps[full, is_final] = _handler(tx, full, is_final)
    return list(steps.values())


def _handler(tx: Transition, name: str, is_final: bool) -> Step:
    """The step of a handler. Of several meanings that its name has, the first one that fits."""
    meanings = _meanings(tx.machine._compiled, name, is_final)
    if len(meanings) < 2:  # none if its binding, and so its prefix, is gone
        return meanings[0][2] if meanings else Step(HANDLER, is_final=is_final)
    # a state's Exit or Enter, or else a pair of states: there are no such names among final ones
    moved = {"Exit": tx.plan.exits, "Enter": tx.plan.enters}
    return next(s for phase, i, s in meanings if phase not in moved or i in moved[phase])


@lru_cache(maxsize=4096)
def _meanings(schema: Compiled, name: str, is_final: bool) -> tuple[tuple[str, int, Step], ...]:
    found = []
    for phase, i, other in roles(name, schema.index):
        step = _BY_PHASE[phase]
        if step.is_final == is_final:
            source, target = (i, -1) if phase == "Exit" else (other if phase == "Pair" else -1, i)
            found.append((phase, i, replace(step, source=source, target=target)))
    return tuple(found)


def step_text(step: Step, names: Sequence[str]) -> str:
    """One step as a line (STR-6), with names in `**bold**`."""
    sides = [f"**{names[i]}**" for i in (step.source, step.target) if 0 <= i < len(names)]
    text = f" {_RELATIONS[step.relation]} ".join(sides) or "**Any**"
    if step.type == RELATION:
        return text
    return f"{_TYPES.get(step.type, step.type)} {text}{_suffix(step, names)}"


def _suffix(step: Step, names: Sequence[str]) -> str:
    if step.type != HANDLER:
        return ""
    if step.is_self:
        return names[step.target] if 0 <= step.target < len(names) else "Any"
    if step.is_final:
        return "State" if step.is_enter else "End"
    return "Enter" if step.is_enter else "Exit"
