"""Asking the negotiation handlers of a machine without anybody noticing."""

from __future__ import annotations

import sys
from asyncio import CancelledError
from typing import TYPE_CHECKING

from amctl.machine._gates import BUSY
from amctl.machine.errors import HandlerResultError
from amctl.machine.event import Event
from amctl.machine.reasons import failed, vetoed
from amctl.machine.transition import Transition

if TYPE_CHECKING:
    from types import FrameType

    from amctl.machine.machine import Machine
    from amctl.machine.plan import Called
    from amctl.machine.reasons import Reason

__all__ = ["negotiated", "running_handler"]


def negotiated(machine: Machine, kind: int, called: Called) -> Reason | None:
    """Which negotiation handler refuses a call; None if none does.

    Handlers see a check without arguments. What one raises is its refusal, and nothing more. What
    they queue, although they shouldn't, is carried out afterwards, as always.

    Args:
        machine: An idle one, of this thread.
        kind: CHECK_ADD or CHECK_REMOVE; what relations say is passed over.
        called: Whose addition or removal.
    """
    plan = machine._planner.plan(machine._config, kind, called)
    if not plan.negotiation:
        return None
    tx = Transition(machine, plan, {})
    machine._gate |= BUSY
    machine._tx = tx
    try:
        return _refused(tx)
    finally:
        tx.is_completed = True
        machine._tx = None
        try:
            if machine._queue:
                machine._drain()
        finally:
            machine._gate &= ~BUSY
            machine._tx = None
            machine._became_idle()


def _refused(tx: Transition) -> Reason | None:
    schema = tx.machine._compiled
    for action in tx.plan.negotiation:
        event = Event(action.name, tx.args, tx)
        for handler in action.handlers:
            try:
                answer = handler.fn(event)
                if answer is not None and not isinstance(answer, bool):
                    close = getattr(answer, "close", None)
                    if close is not None:
                        close()
                    raise HandlerResultError(action.name, answer)
            except (Exception, CancelledError) as error:
                return failed(schema, handler, action, error)
            if answer is False:
                return vetoed(schema, handler, action)
    return None


def running_handler(machine: Machine) -> tuple[str, str]:
    """The handler that a machine runs now, and its binding; empty texts if none is found.

    It is looked for on the stack of the machine's thread: noting it would cost every call.
    """
    frames: dict[int, FrameType] = getattr(sys, "_current_frames", dict)()
    frame: FrameType | None = frames.get(machine._thread)
    codes = (Transition._ask.__code__, Transition._final.__code__)
    while frame is not None:
        if frame.f_code in codes:
            found = frame.f_locals
            if found["self"].machine is machine and (handler := found.get("handler")) is not None:
                return handler.name, handler.binding
        frame = frame.f_back
    return "", ""
