"""From files to a playbook: read, checked against the models, includes put in line.

Whatever is wrong is told with its place and the value seen, all problems at once; nothing of a
playbook with a problem is ever run.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from amctl.repl.playbook._explaining import explained, kind
from amctl.repl.playbook.errors import PlaybookError, Problem, near
from amctl.repl.playbook.expressions import Expression
from amctl.repl.playbook.models import (
    ACTIONS,
    MUTATIONS,
    Assert,
    Play,
    Task,
    actions_of,
    states_of,
    value_of,
)
from amctl.repl.playbook.plan import Playbook, Section, Step
from amctl.repl.playbook.reading import Document, YamlPath, read, walk
from amctl.repl.playbook.templates import BadTemplateError, names_in

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["load"]

MOST_TASKS = 5000
"""Of one playbook, includes in line."""
_OF_INCLUDES = {"name", "include", "machines", "if", "tags", "vars", "loop"}
_TAKES_TIMEOUT = (*MUTATIONS, "when", "when_not", "when_time", "run")
_NAME = re.compile(r"[A-Za-z_]\w*")


def load(paths: Sequence[Path], cwd: Path | None = None) -> Playbook:
    """Read playbooks; their plays follow one another.

    Args:
        paths: The files.
        cwd: Where their names start from.

    Raises:
        PlaybookError: With every problem that was found.
    """
    loading = _Loading()
    sections = [section for path in paths for section in loading.file((cwd or Path()) / path, path)]
    if loading.problems:
        raise PlaybookError(sorted(loading.problems, key=lambda problem: problem.place))
    return Playbook(tuple(sections))


class _Loading:
    """Everything that is read for one playbook."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._documents: dict[Path, Document] = {}
        self._chain: list[Path] = []
        self._tasks = 0

    def file(self, path: Path, name: Path) -> list[Section]:
        """The plays of a file."""
        document = self._read(path, str(name))
        if document is None:
            return []
        if not isinstance(document.data, list):
            text = f"a playbook is a list of plays, not {kind(document.data)}"
            self._wrong(document, (), text, "begin each play with `- machines: ...`")
            return []
        self._chain = [path.resolve()]
        found = [self._play(document, (i,)) for i in range(len(document.data))]
        if not document.data:
            self._wrong(document, (), "holds no play", "begin with `- machines: ...`")
        return [section for section in found if section is not None]

    def _read(self, path: Path, name: str) -> Document | None:
        key = path.resolve()
        if key not in self._documents:
            try:
                self._documents[key] = read(path, name)
            except PlaybookError as error:
                self.problems += error.problems
                return None
        return self._documents[key]

    # -- plays

    def _play(self, document: Document, path: YamlPath) -> Section | None:
        data = document.at(path)
        if isinstance(data, dict) and "tasks" not in data and {*data} & {*ACTIONS}:
            hint = "put it under `tasks:` of a play, or `include` this file from a task"
            self._wrong(document, path, "a task stands where a play should", hint)
            return None
        tags = frozenset(_tags(data.get("tags"))) if isinstance(data, dict) else frozenset()
        steps = self._steps(document, path, "tasks", tags)
        on_failure = self._steps(document, path, "on_failure", tags)
        play = self._model(document, path, Play, {"tasks": steps, "on_failure": on_failure})
        if play is None:
            return None
        section = Section(play, document, path, steps or (), on_failure or ())
        self._templates(document, path, {**data, "tasks": None, "on_failure": None})
        self._variables(document, path, data)
        return section

    def _steps(
        self, document: Document, path: YamlPath, key: str, tags: frozenset[str]
    ) -> tuple[Step, ...] | None:
        """The tasks under a key; None if there is no list of them."""
        data = document.at((*path, key))
        if not isinstance(data, list):
            return None
        found = [self._step(document, (*path, key, i), tags) for i in range(len(data))]
        return tuple(step for step in found if step is not None)

    # -- tasks

    def _step(self, document: Document, path: YamlPath, tags: frozenset[str]) -> Step | None:
        self._tasks += 1
        if self._tasks > MOST_TASKS:
            if self._tasks == MOST_TASKS + 1:
                self._wrong(document, path, f"more than {MOST_TASKS} tasks, with all includes")
            return None
        data = document.at(path)
        own = _tags(data.get("tags")) if isinstance(data, dict) else []
        tags = tags.union(own)
        on_failure = self._steps(document, path, "on_failure", tags)
        task = self._model(document, path, Task, {"on_failure": on_failure})
        if task is None or not self._has_one_action(document, path, task):
            return None
        self._fields(document, path, task)
        self._templates(document, path, {**data, "on_failure": None})
        self._variables(document, path, data)
        inner = self._include(document, path, task, tags) if "include" in data else ()
        conditions = self._conditions(document, path, data)
        return Step(task, document, path, tags, inner, on_failure or (), conditions)

    def _has_one_action(self, document: Document, path: YamlPath, task: Task) -> bool:
        actions = [key for key in document.at(path) if key in actions_of(task)]
        if not actions:
            hint = f"one of: {', '.join(ACTIONS)}"
            self._wrong(document, path, "the task says nothing to do", hint)
        elif len(actions) > 1:
            place = document.key_place((*path, actions[1]))
            text = f"a task does one thing, and this one has {' and '.join(actions)}"
            self.problems.append(document.problem(place, text, "make several tasks of it"))
        return len(actions) == 1

    def _fields(self, document: Document, path: YamlPath, task: Task) -> None:
        """What doesn't go together."""
        action, given = actions_of(task)[0], document.at(path)
        refused: dict[str, str | None] = {
            "args": None if action in MUTATIONS else "only a mutation takes arguments",
            "timeout": None if action in _TAKES_TIMEOUT else f"{action} has no timeout",
            "delay": None
            if "until" in given or "retries" in given
            else "it stands between attempts: add `retries` or `until`",
        }
        if action == "include":
            text = "an include has none: put it into the tasks of its file"
            refused |= {key: text for key in given if key not in _OF_INCLUDES}
        for key, why in refused.items():
            if key in given and why:
                place = document.key_place((*path, key))
                self.problems.append(document.problem(place, f"{key!r} here: {why}"))
        if isinstance(task.assert_, Assert) and not given["assert"]:
            self._wrong(document, (*path, "assert"), "asserts nothing", "active, inactive, ticks")

    def _include(
        self, document: Document, path: YamlPath, task: Task, tags: frozenset[str]
    ) -> tuple[Step, ...]:
        """The tasks of another file."""
        where, word = (*path, "include"), str(value_of(task, "include"))
        if "{{" in word:
            text = "the file of an include is read before variables are known"
            self._wrong(document, where, text, "write its name, and use `if` to choose")
            return ()
        target = self._chain[-1].parent / word
        key = target.resolve()
        if key in self._chain:
            names = [each.name for each in (*self._chain[self._chain.index(key) :], key)]
            self._wrong(document, where, f"includes go in a circle: {' -> '.join(names)}")
            return ()
        if not target.is_file():
            others = [each.name for each in target.parent.glob("*.y*ml")]
            hint = near(target.name, others, "its name starts from the folder of this file")
            self._wrong(document, where, f"there is no file {word!r}", hint)
            return ()
        name = str(Path(document.file).parent / word)
        inner = self._read(target, name)
        if inner is None:
            return ()
        if not isinstance(inner.data, list) or not inner.data:
            text = f"an included file is a list of tasks, not {kind(inner.data)}"
            self._wrong(inner, (), text)
            return ()
        if isinstance(inner.data[0], dict) and "tasks" in inner.data[0]:
            hint = "name it on the command line: amctl play A.yml B.yml"
            self._wrong(inner, (0,), "a play stands where a task should", hint)
            return ()
        self._chain.append(key)
        found = [self._step(inner, (i,), tags) for i in range(len(inner.data))]
        self._chain.pop()
        return tuple(step for step in found if step is not None)

    # -- texts

    def _conditions(
        self, document: Document, path: YamlPath, data: dict[str, Any]
    ) -> dict[str, Expression | bool]:
        out: dict[str, Expression | bool] = {}
        for key in ("if", "until"):
            value = data.get(key)
            if isinstance(value, bool):
                out[key] = value
            elif isinstance(value, str):
                try:
                    out[key] = Expression(value)
                except BadTemplateError as error:
                    place = document.place((*path, key), error.offset)
                    hint = "as in: Ready and not Exception, go.result == 'executed'"
                    self.problems.append(document.problem(place, f"{key}: {error}", hint))
        return out

    def _templates(self, document: Document, path: YamlPath, data: dict[str, Any]) -> None:
        """See that all braces hold names."""
        for inner, text in walk({k: v for k, v in data.items() if k not in ("if", "until")}):
            try:
                for _ in names_in(text):
                    pass
            except BadTemplateError as error:
                place = document.place((*path, *inner), error.offset)
                hint = "a plain name: {{ name }} or {{ name.key }}"
                self.problems.append(document.problem(place, str(error), hint))

    def _variables(self, document: Document, path: YamlPath, data: dict[str, Any]) -> None:
        for name in data.get("vars") or ():
            if not _NAME.fullmatch(name):
                place = document.key_place((*path, "vars", name))
                text = f"{name!r:.60} is no name of a variable"
                self.problems.append(document.problem(place, text, "letters, digits and _"))

    # -- models

    def _model(
        self,
        document: Document,
        path: YamlPath,
        model: type[Any],
        parts: dict[str, tuple[Step, ...] | None],
    ) -> Any:
        """A model of the data at a path, with tasks that were read before; None if it is wrong."""
        data = document.at(path)
        if isinstance(data, dict):
            data = {**data, **{k: [s.task for s in v] for k, v in parts.items() if v is not None}}
            if parts.get("tasks") == () and document.at((*path, "tasks")):
                return None  # they are what is wrong
        try:
            return msgspec.convert(data, model)
        except msgspec.ValidationError as error:
            self.problems.append(explained(document, path, model, data, error))
            return None

    def _wrong(self, document: Document, path: YamlPath, text: str, hint: str = "") -> None:
        self.problems.append(document.problem(document.place(path), text, hint))


def _tags(value: Any) -> list[str]:
    return [tag for tag in states_of(value) if isinstance(tag, str)] if value else []
