"""Lists of state names, and names of handlers (NAM-8, NAM-9).

Lists are short and ordered; what comes back is always a new tuple.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "equal",
    "filter_index",
    "filter_match",
    "filter_prefix",
    "handler_states",
    "hashed",
    "prefixed",
    "shared",
    "tag_number",
    "tag_value",
    "union",
    "without",
]

_SUFFIXES = ("Enter", "Exit", "State", "End", "Any")


def union(*lists: Iterable[str]) -> tuple[str, ...]:
    """Each name once, where it stands first."""
    return tuple(dict.fromkeys(name for names in lists for name in names))


def without(names: Iterable[str], *lists: Iterable[str]) -> tuple[str, ...]:
    """The names that are in none of the other lists, in their order.

    # differs from Go, whose deletion skips the first list of those to delete (NAM-8).
    """
    gone = {name for others in lists for name in others}
    return tuple(name for name in names if name not in gone)


def shared(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """The names that are in both lists, in the order of the first."""
    there = set(others)
    return tuple(name for name in names if name in there)


def equal(names: Iterable[str], others: Iterable[str], *, ordered: bool = False) -> bool:
    """Whether both have the same names; in the same order, if asked for."""
    if ordered:
        return tuple(names) == tuple(others)
    return set(names) == set(others)


def prefixed(names: Iterable[str], prefix: str) -> tuple[str, ...]:
    """All of them with a prefix."""
    return tuple(prefix + name for name in names)


def filter_prefix(names: Iterable[str], prefix: str) -> tuple[str, ...]:
    """Those that start with a prefix."""
    return tuple(name for name in names if name.startswith(prefix))


def filter_match(names: Iterable[str], pattern: str) -> tuple[str, ...]:
    """Those in which a regular expression is found.

    Raises:
        ValueError: The expression makes no sense.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    return tuple(name for name in names if compiled.search(name))


def filter_index(names: Sequence[str], indexes: Iterable[int]) -> tuple[str, ...]:
    """Those at certain places; a place that there isn't has none."""
    return tuple(names[i] for i in indexes if 0 <= i < len(names))


def hashed(names: Iterable[str]) -> str:
    """Four hex digits that differ when the names or their order do."""
    return hashlib.md5(",".join(names).encode(), usedforsecurity=False).hexdigest()[:4]


def handler_states(states: Iterable[str], handler: str) -> tuple[str, str]:
    """The states that a handler's name tells of; empty where it tells of none or one.

    `FooEnter` and `AnyFoo` are about Foo, `FooBar` about Foo and Bar; AnyEnter and AnyState are
    about no state of their own.
    """
    known = set(states)
    for suffix in _SUFFIXES:
        if handler.endswith(suffix) and (name := handler[: -len(suffix)]) in known:
            return name, ""
    if handler.startswith("Any") and handler[3:] in known:
        return handler[3:], ""
    for cut in range(1, len(handler)):
        if handler[:cut] in known and handler[cut:] in known:
            return handler[:cut], handler[cut:]
    return "", ""


def tag_value(tags: Iterable[str], key: str) -> str:
    """What follows `key:` in a tag, or the key itself for a bare tag; empty without one."""
    for tag in tags:
        if tag == key:
            return key
        if tag.startswith(f"{key}:"):
            return tag[len(key) + 1 :]
    return ""


def tag_number(tags: Iterable[str], key: str) -> int:
    """The number that follows `key:`; -1 without one."""
    value = tag_value(tags, key)
    return int(value) if re.fullmatch(r"-?[0-9]+", value) else -1
