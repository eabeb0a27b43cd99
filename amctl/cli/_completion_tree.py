"""Where in a command line the cursor stands, read from the commands themselves.

Typer's own completion knows neither that the root's options may stand behind a command, nor the
values that are ours to offer; so the tree is walked here. The walk never fails: what it can't make
sense of is taken for a value, and leads to no proposals.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Candidate", "Place", "choices", "commands", "find", "locate", "options", "takes_value"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that may stand at the cursor."""

    value: str
    help: str = ""


@dataclass(slots=True)
class Place:
    """What has been typed before the cursor, and what is to be completed."""

    command: Any
    """The innermost command that was named."""
    params: list[Any]
    """Its parameters and the root's."""
    current: str
    """The word at the cursor, or of `--x=VALUE` the value."""
    prefix: str = ""
    """What stands in that word before the value: `--x=`."""
    path: tuple[str, ...] = ()
    """Names of the commands, outermost first."""
    words: list[str] = field(default_factory=list)
    """The positional words before it."""
    given: dict[str, list[str]] = field(default_factory=dict)
    """Parameter name -> values of the options before it; of switches empty texts."""
    pending: Any = None
    """The option whose value is wanted."""
    tail: list[str] | None = None
    """What stands behind `--`, if that was typed."""


def commands(command: Any) -> dict[str, Any]:
    """The visible commands of a group, by name; stubs if they are loaded late."""
    inner: dict[str, Any] = getattr(command, "commands", {})
    return {name: one for name, one in inner.items() if not one.hidden}


def takes_value(param: Any) -> bool:
    """Whether an option is followed by a value."""
    return not (param.is_flag or param.count)


def options(params: Sequence[Any]) -> Iterator[Any]:
    """Those that are options."""
    return (param for param in params if any(name.startswith("-") for name in param.opts))


def find(params: Sequence[Any], name: str) -> Any:
    """The option of that spelling, or None."""
    known = options(params)
    return next((p for p in known if name in p.opts or name in p.secondary_opts), None)


def choices(param: Any) -> list[str]:
    """The values that a parameter is limited to; empty if it isn't."""
    kinds = [getattr(getattr(param, "type_descriptor", None), "annotation", None)]
    while kinds:
        kind = kinds.pop()
        if isinstance(kind, type) and issubclass(kind, Enum):
            return [str(one.value) for one in kind]
        kinds += typing.get_args(kind)
    return []


def _real(group: Any, name: str) -> Any:
    """A command of a group, imported if it wasn't."""
    return group.resolve_command(None, [name])[1]


def locate(root: Any, words: Sequence[str], current: str) -> Place:
    """Walk the words between the program's name and the cursor."""
    place = Place(root, list(root.params), current)
    for index, word in enumerate(words):
        if place.pending is not None:
            place.given.setdefault(place.pending.name, []).append(word)
            place.pending = None
        elif word == "--":
            place.tail = list(words[index + 1 :])
            return place
        elif word.startswith("-") and len(word) > 1:
            _option(place, word)
        elif word in getattr(place.command, "commands", {}):
            place.command = _real(place.command, word)
            place.path = (*place.path, word)
            place.params = [*place.command.params, *root.params]
        else:
            place.words.append(word)
    _split(place)
    return place


def _option(place: Place, word: str) -> None:
    name, equals, value = word.partition("=")
    param = find(place.params, name)
    if param is None and not word.startswith("--"):
        param, value = _cluster(place, word)
        equals = value
    if param is None:
        return
    if not takes_value(param):
        place.given.setdefault(param.name, []).append("")
    elif equals:
        place.given.setdefault(param.name, []).append(value)
    else:
        place.pending = param


def _cluster(place: Place, word: str) -> tuple[Any, str]:
    """Of `-qdtmp`: the last option in it, and the value that sticks to it."""
    for index, letter in enumerate(word[1:], start=2):
        param = find(place.params, f"-{letter}")
        if param is None:
            return None, ""
        if takes_value(param) or index == len(word):
            return param, word[index:]
        place.given.setdefault(param.name, []).append("")
    return None, ""


def _split(place: Place) -> None:
    """`--x=va` at the cursor is the value `va` of `--x`."""
    name, equals, value = place.current.partition("=")
    if place.pending is None and equals and name.startswith("--"):
        param = find(place.params, name)
        if param is not None and takes_value(param):
            place.pending, place.prefix, place.current = param, f"{name}=", value
