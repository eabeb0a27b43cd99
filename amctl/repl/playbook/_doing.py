"""What one task does on one machine: condition, attempts, and the action itself."""

from __future__ import annotations

import asyncio
import operator
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from amctl.repl.errors import ReplError
from amctl.repl.outcome import Verdict
from amctl.repl.playbook.errors import PlaybookError, near
from amctl.repl.playbook.filling import fill
from amctl.repl.playbook.models import Assert, Pause, seconds, states_of, value_of
from amctl.repl.playbook.results import Did, Status, TaskResult
from amctl.repl.playbook.templates import UNKNOWN, BadTemplateError, NotKnownError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from amctl.repl.playbook._state import RunState
    from amctl.repl.playbook.expressions import Expression
    from amctl.repl.playbook.hosts import Host
    from amctl.repl.playbook.models import Task
    from amctl.repl.playbook.options import Prompt
    from amctl.repl.playbook.plan import Step
    from amctl.repl.playbook.variables import Scope

__all__ = ["Doing", "Prompted", "Seen", "failed"]

UNTIL_RETRIES = 3
DELAY = 1.0
"""Seconds."""
_RULE = re.compile(r"\s*(==|!=|>=|<=|>|<)?\s*(\d+)\s*")
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_STATUSES = {Verdict.UNREACHABLE: Status.UNREACHABLE, Verdict.TIMED_OUT: Status.TIMEOUT}


class Prompted:
    """A question that is asked once, however many machines wait for its answer."""

    def __init__(self, prompt: Prompt | None) -> None:
        self._prompt, self._lock = prompt, asyncio.Lock()
        self._answers: dict[str, bool] = {}

    async def ask(self, text: str) -> bool | None:
        """The answer; None if there is nobody to ask."""
        if self._prompt is None:
            return None
        async with self._lock:
            if text not in self._answers:
                self._answers[text] = await self._prompt(text)
        return self._answers[text]


class Seen:
    """What a condition sees: variables, and else the states of a machine."""

    def __init__(self, host: Host, scope: Scope) -> None:
        self._host, self._scope = host, scope

    def get(self, name: str) -> Any:
        """A variable, or whether the state of that name is active."""
        try:
            return self._scope.get(name)
        except KeyError:
            return self.active(name)

    def active(self, state: str) -> Any:
        """Whether a state is active."""
        if state not in self._host.names:
            raise KeyError(state)
        return self._host.active(state)

    def tick(self, state: str) -> Any:
        """A state's tick."""
        if state not in self._host.names:
            raise KeyError(state)
        return self._host.tick(state)


