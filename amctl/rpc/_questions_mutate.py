"""Questions that act or ask whether one could: mutate, can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.machine import Machine, Tracer
from amctl.machine._argtext import named_args
from amctl.machine.reasons import Reason, reason_of
from amctl.rpc._questions import Question
from amctl.rpc.answers import Mutated
from amctl.rpc.errors import QuestionError
from amctl.rpc.wire.codes import Code, Op

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amctl.machine import MachineView, Mutation, Result, Transition

__all__ = ["ACTING"]

_OPS = {"add": Op.ADD, "remove": Op.REMOVE, "set": Op.SET, "toggle": Op.TOGGLE}
_ASKABLE = {"add": Op.ADD, "remove": Op.REMOVE}
_TEXT = 4096


class _Watcher(Tracer):
    """Finds the transition of the first mutation that is accepted while it listens: the caller's,
    as nothing of this loop can come in between."""

    id = "asked"

    def __init__(self) -> None:
        self.mutation: Mutation | None = None
        self.reason: Reason | None = None
        self.is_accepted: bool | None = None

    def mutation_queued(self, machine: MachineView, mutation: Mutation) -> None:
        """See Tracer."""
        if self.mutation is None:
            self.mutation = mutation

    def transition_end(self, tx: Transition) -> None:
        """See Tracer."""
        if tx.mutation is self.mutation:
            # now, while the schema is the one that it was judged by
            self.reason, self.is_accepted = reason_of(tx), tx.is_accepted


def _mutate(source: MachineView, params: Mapping[str, Any]) -> Mutated:
    machine, watcher = _local(source), _Watcher()
    op, states = _call_of(params, _OPS)
    args = _args(machine, params)
    before = tuple(machine.time())
    calls: dict[Op, Callable[..., Result]] = {
        Op.ADD: machine.add,
        Op.REMOVE: machine.remove,
        Op.SET: machine.set,
        Op.TOGGLE: machine.toggle,
    }
    with machine.watched_by(watcher):
        result = calls[op](states, args, source=getattr(params, "origin", None))
    return Mutated(
        result=str(result),
        queue_tick=int(result) if result.queued else 0,
        reason=_reason(machine, watcher, states) if result.canceled else None,
        before=before,
        after=tuple(machine._clock),  # also of a machine that this call disposed of
    )


def _can(source: MachineView, params: Mapping[str, Any]) -> dict[str, Any]:
    machine, watcher = _local(source), _Watcher()
    op, states = _call_of(params, _ASKABLE)
    args = _args(machine, params)
    if machine.is_busy:
        raise QuestionError(Code.BUSY, f"machine {machine.id!r} is in the middle of a transition")
    with machine.watched_by(watcher):
        ask = machine.can_add if op == Op.ADD else machine.can_remove
        result = ask(states, args)
    reason = _reason(machine, watcher, states) if result.canceled else None
    return {"result": str(result), "reason": reason}


def _local(source: MachineView) -> Machine:
    if not isinstance(source, Machine):
        raise QuestionError(Code.UNSUPPORTED, f"machine {source.id!r} is only a mirror")
    return source


def _call_of(params: Mapping[str, Any], ops: Mapping[str, Op]) -> tuple[Op, tuple[str, ...]]:
    """What is called: op and states."""
    op, states = params.get("op"), params.get("states")
    if not isinstance(op, str) or op not in ops:
        text = f"op is {' or '.join(ops)}, not {op!r:.60}"
        raise QuestionError(Code.ARGS, text)
    if isinstance(states, str):
        states = (states,)
    if not isinstance(states, list | tuple) or not all(isinstance(s, str) for s in states):
        raise QuestionError(Code.ARGS, f"states is a list of names, not {states!r:.60}")
    return ops[op], tuple(states)


def _args(machine: Machine, params: Mapping[str, Any]) -> dict[str, Any]:
    args = params.get("args")
    if args is None:
        return {}
    if not isinstance(args, dict) or not all(isinstance(name, str) for name in args):
        raise QuestionError(Code.ARGS, f"args is a map by name, not {args!r:.60}")
    return named_args(machine.accepted_args, args, machine.id)


def _reason(machine: Machine, watcher: _Watcher, states: Sequence[str]) -> dict[str, Any]:
    """Why it was canceled, as a map."""
    reason = watcher.reason
    if reason is not None:
        return {
            "kind": reason.kind,
            "state": reason.state,
            "by": list(reason.by),
            "handler": reason.handler,
            "binding": reason.binding,
            "text": reason.text[:_TEXT],
            "sentence": str(reason)[:_TEXT],
        }
    return {"kind": "relations"}


ACTING = {
    "mutate": Question(_mutate, frozenset(("op", "states", "args")), lambda p: _call_of(p, _OPS)),
    "can": Question(_can, frozenset(("op", "states", "args")), lambda p: _call_of(p, _ASKABLE)),
}
