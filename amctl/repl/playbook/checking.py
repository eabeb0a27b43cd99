"""What can be known to be wrong before anything runs.

Without machines: variables that nobody defines, and values that don't fit once variables are put
in. With machines: states that they don't have, arguments they don't take, commands that aren't.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from amctl.repl.errors import NothingMatchedError, UsageError
from amctl.repl.parsing import parse, split
from amctl.repl.playbook.errors import PlaybookError, Problem, near
from amctl.repl.playbook.expressions import Expression
from amctl.repl.playbook.filling import enter, fill, items, pattern, share
from amctl.repl.playbook.models import Assert, states_of, value_of
from amctl.repl.playbook.plan import Tagged
from amctl.repl.playbook.templates import UNKNOWN, NotKnownError
from amctl.repl.playbook.variables import BUILT_IN, Scope
from amctl.repl.registry import registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from amctl.repl.playbook.hosts import Host, World
    from amctl.repl.playbook.models import Task
    from amctl.repl.playbook.plan import Playbook, Section, Step

__all__ = ["FAILURE", "check_machines", "check_variables"]

FAILURE = "failure"
"""What tasks under `on_failure` are told: the outcome of the task that failed."""
_LOOKED_AT = 50
"""Rounds of a loop that are looked at beforehand."""


def check_variables(
    playbook: Playbook, extra: Mapping[str, Any], tagged: Tagged | None = None
) -> None:
    """See that every variable is defined where it is used, and gives a value that fits.

    Args:
        playbook: The plays.
        extra: Of the command line.
        tagged: What is run; a task that is left out registers nothing.

    Raises:
        PlaybookError: With every problem that was found.
    """
    walk = _Walk(extra, tagged or Tagged())
    for section in playbook.sections:
        for seen in walk.section(section, UNKNOWN):
            walk.fill(seen)
    walk.finish()


async def check_machines(
    playbook: Playbook, world: World, extra: Mapping[str, Any], tagged: Tagged | None = None
) -> None:
    """See that there are machines, and that they have what tasks name.

    Args:
        playbook: Whose variables were checked.
        world: The machines.
        extra: Of the command line.
        tagged: What is run.

    Raises:
        PlaybookError: With every problem that was found.
        ReplError: No machine fits, or one that is named can't be reached.
    """
    walk = _Walk(extra, tagged or Tagged())
    checks = _Machines(walk, world)
    for section in playbook.sections:
        await checks.section(section)
    walk.finish()


class _Sight(NamedTuple):
    """A task, as far as it can be seen beforehand."""

    step: Step
    scope: Scope
    named_by: Step | None
    """The task that names its machines: itself, or an include around it; None: its play does."""


class _Walk:
    """Goes through the tasks as a run does, with what can be known by then."""

    def __init__(self, extra: Mapping[str, Any], tagged: Tagged) -> None:
        self.extra, self.tagged = extra, tagged
        self.problems: list[Problem] = []
        self._registered: dict[str, Any] = {}

    def finish(self) -> None:
        """Raises PlaybookError if there was any problem."""
        if self.problems:
            raise PlaybookError(list(dict.fromkeys(self.problems)))

    def scope(self, section: Section, machine: Any) -> Scope:
        """The variables of a play. Raises PlaybookError."""
        built_in = {**dict.fromkeys(BUILT_IN, UNKNOWN), "machine": machine}
        return enter(section, Scope(self.extra, built_in), section.play.vars)

    def section(self, section: Section, machine: Any) -> Iterator[_Sight]:
        """A play's tasks, on a machine of this id."""
        try:
            scope = self.scope(section, machine)
            share(section, scope, 1)
            pattern(section, section.play.machines, scope)
        except PlaybookError as error:
            self.problems += error.problems
            return
        except NotKnownError as error:
            text = f"{error}, and is needed to find the machines"
            self.problems.append(section.problem(text, "", "machines"))
            return
        yield from self._steps(section.steps, scope.inside(self._registered), None)
        failing = scope.inside(self._registered).inside({FAILURE: UNKNOWN})
        yield from self._steps(section.on_failure, failing, None)

    def fill(self, seen: _Sight) -> Task | None:
        """The task with its variables put in; None if that can't be done, or not yet."""
        try:
            return fill(seen.step, seen.scope)
        except NotKnownError:
            pass
        except PlaybookError as error:
            self.problems += error.problems
        return None

    def _steps(
        self, steps: Iterable[Step], scope: Scope, named_by: Step | None
    ) -> Iterator[_Sight]:
        for step in steps:
            if self.tagged.takes(step):
                yield from self._step(step, scope, step if step.task.machines else named_by)

    def _step(self, step: Step, scope: Scope, named_by: Step | None) -> Iterator[_Sight]:
        try:
            own = enter(step, scope, step.task.vars)
            rounds = self._rounds(step, own)
        except PlaybookError as error:
            self.problems += error.problems
            rounds = []
        else:
            if step.inner:
                yield _Sight(step, own, named_by)
        for inside in rounds:
            if step.inner:
                yield from self._steps(step.inner, inside, named_by)
            else:
                yield _Sight(step, inside, named_by)
        if step.task.register:
            self._registered[step.task.register] = UNKNOWN
        yield from self._steps(step.on_failure, scope.inside({FAILURE: UNKNOWN}), named_by)

    def _rounds(self, step: Step, scope: Scope) -> list[Scope]:
        """The scope of each round of a loop, or the one of a task without."""
        try:
            found = items(step, scope)
        except NotKnownError:
            found = [UNKNOWN]
        if found is None:
            return [scope]
        return [scope.inside({"item": item}) for item in found[:_LOOKED_AT]]


