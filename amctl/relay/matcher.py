"""Matchers: code of this process that takes a peer's connection instead of a TCP port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Awaitable, Callable, Sequence

    from amctl.rpc.transports.base import Connection

__all__ = ["Matcher", "find_matcher"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """Hands the connections of some ids to `accept`."""

    pattern: re.Pattern[str]
    """Searched in the id of the path; anchor it."""
    accept: Callable[[str, Connection], Awaitable[None]]
    """Gets id and connection, starts it, and returns when that connection is over.

    Several calls run at once. What it raises closes the WebSocket with code 1011 and the error's
    text as the reason. It is cancelled if it outlives the connection by the flush timeout.
    """


def find_matcher(matchers: Sequence[Matcher], machine_id: str) -> Matcher | None:
    """Return the first matcher for an id."""
    return next((matcher for matcher in matchers if matcher.pattern.search(machine_id)), None)