class Doing:
    """One task on one machine."""

    def __init__(self, state: RunState, step: Step, host: Host, prompted: Prompted | None) -> None:
        self._state, self._step, self._host, self._prompted = state, step, host, prompted

    # -- conditions

    async def condition(self, key: str, scope: Scope) -> Any:
        """What `if` or `until` comes to; true if there is none.

        Raises:
            PlaybookError: It names what isn't there, or compares what can't be compared.
            ReplError: The machine can't be reached.
        """
        condition = self._step.conditions.get(key, True)
        if isinstance(condition, bool):
            return condition
        if any(used.is_state or used.name not in scope for used in condition.names()):
            await self._host.refresh()
        return self._value(key, condition, scope)

    def _value(self, key: str, condition: Expression, scope: Scope) -> Any:
        try:
            value = condition.value(Seen(self._host, scope))
        except BadTemplateError as error:
            hint = near(error.name, [*scope, *self._host.names]) if error.name else ""
            problem = self._step.problem(f"{key}: {error}", hint, key, offset=error.offset)
            raise PlaybookError([problem]) from None
        return value if value is UNKNOWN else bool(value)

    # -- attempts

    async def attempts(self, scope: Scope) -> tuple[Did, int]:
        """Do it, again and again if it says so; what came of it, and how many attempts it took.

        Whatever goes wrong becomes part of what came of it.
        """
        try:
            wanted = await self.condition("if", scope)
            if wanted is not UNKNOWN and not wanted:
                return Did(Status.SKIPPED, "skipped", "its condition is false"), 0
            task = fill(self._step, scope)
            if wanted is UNKNOWN:
                return self._unknown("nobody knows whether its condition will be true"), 0
        except NotKnownError as error:
            return self._unknown(str(error)), 0
        except ReplError as error:
            return failed(error), 0
        return await self._try(task, scope)

    async def _try(self, task: Task, scope: Scope) -> tuple[Did, int]:
        default = UNTIL_RETRIES if "until" in self._step.conditions else 0
        retries = default if task.retries is UNSET else int(task.retries)
        delay = seconds(task.delay)
        attempt = 1
        did = first = await self._attempt(task, scope, attempt)
        while did.status.is_bad and attempt <= retries and not self._state.world.is_check:
            await self._state.world.pause(DELAY if delay is None else delay)
            attempt += 1
            did = await self._attempt(task, scope, attempt)
        if first.before and did.after:
            did = replace(did, before=first.before)
            if did.status is Status.OK and self._step.mutates and did.moved:
                did = replace(did, status=Status.CHANGED)
        return did, attempt

    async def _attempt(self, task: Task, scope: Scope, attempt: int) -> Did:
        try:
            did = await self._act(task)
            if did.status.is_bad or "until" not in self._step.conditions:
                return did
            value = await self.condition("until", self._after(did, scope, attempt))
        except ReplError as error:
            return failed(error)
        if value is UNKNOWN or (self._state.world.is_check and not value):
            return self._unknown("nobody knows when `until` will be true", did)
        if value:
            return did
        return replace(did, status=Status.FAILED, result="failed", reason="`until` is still false")

    def _after(self, did: Did, scope: Scope, attempt: int) -> Scope:
        """What `until` sees: the attempt as `this`, and under the name that it is registered as."""
        step = self._step
        result = TaskResult("", step.title, step.place(), self._host.id, did, attempt)
        value = result.as_variable()
        names = ["this", *([step.task.register] if step.task.register else [])]
        return scope.inside(dict.fromkeys(names, value))

    def _unknown(self, why: str, did: Did | None = None) -> Did:
        if self._step.action not in ("assert", "pause"):
            self._state.world.doubt(f"nobody knows what {self._step.title} did")
        return replace(did or Did(Status.UNKNOWN), status=Status.UNKNOWN, result="", reason=why)

    # -- actions

    async def _act(self, task: Task) -> Did:
        action, host, limit = self._step.action, self._host, seconds(task.timeout)
        value = value_of(task, action)
        done: Awaitable[Did]
        if self._step.mutates:
            args = {} if task.args is UNSET else task.args
            done = host.mutate(action, states_of(value), args, limit)
        elif action in ("when", "when_not"):
            done = host.wait(states_of(value), action == "when", limit)
        elif action == "when_time":
            done = self._wait_time(value, limit)
        elif action == "assert":
            done = self._assert(value)
        elif action == "pause":
            done = self._pause(value)
        else:
            done = host.command(value, limit)
        return await done

    async def _wait_time(self, rules: Mapping[str, int | str], limit: float | None) -> Did:
        ticks: dict[str, int] = {}
        for state, rule in rules.items():
            text = str(rule).strip()
            now = self._host.tick(state) if text.startswith("+") else 0
            if now is UNKNOWN:
                return self._unknown("nobody knows the tick that it begins with")
            ticks[state] = now + int(text)
        return await self._host.wait_time(ticks, limit)

    async def _assert(self, wanted: Assert) -> Did:
        await self._host.refresh()
        clock = dict(self._host.clock())
        unknown, wrong = False, []
        for states, active in ((wanted.active, True), (wanted.inactive, False)):
            for state in states_of(states):
                value = self._host.active(state)
                unknown |= value is UNKNOWN
                if value is not UNKNOWN and value is not active:
                    wrong.append(f"{state} is {'inactive' if active else 'active'}")
        for state, rule in ({} if wanted.ticks is UNSET else wanted.ticks).items():
            match = _RULE.fullmatch(str(rule))
            assert match is not None
            tick = self._host.tick(state)
            unknown |= tick is UNKNOWN
            if tick is not UNKNOWN and not _COMPARE[match[1] or "=="](tick, int(match[2])):
                wrong.append(f"the tick of {state} is {tick}, not {str(rule).strip()}")
        if wrong:
            return Did(Status.FAILED, "failed", ", ".join(wrong), clock, clock)
        if unknown:
            return Did(Status.UNKNOWN, "", "tasks before may have caused more", clock, clock)
        return Did(Status.OK, "true", "", clock, clock)

    async def _pause(self, value: Pause | int | float | str) -> Did:
        if not isinstance(value, Pause):
            await self._state.world.pause(seconds(value) or 0.0)
            return Did(Status.OK, "paused")
        if self._state.world.is_check:
            return Did(Status.UNKNOWN, "", "nobody is asked in check mode")
        assert self._prompted is not None
        answer = await self._prompted.ask(value.prompt)
        if answer is None:
            return Did(Status.FAILED, "failed", "there is no terminal to ask; --yes says yes")
        return Did(Status.OK, "yes") if answer else Did(Status.FAILED, "failed", "the answer is no")


def failed(error: ReplError) -> Did:
    """What comes of a task that could not be done."""
    hint = f" ({error.hint})" if error.hint else ""
    status = _STATUSES.get(error.verdict, Status.FAILED)
    return Did(status, error.verdict.value, f"{error}{hint}")
