"""Why a state is or isn't active: asked of a machine as it stands, and of what it remembers.

A machine keeps no history. What holds a state is worked out when somebody asks: relations are
resolved once more, and negotiation handlers are asked as `can_add` asks them, but no tracer is told
and no failure becomes Exception. Only what can't be worked out is remembered: refusals
(`amctl.machine.refusals`), and what was active when the last error came.

An explanation stays within one machine. It names the states that are to blame, the ends of the
chain; why those are as they are is the next question, maybe to another machine.
"""

from __future__ import annotations

from _thread import get_ident
from dataclasses import replace
from typing import TYPE_CHECKING

from amctl.machine._gates import BACKOFF, CLOSED
from amctl.machine._negotiating import negotiated, running_handler
from amctl.machine._relational import (
    active_now,
    by_relations,
    explain_by_relations,
    few,
    free,
    listed,
    told,
    untried,
    while_,
)
from amctl.machine._replay import replay
from amctl.machine.errors import UnknownStateError
from amctl.machine.explanation import Blamed, Explanation, Kind, Place
from amctl.machine.plan import AUTO, CHECK_ADD, CHECK_REMOVE
from amctl.machine.relations import ADD, REMOVE, SET

if TYPE_CHECKING:
    from amctl.machine.compiled import Compiled
    from amctl.machine.event import Mutation
    from amctl.machine.machine import Machine

__all__ = ["explain", "explain_by_relations"]

_ERRORS = ("Exception", "Err")


def explain(machine: Machine, state: str, op: str = "add") -> Explanation:
    """Why a state is as it is. See `Machine.explain`.

    Raises:
        UnknownStateError: The machine has no such state.
        ValueError: `op` is neither `add` nor `remove`.
    """
    if op not in ("add", "remove"):
        raise ValueError(f"op is 'add' or 'remove', not {op!r}")
    index = machine._compiled.index.get(state)
    if index is None:
        raise UnknownStateError(machine.id, [state], machine._compiled.names)
    question = _Question(machine, state, index, op)
    found = question.removal() if op == "remove" else question.addition()
    return replace(found, tasks=machine._tasks.handlers())


