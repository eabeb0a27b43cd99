"""Which machines a person means: `rs-*,!rs-repl-*`, `parent:browser2`, `tag:rpc-server`.

Parts are joined by commas; one with `!` in front takes machines away again. A pattern of nothing
but such parts begins with all machines.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from amctl.graph.errors import NothingMatchedError, PatternError

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.graph.model import Graph, GraphMachine

__all__ = ["matching"]


def matching(graph: Graph, pattern: str) -> list[str]:
    """Ids of the known machines that fit, in the graph's order.

    Args:
        graph: Where to look.
        pattern: Globs on ids, `re:REGEX`, `tag:NAME`, `parent:ID`, `state:NAME` (active), `all`,
            `.` (the first one); leading `!` excludes. `re:` takes the rest, commas included.

    Raises:
        NothingMatchedError: Nothing fits.
        PatternError: A regular expression is bad.
    """
    known = [machine for machine in graph.machines.values() if machine.known]
    first = known[0].id if known else ""
    parts = _parts(pattern)
    chosen: set[str] = set()
    if parts and all(part.startswith("!") for part in parts):
        chosen = {machine.id for machine in known}
    for part in parts:
        fits = _test(part.removeprefix("!"), first)
        found = {machine.id for machine in known if fits(machine)}
        chosen = chosen - found if part.startswith("!") else chosen | found
    if not chosen:
        raise NothingMatchedError(pattern, [machine.id for machine in known])
    return [machine.id for machine in known if machine.id in chosen]


def _parts(pattern: str) -> list[str]:
    match = re.search(r"(?:^|,)\s*(!?re:)", pattern)
    head, tail = (pattern[: match.start()], pattern[match.start(1) :]) if match else (pattern, "")
    parts = [part.strip() for part in head.split(",") if part.strip()]
    return [*parts, tail] if tail else parts


def _test(part: str, first: str) -> Callable[[GraphMachine], bool]:
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
        return lambda m: fnmatchcase(m.parent, value) if m.parent else value == ""
    if colon and kind == "state":
        return lambda m: any(s.is_active for s in m.states if s.name == value)
    if part in (".", "all"):
        return lambda m: part == "all" or m.id == first
    return lambda m: fnmatchcase(m.id, part)
