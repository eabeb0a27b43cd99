"""How the tasks of a play follow one another, on one batch of its machines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from amctl.repl.errors import ReplError
from amctl.repl.playbook._doing import Doing, Prompted, failed
from amctl.repl.playbook.checking import FAILURE
from amctl.repl.playbook.errors import PlaybookError
from amctl.repl.playbook.filling import enter, items, pattern, titled
from amctl.repl.playbook.results import Did, Status, TaskResult
from amctl.repl.playbook.templates import UNKNOWN, NotKnownError
from amctl.repl.playbook.variables import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amctl.repl.playbook._state import RunState
    from amctl.repl.playbook.hosts import Host
    from amctl.repl.playbook.plan import Section, Step

__all__ = ["FatalError", "Flow"]

Frame = Callable[[Scope], Scope]
"""Enters a scope within another one."""
Frames = tuple[Frame, ...]


class FatalError(Exception):
    """A machine failed in a play that says `any_errors_fatal`."""


class Flow:
    """One play on one batch of machines.

    Scopes are built anew for each machine, since variables may stand on what that one registered:
    `frames` are the includes, loops and failures around a task, the outermost first.
    """

    def __init__(
        self, state: RunState, section: Section, batch: Sequence[Host], title: str
    ) -> None:
        self._state, self._section, self._batch = state, section, batch
        self._called = title

    async def run(self) -> None:
        """Run its tasks. Raises FatalError, and ReplError if machines can't be found."""
        await self._steps(self._section.steps, self._batch, (), self._state.gone)

    async def _steps(
        self, steps: Iterable[Step], hosts: Sequence[Host], frames: Frames, gone: set[str]
    ) -> None:
        for step in steps:
            alive = [host for host in hosts if host.id not in gone]
            if not alive:
                return
            if not self._state.options.tagged.takes(step):
                continue
            if step.task.machines:
                alive = self._others(step, alive[0], frames, gone)
                if not alive:
                    continue
            if step.inner:
                await self._include(step, alive, frames, gone)
            elif await self._is_wanted(step):
                await self._task(step, alive, frames, gone)
            elif step.task.register:
                for host in alive:
                    self._skip(step, host, "left out by hand")

    def _others(self, step: Step, first: Host, frames: Frames, gone: set[str]) -> list[Host]:
        """The machines that a task names itself."""
        scope = self._scope(first, frames, step)
        try:
            wanted = pattern(step, step.task.machines, scope)
        except NotKnownError as error:
            self._state.world.doubt(f"nobody knows what {step.title} does")
            self._state.record(self._result(step, first, _undoable(error)))
            return []
        hosts = [host for host in self._state.world.select(wanted) if host.id not in gone]
        for host in hosts:
            self._state.meet(host)
        return hosts

    async def _is_wanted(self, step: Step) -> bool:
        """Whether the person who steps through wants this one."""
        if self._state.step is None:
            return True
        answer = await self._state.step(step.title)
        if answer == "c":
            self._state.step = None
        return answer != "n"

    # -- includes

    async def _include(
        self, step: Step, hosts: Sequence[Host], frames: Frames, gone: set[str]
    ) -> None:
        inside = (*frames, lambda scope: enter(step, scope, step.task.vars))
        taken = [host for host in hosts if await self._enters(step, host, inside, gone)]
        if not taken:
            return
        try:
            # a loop around several machines is one loop: the first of them tells its values
            rounds = items(step, self._scope(taken[0], inside))
        except NotKnownError as error:
            self._state.world.doubt(f"nobody knows what {step.title} does")
            for host in taken:
                self._state.record(self._result(step, host, _undoable(error)))
            return
        for item in [None] if rounds is None else rounds:
            here = inside if rounds is None else (*inside, _layer({"item": item}))
            await self._steps(step.inner, taken, here, gone)

    async def _enters(self, step: Step, host: Host, frames: Frames, gone: set[str]) -> bool:
        """Whether an include is for a machine; if nobody knows, its tasks are looked at."""
        try:
            doing = Doing(self._state, step, host, None)
            value = await doing.condition("if", self._scope(host, frames))
        except ReplError as error:
            result = self._result(step, host, failed(error))
            self._state.record(result)
            await self._clean_up(step, host, result, frames, gone)
            return False
        if value is UNKNOWN:
            self._state.world.doubt(f"nobody knows whether {step.title} is for {host.id}")
        elif not value:
            did = Did(Status.SKIPPED, "skipped", "its condition is false")
            self._state.record(self._result(step, host, did))
        return value is UNKNOWN or bool(value)

    # -- tasks

    async def _task(
        self, step: Step, hosts: Sequence[Host], frames: Frames, gone: set[str]
    ) -> None:
        title = self._title(step, hosts[0], frames)
        self._state.observer.task(title, [host.id for host in hosts])
        prompted = Prompted(self._state.options.prompt)
        done = await asyncio.gather(*(self._on(step, host, frames, prompted) for host in hosts))
        failed = [(host, result) for host, result in zip(hosts, done, strict=True) if result]
        for host, result in failed:
            assert result is not None
            await self._clean_up(step, host, result, frames, gone)
        is_fatal = self._section.play.any_errors_fatal and not step.task.ignore_errors
        if failed and is_fatal and gone is self._state.gone:
            raise FatalError

    async def _clean_up(
        self, step: Step, host: Host, result: TaskResult, frames: Frames, gone: set[str]
    ) -> None:
        """What is to be done with a machine on which a task failed."""
        failure = _layer({FAILURE: result.as_variable()})
        await self._steps(step.on_failure, [host], (*frames, failure), set())
        if step.task.ignore_errors:
            return
        gone.add(host.id)
        if gone is self._state.gone:
            await self._steps(self._section.on_failure, [host], (failure,), set())

    async def _on(
        self, step: Step, host: Host, frames: Frames, prompted: Prompted
    ) -> TaskResult | None:
        """A task on one machine, in all rounds of its loop; the result that failed, if one did."""
        results: list[TaskResult] = []
        try:
            scope = self._scope(host, frames, step)
            rounds = items(step, scope)
        except (PlaybookError, NotKnownError) as error:
            self._state.world.doubt(f"nobody knows what {step.title} does")
            results.append(self._result(step, host, _undoable(error)))
            self._state.record(results[-1])
            rounds = []
        for item in [None] if rounds is None else rounds:
            inside = scope if rounds is None else scope.inside({"item": item})
            began = self._state.options.now()
            did, attempts = await Doing(self._state, step, host, prompted).attempts(inside)
            took = self._state.options.now() - began
            made = self._result(step, host, did, attempts, took, item)
            results.append(replace(made, task=titled(step, inside)))
            self._state.record(results[-1])
            if did.status.is_bad:
                break
        self._register(step, host, results)
        return results[-1] if results and results[-1].status.is_bad else None

    def _register(self, step: Step, host: Host, results: Sequence[TaskResult]) -> None:
        if not step.task.register:
            return
        if not results:
            self._skip(step, host, "a loop without a round")
            return
        value = results[-1].as_variable()
        value["results"] = [result.as_variable() for result in results]
        self._state.register(host.id, step.task.register, value)

    def _skip(self, step: Step, host: Host, why: str) -> None:
        """Later tasks may ask for what this one would have registered."""
        result = self._result(step, host, Did(Status.SKIPPED, "skipped", why))
        if step.task.register:
            self._state.register(host.id, step.task.register, result.as_variable())

    def _result(
        self,
        step: Step,
        host: Host,
        did: Did,
        attempts: int = 0,
        took: float = 0.0,
        item: Any = None,
    ) -> TaskResult:
        ignored = did.status.is_bad and step.task.ignore_errors
        return TaskResult(
            self._called,
            step.title,
            step.place(),
            host.id,
            did,
            attempts,
            took,
            item,
            ignored,
        )

    def _title(self, step: Step, host: Host, frames: Frames) -> str:
        """What a task is called; with the first machine's variables."""
        try:
            return titled(step, self._scope(host, frames, step))
        except PlaybookError:
            return step.title

    def _scope(self, host: Host, frames: Frames, step: Step | None = None) -> Scope:
        """What a machine's tasks see; with a task, its own variables too."""
        section = self._section
        scope = enter(section, self._state.scope(host.id), section.play.vars)
        scope = scope.inside(self._state.registered(host.id))
        for frame in frames:
            scope = frame(scope)
        return scope if step is None else enter(step, scope, step.task.vars)


def _layer(variables: dict[str, Any]) -> Frame:
    return lambda scope: scope.inside(variables)


def _undoable(error: PlaybookError | NotKnownError) -> Did:
    if isinstance(error, NotKnownError):
        return Did(Status.UNKNOWN, "", str(error))
    return Did(Status.FAILED, "failed", str(error))
