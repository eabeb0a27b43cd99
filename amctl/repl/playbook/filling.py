"""Variables put into tasks: what comes out is checked against the models once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from amctl.repl.playbook._explaining import explained
from amctl.repl.playbook.errors import PlaybookError, near
from amctl.repl.playbook.models import Task, states_of
from amctl.repl.playbook.templates import UNKNOWN, BadTemplateError, NotKnownError, render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.repl.playbook.plan import Section, Step
    from amctl.repl.playbook.reading import YamlPath
    from amctl.repl.playbook.variables import Scope

__all__ = ["MOST_ROUNDS", "enter", "fill", "items", "pattern", "share", "titled"]

MOST_ROUNDS = 10_000
"""Of one loop."""
_LATER = ("if", "until", "vars", "loop", "on_failure", "register", "tags")


def enter(owner: Step | Section, scope: Scope, variables: Mapping[str, Any] | Any) -> Scope:
    """The scope within a play or task that has `vars`; they may stand on variables before them.

    One that stands on what isn't known yet is unknown itself.

    Raises:
        PlaybookError: A variable isn't there.
    """
    if not variables:
        return scope
    layer: dict[str, Any] = {}
    inside = scope.inside(layer)
    for name, value in variables.items():
        try:
            layer[name] = _filled(owner, value, ("vars", name), inside)
        except NotKnownError:
            layer[name] = UNKNOWN
    return inside


def items(step: Step, scope: Scope) -> list[Any] | None:
    """The values of a task's loop; None if it has none.

    Raises:
        PlaybookError: It isn't a list or a number, or is too long.
        NotKnownError: Nobody knows yet.
    """
    if step.task.loop is UNSET:
        return None
    value: Any = _filled(step, step.task.loop, ("loop",), scope)
    text = value.strip() if isinstance(value, str) else ""
    if text.isdecimal() and len(text) < 9:
        value = int(text)  # `-e rounds=20` is a text
    problem = f"a loop needs a list or a number, not {value!r:.60}"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        problem = f"a loop goes round at most {MOST_ROUNDS} times, not {value}"
        value = list(range(1, value + 1)) if value <= MOST_ROUNDS else None
    if isinstance(value, list):
        return value
    raise PlaybookError([step.problem(problem, "", "loop")])


def fill(step: Step, scope: Scope) -> Task:
    """The task with its variables put in.

    Raises:
        PlaybookError: A variable isn't there, or its value doesn't fit.
        NotKnownError: Nobody knows a variable yet.
    """
    data = step.document.at(step.path)
    if not _has_variables(data):
        return step.task
    later: list[NotKnownError] = []
    filled = {
        key: value if key in _LATER else _filled(step, value, (key,), scope, later)
        for key, value in data.items()
    }
    if later:
        raise later[0]
    filled.pop("on_failure", None)
    filled.pop("loop", None)
    try:
        return msgspec.convert(_numbers(filled), Task)
    except msgspec.ValidationError as error:
        raise PlaybookError([explained(step.document, step.path, Task, filled, error)]) from None


def pattern(owner: Step | Section, value: Any, scope: Scope) -> str:
    """The machines that a play or task names, as one pattern. Raises PlaybookError."""
    words = _filled(owner, list(states_of(value)), ("machines",), scope)
    flat = [one for word in words for one in (word if isinstance(word, list) else [word])]
    return ",".join(map(str, flat))


def share(section: Section, scope: Scope, total: int) -> int:
    """How many of a play's machines are worked on at a time. Raises PlaybookError."""
    value = section.play.serial
    if value is UNSET:
        return max(1, total)
    value = _filled(section, value, ("serial",), scope)
    text = str(value).strip()
    digits = text.removesuffix("%")
    if digits.isdecimal() and int(digits) > 0:
        count = int(digits) * total // 100 if text.endswith("%") else int(digits)
        return max(1, count)
    problem = f"'serial' has to be a number or a share of the machines, not {value!r:.60}"
    raise PlaybookError([section.problem(problem, 'such as 2, or "50%"', "serial")])


def titled(owner: Step | Section, scope: Scope) -> str:
    """What to call a play or a task; its name with its variables put in, as far as they are known.

    Raises nothing.
    """
    try:
        return str(render(owner.title, scope))
    except BadTemplateError:
        return owner.title


def _has_variables(value: Any) -> bool:
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, dict):
        return any(_has_variables(k) or _has_variables(v) for k, v in value.items())
    return isinstance(value, list) and any(map(_has_variables, value))


def _filled(
    owner: Step | Section,
    value: Any,
    path: YamlPath,
    scope: Scope,
    later: list[NotKnownError] | None = None,
) -> Any:
    """A value with its variables put in; what goes wrong is told with its place.

    With `later`, what isn't known yet is noted there, and the rest is looked at all the same.
    """
    if isinstance(value, list):
        return [_filled(owner, one, (*path, i), scope, later) for i, one in enumerate(value)]
    if isinstance(value, dict):
        pairs = [
            (_filled(owner, key, (*path, key), scope, later), (key, one))
            for key, one in value.items()
        ]
        return {
            str(name): _filled(owner, one, (*path, key), scope, later) for name, (key, one) in pairs
        }
    if not isinstance(value, str):
        return value
    try:
        return render(value, scope)
    except NotKnownError as error:
        if later is None:
            raise
        later.append(error)
        return UNKNOWN
    except BadTemplateError as error:
        hint = near(error.name, scope, f"define it: -e {error.name}=VALUE") if error.name else ""
        raise PlaybookError([owner.problem(str(error), hint, *path, offset=error.offset)]) from None


def _numbers(data: dict[str, Any]) -> dict[str, Any]:
    """`-e tries=3` is a text, and meant as a number where a number is needed; a name is a text."""
    out = dict(data)
    if isinstance(text := out.get("retries"), str) and text.strip().isdecimal():
        out["retries"] = int(text)
    if isinstance(out.get("name"), int | float):
        out["name"] = str(out["name"])
    return out
