"""Variables in texts: `{{ name }}`, and nothing else that could compute.

A text that is one variable and nothing besides becomes its value, of whatever type; within other
words a value is written out. `{{ item.host }}` looks into a mapping.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "UNKNOWN",
    "BadTemplateError",
    "Lookup",
    "NotKnownError",
    "Unknown",
    "names_in",
    "render",
]

_ANY = re.compile(r"\{\{(.*?)\}\}|\{\{|\}\}")
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")


class Unknown:
    """What can't be known before it is done. It has no truth value."""

    def __bool__(self) -> bool:
        raise TypeError("nobody knows")

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()


class Lookup(Protocol):
    """Where the values of names come from."""

    def get(self, name: str) -> Any:
        """The value of a variable. Raises KeyError."""


class BadTemplateError(ValueError):
    """A text whose variables can't be read, or not be looked up.

    Args:
        problem: What is wrong.
        offset: Where in the text.
        name: The variable, if it is that one which isn't there.
    """

    def __init__(self, problem: str, offset: int = 0, name: str = "") -> None:
        super().__init__(problem, offset, name)
        self.problem, self.offset, self.name = problem, offset, name

    def __str__(self) -> str:
        return self.problem


class NotKnownError(BadTemplateError):
    """A variable has no value yet."""


def names_in(text: str) -> Iterator[tuple[str, int]]:
    """The variables of a text, each with its place in it.

    Raises:
        BadTemplateError: Something else than a name stands in braces.
    """
    for match in _ANY.finditer(text):
        inner = match[1]
        if inner is None:
            raise BadTemplateError(f"{match[0]!r} without its other end", match.start())
        name = inner.strip()
        if not _NAME.fullmatch(name):
            raise BadTemplateError(
                f"{match[0]!r:.60} holds no plain name of a variable", match.start()
            )
        yield name, match.start(1) + len(inner) - len(inner.lstrip())


def render(text: str, lookup: Lookup) -> Any:
    """What comes of a text when its variables are put in.

    Raises:
        NotKnownError: A variable is there, but nobody knows its value yet.
        BadTemplateError: A variable isn't there.
    """
    return _text(text, lookup) if "{{" in text or "}}" in text else text


def _text(text: str, lookup: Lookup) -> Any:
    found = [*names_in(text)]
    values, unknown = [], None
    for name, offset in found:
        try:
            values.append(_look(name, lookup, offset))
        except NotKnownError as error:  # one that isn't there at all is worse
            unknown = unknown or error
    if unknown is not None:
        raise unknown
    spans = [m.span() for m in _ANY.finditer(text)]
    if len(spans) == 1 and not text[: spans[0][0]].strip() and not text[spans[0][1] :].strip():
        return values[0]
    out, at = [], 0
    for (begin, end), value in zip(spans, values, strict=True):
        out += [text[at:begin], _written(value)]
        at = end
    return "".join([*out, text[at:]])


def _look(name: str, lookup: Lookup, offset: int) -> Any:
    first, *rest = name.split(".")
    try:
        value = lookup.get(first)
    except KeyError:
        raise BadTemplateError(f"undefined variable {first!r}", offset, first) from None
    for part in rest:
        if value is UNKNOWN:
            break
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise BadTemplateError(f"{first!r} has no {part!r}", offset) from None
    if value is UNKNOWN:
        raise NotKnownError(f"{name!r} is not known before the tasks have run", offset)
    return value


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return json.dumps(value)