class _Machines:
    """What tasks name, held against the machines that they are for."""

    def __init__(self, walk: _Walk, world: World) -> None:
        self._walk, self._world = walk, world
        self._found: dict[str, Sequence[Host]] = {}

    async def section(self, section: Section) -> None:
        """One play."""
        scope = self._walk.scope(section, UNKNOWN)
        own = self._select(pattern(section, section.play.machines, scope))
        for host in self._everybody(section, own):
            for seen in self._walk.section(section, host.id):
                if host in self._hosts(seen, own):
                    await self._task(seen, host)

    def _everybody(self, section: Section, own: Sequence[Host]) -> list[Host]:
        """All machines that any task of a play is for."""
        found = dict.fromkeys(own)
        for seen in self._walk.section(section, UNKNOWN):
            found.update(dict.fromkeys(self._hosts(seen, own)))
        return list(found)

    def _hosts(self, seen: _Sight, own: Sequence[Host]) -> Sequence[Host]:
        if seen.named_by is None:
            return own
        try:
            return self._select(pattern(seen.named_by, seen.named_by.task.machines, seen.scope))
        except NotKnownError:
            return ()
        except PlaybookError as error:
            self._walk.problems += error.problems
            return ()

    def _select(self, wanted: str) -> Sequence[Host]:
        if wanted not in self._found:
            try:
                self._found[wanted] = self._world.select(wanted)
            except NothingMatchedError:
                if "state:" not in wanted:  # a task before may bring them there
                    raise
                self._found[wanted] = ()
        return self._found[wanted]

    async def _task(self, seen: _Sight, host: Host) -> None:
        step = seen.step
        for key, condition in step.conditions.items():
            if isinstance(condition, Expression):
                self._condition(seen, key, condition, host)
        task = self._walk.fill(seen)
        if task is None:
            return
        for path, state in _states(step.action, task):
            if state not in host.names:
                text = f"machine {host.id!r} has no state {state!r}"
                hint = near(state, host.names, f"list them: amctl mach inspect {host.id}")
                self._add(step, text, hint, *path)
        for name, value in (task.args or {}).items():
            try:
                await host.check_args({name: value})
            except UsageError as error:
                self._add(step, str(error), error.hint, "args", name)
        if step.action == "run":
            self._command(step, str(task.run))

    def _condition(self, seen: _Sight, key: str, condition: Expression, host: Host) -> None:
        more = ["this", *([seen.step.task.register] if seen.step.task.register else [])]
        for used in condition.names():
            is_variable = used.name in seen.scope or (key == "until" and used.name in more)
            if used.name in host.names or (is_variable and not used.is_state):
                continue
            kind = "state" if used.is_state else "variable, and no state"
            text = f"{key}: machine {host.id!r} has no {kind} {used.name!r}"
            if not used.is_state:
                text = f"{key}: {used.name!r} is no variable, and no state of {host.id!r}"
            hint = near(used.name, [*seen.scope, *host.names])
            self._walk.problems.append(seen.step.problem(text, hint, key, offset=used.offset))

    def _command(self, step: Step, line: str) -> None:
        try:
            words = split(line)
            if not words:
                raise UsageError("the line holds no command")
            command = registry.find(words[0])
            if command.interactive:
                raise UsageError(f"{command.name!r} is of use at a prompt only")
            parse(command, words[1:])
        except UsageError as error:
            self._add(step, str(error), error.hint, "run")

    def _add(self, step: Step, text: str, hint: str, *path: str | int) -> None:
        self._walk.problems.append(step.problem(text, hint, *path))


def _states(action: str, task: Task) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The states that a task names, each with where it does."""
    value = value_of(task, action)
    if isinstance(value, Assert):
        for key in ("active", "inactive", "ticks"):
            yield from _named((action, key), getattr(value, key))
    elif action == "when_time" or action not in ("pause", "run", "include"):
        yield from _named((action,), value)


def _named(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, dict):
        for name in value:
            yield (*path, name), name
    elif isinstance(value, list):
        for i, name in enumerate(value):
            yield (*path, i), name
    else:
        for name in states_of(value):
            yield path, name
