"""What relations make of a mutation, worked out here: handlers may still refuse or go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.machine import MutationType
from amctl.machine.handlers import HandlerTable
from amctl.machine.plan import AUTO, Planner
from amctl.machine.reasons import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.machine import MachineView

__all__ = ["Prediction", "predict"]

_KINDS = {"add": MutationType.ADD, "remove": MutationType.REMOVE, "set": MutationType.SET}


@dataclass(frozen=True, slots=True)
class Prediction:
    """The effect of a mutation as far as relations decide it."""

    accepted: bool
    reason: str
    """Of a refused one, in a sentence."""
    clock: dict[str, int]
    """All ticks after it, and after the auto states that follow."""


def predict(machine: MachineView, op: str, states: Sequence[str]) -> Prediction:
    """What `op` (add, remove or set) of known states would do to a machine's clock."""
    schema = machine.schema.compiled()
    planner = Planner(schema, HandlerTable(schema.names, []), limit=0)
    index, ticks = schema.index, machine.time()
    ticks += [0] * (len(schema.names) - len(ticks))
    config = planner.config(tuple(index[name] for name in machine.active))
    called = planner.called(tuple(index[name] for name in dict.fromkeys(states)))
    kind = _KINDS[op]
    plan = planner.plan(config, kind, called)
    accepted = plan.accepted and plan.outcome is not None and not plan.outcome.result.canceled
    reason = "" if accepted else str(explain(schema, config, kind, called) or "relations refuse it")
    # a remove whose state another one brings back is canceled, but what else it did stays done
    while plan.accepted and plan.outcome is not None:
        for i in plan.outcome.ticks:
            ticks[i] += 1
        if plan.outcome.follow is None:
            break
        plan = planner.plan(plan.outcome.next, AUTO, plan.outcome.follow)
    return Prediction(accepted, reason, dict(zip(schema.names, ticks, strict=True)))