class _Question:
    """One question to one machine."""

    def __init__(self, machine: Machine, state: str, index: int, op: str) -> None:
        self._machine, self._state, self._index = machine, state, index
        self._schema: Compiled = machine._compiled
        book = machine._refusals
        last = book.last(state) if book is not None else None
        if last is not None and (last.outdated or (last.op == "remove") != (op == "remove")):
            last = None
        tick = machine._clock[index]
        auto = bool(self._schema.auto >> index & 1)
        self._base = Explanation(
            machine.id, state, op, Kind.ENDED, "", tick=tick, auto=auto, last=last
        )

    def _with(self, kind: Kind, sentence: str, remedy: str = "", **more: object) -> Explanation:
        return replace(self._base, kind=kind, sentence=sentence, remedy=remedy, **more)  # type: ignore[arg-type]  # of its fields

    # -- why isn't it active

    def addition(self) -> Explanation:
        """Why it isn't active, or what made it so."""
        if self._machine.is_disposed:
            return self._gone()
        if self._base.is_active:
            error = self._error_text(self._state)
            found = active_now(self._base, self._schema, self._machine._config, self._index)
            if error:
                found = replace(found, error=error, sentence=f"{found.sentence}: {error}")
            return found
        return (
            self._waiting((ADD, SET, AUTO))
            or self._closed()
            or self._related()
            or self._vetoed(CHECK_ADD)
            or self._automatic()
            or self._refused_before()
            or self._ended_by_error()
            or self._free()
        )

    def _gone(self) -> Explanation:
        text = f"{self._machine.id} is disposed of, and none of its states is active any more"
        return self._with(Kind.DISPOSED, text, "start the program or node that makes it")

    def _closed(self) -> Explanation | None:
        machine = self._machine
        if machine._gate & CLOSED:
            text = f"{machine.id} is being disposed of, and takes no mutations any more"
            return self._with(Kind.DISPOSED, text, "start the program or node that makes it")
        if machine._gate & BACKOFF and (left := machine._backoff_until - machine._now()) > 0:
            error = told(machine._error)
            text = f"{machine.id} takes no mutations for {left:.1f} s more"
            text += f": {error}" if error else ""
            remedy = "wait for that; mend the handler, which does not heed its cancellation"
            return self._with(Kind.BACKOFF, text, remedy, error=error)
        return None

    def _related(self) -> Explanation | None:
        active = self._machine._config
        found = by_relations(self._base, self._schema, active, self._index)
        if found is None:
            return None
        errors = [self._error_text(b.state) for b in found.blame if not b.wanted]
        error = next(filter(None, errors), "")
        if not error:
            return found
        return replace(found, error=error, sentence=f"{found.sentence} ({error})")

    def _vetoed(self, kind: int) -> Explanation | None:
        """What negotiation handlers say now, without arguments."""
        machine, state = self._machine, self._state
        if machine.is_busy or get_ident() != machine._thread:
            return None
        reason = negotiated(machine, kind, machine._called((state,)))
        if reason is None:
            return None
        before = self._base.last
        if kind == CHECK_ADD and before is None and not self._base.auto:
            # nobody has tried, and a try with arguments may be welcome
            found = self._ended_by_error() or self._free()
            text = found.sentence.removesuffix(", and nothing refuses it")
            text += f"; asked now, without arguments: {reason}"
            return replace(found, sentence=text, reason=reason)
        what = "does not go" if kind == CHECK_REMOVE else "is not active"
        text = f"{state} {what}: {reason}, asked now"
        remedy = f"see to what {reason.handler} of binding {reason.binding} looks at"
        if reason.kind != "veto":
            remedy = f"mend {reason.handler} of binding {reason.binding}"
        return self._with(Kind(reason.kind), text, remedy, reason=reason, error=reason.text)

    def _automatic(self) -> Explanation | None:
        """Nothing refuses it: then why has the machine not tried?"""
        machine, schema, state = self._machine, self._schema, self._state
        if not self._base.auto:
            return None
        active = machine._config
        against = [i for i in active.order if schema.remove[i] >> self._index & 1]
        if against:
            names = tuple(schema.names[i] for i in against)
            one = len(names) == 1
            text = f"{state} is an auto state, but not tried while {listed(names)} "
            text += "is active, which removes it" if one else "are active, which remove it"
            blame = tuple(Blamed(name, wanted=False) for name in names)
            remedy = f"remove {listed(names)}, or add {state} by hand, which ends {listed(names)}"
            return self._with(Kind.AUTO, text, remedy, blame=blame)
        if machine._failures and self._index in machine._failed_auto:
            text = f"{state} was given up as an auto state: its handlers failed over and over"
            error = told(machine._error)
            return self._with(Kind.AUTO, text, "mend the handler", error=error)
        return untried(self._base)

    def _refused_before(self) -> Explanation | None:
        last = self._base.last
        if last is None or last.reason.kind in ("require", "remove", "relations", "disposed"):
            return None
        reason = last.reason
        kind = Kind.BACKOFF if reason.kind == "backoff" else Kind(reason.kind)
        text = f"{self._state} is not active: {last}; nothing refuses it now"
        remedy = f"try again: add {self._state}"
        if reason.handler:
            remedy = f"mend {reason.handler} of binding {reason.binding}, or {remedy}"
        error = reason.text if reason.kind in ("error", "timeout") else ""
        return self._with(kind, text, remedy, reason=reason, error=error)

    def _ended_by_error(self) -> Explanation | None:
        book = self._machine._refusals
        mishap = book.mishap if book is not None else None
        if mishap is None or not mishap.config.mask >> self._index & 1:
            return None
        if mishap.ticks[self._index] + 1 != self._machine._clock[self._index]:
            return None  # it has moved again since
        exception = self._schema.index["Exception"]
        after = replay(self._schema, ADD, (exception,), mishap.config.order)
        if self._index in after.targets:
            return None
        text = f"{self._state} was ended by an error: {mishap.text}"
        remedy = f"see to the error, then add {self._state} again"
        blame = (Blamed("Exception", wanted=False),) if self._machine.is_err() else ()
        return self._with(Kind.ERROR, text, remedy, error=mishap.text, blame=blame)

    def _free(self) -> Explanation:
        return free(self._base, self._schema, self._machine._config, self._index)

    def _error_text(self, state: str) -> str:
        if not state.startswith(_ERRORS) or not self._machine.is_err():
            return ""
        return told(self._machine._error)

    # -- why does it stay

    def removal(self) -> Explanation:
        """Why it is active still."""
        machine, state, schema = self._machine, self._state, self._schema
        if machine.is_disposed:
            return self._gone()
        if not self._base.is_active:
            return self._with(Kind.INACTIVE, f"{state} is not active")
        held = self._waiting((REMOVE, SET)) or self._closed()
        if held is not None:
            return held
        after = replay(schema, REMOVE, (self._index,), machine._config.order)
        stay = [i for i in after.targets if schema.multi >> i & 1 and self._index in schema.add[i]]
        if stay:
            by = tuple(schema.names[i] for i in stay)
            text = (
                f"{state} comes back with the next mutation: {listed(by)} is multi and implies it"
            )
            blame = tuple(Blamed(name, wanted=False) for name in by)
            return self._with(Kind.IMPLIED, text, f"remove {listed(by)} too", blame=blame)
        vetoed = self._vetoed(CHECK_REMOVE)
        if vetoed is not None:
            return vetoed
        if self._base.auto:
            text = f"{state} comes back by itself whenever it is removed: it is an auto state"
            remedy = f"remove what it requires, or add a state that removes {state}"
            return self._with(Kind.AUTO, text, remedy)
        text = f"{state} is active, and nothing keeps it from being removed"
        return self._with(Kind.ACTIVE, text, f"remove {state}")

    # -- the queue

    def _waiting(self, kinds: tuple[int, ...]) -> Explanation | None:
        """What is under way. From outside of handlers of the machine's own thread there never is
        anything: it is carried out before the mutation returns."""
        machine = self._machine
        tx = machine.transition
        if not machine.is_busy:
            return None
        running, (handler, binding) = "", ("", "")
        if tx is not None and not tx.is_completed:
            running, (handler, binding) = str(tx.mutation), running_handler(machine)
            if tx.plan.kind in kinds and self._is_meant(tx.mutation) and not tx.has_moved:
                place = Place(running, running=running, handler=handler, binding=binding)
                text = f"{running} is being carried out{while_(handler, binding)}"
                remedy = f"{handler or 'its handlers'} has to end"
                return self._with(Kind.RUNNING, text, remedy, place=place)
        waiting = machine.queue()
        for at, mutation in enumerate(waiting):
            if mutation.kind in kinds and self._is_meant(mutation):
                ahead = tuple(map(str, waiting[:at]))
                place = Place(str(mutation), at + 1, ahead, running, handler, binding)
                return self._queued(place)
        return None

    def _is_meant(self, mutation: Mutation) -> bool:
        if mutation.kind == SET and self._base.op == "remove":
            return self._index not in mutation.called.order
        if self._index in mutation.called.order:
            return True
        if self._base.op == "remove":
            return False
        return any(self._index in self._schema.add[i] for i in mutation.called.order)

    def _queued(self, place: Place) -> Explanation:
        behind = f", behind {listed(few(place.ahead))}" if place.ahead else ""
        running = f" until {place.running} is over" if place.running else ""
        where = f"{place.mutation} waits at place {place.number} of the queue{behind}{running}"
        remedy = f"{place.handler or place.running or 'what runs'} has to end"
        if place.handler:
            remedy = f"{place.handler} of binding {place.binding} has to end"
        text = where + while_(place.handler, place.binding)
        return self._with(Kind.QUEUED, text, remedy, place=place)
