"""A playbook that was read: its plays and tasks, each with its place, includes in line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amctl.repl.playbook.models import MUTATIONS, actions_of, states_of, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amctl.repl.playbook.errors import Place, Problem
    from amctl.repl.playbook.expressions import Expression
    from amctl.repl.playbook.models import Play, Task
    from amctl.repl.playbook.reading import Document, YamlPath

__all__ = ["Playbook", "Section", "Step", "Tagged"]


@dataclass(frozen=True, slots=True)
class Tagged:
    """Which tasks are run.

    Attributes:
        only: Tags of which a task needs one; empty: none is needed.
        skip: Tags of which a task may have none.
    """

    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()

    def takes(self, step: Step) -> bool:
        """Whether a task, or one within an include, is to be run."""
        if step.inner:
            return any(map(self.takes, step.inner))
        return (not self.only or bool(self.only & step.tags)) and not self.skip & step.tags


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One task."""

    task: Task
    document: Document
    path: YamlPath
    tags: frozenset[str] = frozenset()
    """Its own, and those of the play and the includes around it."""
    inner: tuple[Step, ...] = ()
    """Of an include: the tasks of its file."""
    on_failure: tuple[Step, ...] = ()
    conditions: Mapping[str, Expression | bool] = field(default_factory=dict)
    """`if` and `until`, as far as there are any."""

    @property
    def action(self) -> str:
        """What it does: one of ACTIONS."""
        return actions_of(self.task)[0]

    @property
    def mutates(self) -> bool:
        """Whether its action is a mutation."""
        return self.action in MUTATIONS

    @property
    def title(self) -> str:
        """Its name, or else what it does."""
        if self.task.name:
            return self.task.name
        value = value_of(self.task, self.action)
        if self.action in (*MUTATIONS, "when", "when_not"):
            return f"{self.action} {' '.join(states_of(value))}"
        if isinstance(value, dict):
            return f"{self.action} {' '.join(value)}"
        return f"{self.action} {value}" if isinstance(value, str | int | float) else self.action

    def place(self, *path: str | int, offset: int | None = None) -> Place:
        """Where it stands, or a value within it."""
        return self.document.place((*self.path, *path), offset)

    def problem(
        self, text: str, hint: str = "", *path: str | int, offset: int | None = None
    ) -> Problem:
        """Something that is wrong with it, or with a value within it."""
        return self.document.problem(self.place(*path, offset=offset), text, hint)


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One play."""

    play: Play
    document: Document
    path: YamlPath
    steps: tuple[Step, ...]
    on_failure: tuple[Step, ...] = ()

    @property
    def title(self) -> str:
        """Its name, or else its machines."""
        return self.play.name or ", ".join(states_of(self.play.machines))

    def problem(
        self, text: str, hint: str = "", *path: str | int, offset: int | None = None
    ) -> Problem:
        """Something that is wrong with it, or with a value within it."""
        place = self.document.place((*self.path, *path), offset)
        return self.document.problem(place, text, hint)


@dataclass(frozen=True, slots=True)
class Playbook:
    """Plays in their order, of one file or of several."""

    sections: tuple[Section, ...]

    def steps(self) -> Iterator[Step]:
        """All tasks that do something, those of includes and failures among them."""
        for section in self.sections:
            yield from _flat((*section.steps, *section.on_failure))


def _flat(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        if step.inner:
            yield from _flat(step.inner)
        else:
            yield step
        yield from _flat(step.on_failure)
