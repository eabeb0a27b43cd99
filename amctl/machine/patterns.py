"""Which machines a person means: `rs-*,!rs-repl-*`, `parent:browser2`, `tag:rpc-server`.

Parts are joined by commas; one with `!` in front takes machines away again. A pattern of nothing
but such parts begins with all machines.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol, TypeVar

from amctl.machine.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["PatternError", "Subject", "exact_ids", "matching"]


class PatternError(MachineError, ValueError):
    """A regular expression in a pattern is none."""

    def __init__(self, pattern: str, problem: str) -> None:
        super().__init__(pattern, problem)
        self.pattern, self.problem = pattern, problem

    def __str__(self) -> str:
        return f"pattern {self.pattern!r:.200}: {self.problem}"


class Subject(Protocol):
    """What a pattern asks of a machine."""

    @property
    def id(self) -> str: ...
    @property
    def tags(self) -> Sequence[str]: ...
    @property
    def parent_id(self) -> str:
        """Empty if it has none."""

    def is_active(self, state: str) -> bool:
        """Whether it has the state, and it is active."""


S = TypeVar("S", bound=Subject)


def matching(machines: Iterable[S], pattern: str) -> list[S]:
    """The machines that fit, in their order; maybe none.

    Args:
        machines: Where to look; the first one is what `.` means.
        pattern: Globs on ids, `re:REGEX`, `tag:NAME`, `parent:ID`, `state:NAME` (active), `all`,
            `.` (the first one); leading `!` excludes. `re:` takes the rest, commas included.

    Raises:
        PatternError: A regular expression is bad.
    """
    known = list(machines)
    parts = _parts(pattern)
    everything = set(range(len(known)))
    chosen: set[int] = set()
    if parts and all(part.startswith("!") for part in parts):
        chosen = everything
    for part in parts:
        found = _fitting(known, part.removeprefix("!"))
        chosen = chosen - found if part.startswith("!") else chosen | found
    return [known[at] for at in sorted(chosen)]


def exact_ids(pattern: str) -> list[str]:
    """The parts of a pattern that name one machine each, without a wildcard."""
    parts = [part for part in _parts(pattern) if part not in (".", "all")]
    return [part for part in parts if not re.search(r"[!:*?\[]", part)]


def _parts(pattern: str) -> list[str]:
    match = re.search(r"(?:^|,)\s*(!?re:)", pattern)
    head, tail = (pattern[: match.start()], pattern[match.start(1) :]) if match else (pattern, "")
    parts = [part.strip() for part in head.split(",") if part.strip()]
    return [*parts, tail] if tail else parts


def _fitting(known: Sequence[Subject], part: str) -> set[int]:
    if part == ".":
        return {0} if known else set()
    fits = _test(part)
    return {at for at, machine in enumerate(known) if fits(machine)}


def _test(part: str) -> Callable[[Subject], bool]:
    kind, colon, value = part.partition(":")
    if colon and kind == "re":
        try:
            regex = re.compile(value)
        except re.error as error:
            raise PatternError(part, f"bad regular expression: {error}") from error
        return lambda machine: regex.search(machine.id) is not None
    if colon and kind == "tag":
        return lambda m: any(value in (tag, tag.partition(":")[0]) for tag in m.tags)
    if colon and kind == "parent":
        return lambda m: fnmatchcase(m.parent_id, value) if m.parent_id else value == ""
    if colon and kind == "state":
        return lambda m: m.is_active(value)
    if part == "all":
        return lambda _: True
    return lambda m: fnmatchcase(m.id, part)
