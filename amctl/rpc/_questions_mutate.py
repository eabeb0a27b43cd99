"""Questions that act, or ask whether one could: mutate, can.

What belongs to a mutation is told by the transition itself, which a tracer finds that listens for
the length of the call; nothing of the loop can come in between. `before` is the clock when the call
began, `after` when it returned: on an idle machine that is with everything it caused, inside of a
handler (result `queued`) it is nothing yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.machine import Machine, Tracer
from amctl.machine._gates import BACKOFF, CLOSED
from amctl.machine.argtext import named_args
from amctl.machine.reasons import Reason, reason_of
from amctl.rpc._questions import MAX_ANSWER, Question, near
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
"""Characters of what a failed handler said."""
_NAMES = 64
"""States to blame that are told."""
_REST = 128 << 10
"""Bytes of an answer besides the clocks."""


class _Watcher(Tracer):
    """Finds the transition of the first mutation that is accepted while it listens."""

    id = "asked"

    def __init__(self) -> None:
        self.mutation: Mutation | None = None
        self.reason: Reason | None = None

    def mutation_queued(self, machine: MachineView, mutation: Mutation) -> None:
        """See Tracer."""
        if self.mutation is None:
            self.mutation = mutation

    def transition_end(self, tx: Transition) -> None:
        """See Tracer."""
        if tx.mutation is self.mutation:
            self.reason = reason_of(tx)  # now, while the schema is the one it was judged by


def _mutate(source: MachineView, params: Mapping[str, Any]) -> Mutated:
    machine, watcher = _local(source), _Watcher()
    op, states = _call_of(params, _OPS)
    _check_states(machine, states)
    args = _args(machine, params)
    before = tuple(machine.time())
    _check_room(machine, before)
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
        reason=_why(machine, watcher, states) if result.canceled else None,
        before=before,
        after=tuple(machine._clock),  # `time` is empty once the call disposed of the machine
    )


def _can(source: MachineView, params: Mapping[str, Any]) -> dict[str, Any]:
    machine, watcher = _local(source), _Watcher()
    op, states = _call_of(params, _ASKABLE)
    _check_states(machine, states)
    args = _args(machine, params)
    if machine.is_busy:
        raise QuestionError(Code.BUSY, f"machine {machine.id!r} is in the middle of a transition")
    with machine.watched_by(watcher):
        result = (machine.can_add if op == Op.ADD else machine.can_remove)(states, args)
    reason = _why(machine, watcher, states) if result.canceled else None
    return {"result": str(result), "reason": reason}


# -- what is asked


def _local(source: MachineView) -> Machine:
    if not isinstance(source, Machine):
        raise QuestionError(Code.UNSUPPORTED, f"machine {source.id!r} is only a mirror")
    return source


def _call_of(params: Mapping[str, Any], ops: Mapping[str, Op]) -> tuple[Op, tuple[str, ...]]:
    """Op and states, as they are asked for."""
    op, states = params.get("op"), params.get("states")
    if not isinstance(op, str) or op not in ops:
        raise QuestionError(Code.ARGS, f"op is {' or '.join(ops)}, not {op!r:.60}")
    if isinstance(states, str):
        states = (states,)
    if not isinstance(states, list | tuple) or not all(isinstance(s, str) for s in states):
        raise QuestionError(Code.ARGS, f"states is a list of names, not {states!r:.60}")
    return ops[op], tuple(states)


def _check_states(machine: Machine, states: Sequence[str]) -> None:
    """As the machine does, but for names of any length and any number of them."""
    unknown = next((state for state in states if not machine.has(state)), None)
    if unknown is not None and not machine.is_disposed:
        text = f"machine {machine.id!r} has no state {unknown!r:.80}"
        raise QuestionError(Code.STATE, text + near(unknown, machine.names))


def _args(machine: Machine, params: Mapping[str, Any]) -> dict[str, Any]:
    args = params.get("args")
    if args is None:
        return {}
    if not isinstance(args, dict) or not all(isinstance(name, str) for name in args):
        raise QuestionError(Code.ARGS, f"args is a map by name, not {args!r:.60}")
    return named_args(machine.accepted_args, args, machine.id)


def _check_room(machine: Machine, before: Sequence[int]) -> None:
    """Before it runs: that it ran must not be lost because its answer can't be sent."""
    size = 2 * (len(str(before)) + len(before))
    if size + _REST > MAX_ANSWER:
        text = f"machine {machine.id!r} has {len(before)} states, too many to tell their clocks"
        raise QuestionError(Code.TOO_BIG, f"{text}; mutate it by a plain call")


# -- why it was refused


def _why(machine: Machine, watcher: _Watcher, states: Sequence[str]) -> dict[str, Any]:
    reason = watcher.reason or _without_transition(machine, watcher, states)
    return {
        "kind": reason.kind,
        "state": reason.state,
        "by": reason.by[:_NAMES],
        "handler": reason.handler,
        "binding": reason.binding,
        "text": reason.text[:_TEXT],
        "sentence": str(reason)[:_TEXT],
    }


def _without_transition(machine: Machine, watcher: _Watcher, states: Sequence[str]) -> Reason:
    if watcher.mutation is not None:  # accepted, and yet not what was asked for
        return Reason("relations", by=tuple(states))
    if machine._gate & CLOSED:
        return Reason("disposed")
    return Reason("backoff" if machine._gate & BACKOFF else "full")


_PARAMS = frozenset(("op", "states", "args"))

ACTING = {
    "mutate": Question(_mutate, _PARAMS, lambda params: _call_of(params, _OPS)),
    "can": Question(_can, _PARAMS, lambda params: _call_of(params, _ASKABLE)),
}
