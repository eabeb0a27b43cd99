"""Which machines a pattern means, and what to say if there are none (repl.md section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.machine.patterns import PatternError, exact_ids, matching
from amctl.repl.errors import (
    NothingMatchedError,
    NothingRunsError,
    UnreachableError,
    UsageError,
)
from amctl.repl.finding import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amctl.repl.peer import Fleet, Peer

__all__ = ["find", "select"]


class _Subject:
    """A machine as patterns see it."""

    __slots__ = ("id", "parent_id", "peer", "tags")

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.id, self.parent_id, self.tags = peer.id, peer.parent_id, peer.tags

    def is_active(self, state: str) -> bool:
        net = self.peer.net
        return net.has(state) and net.is_(state)


def find(peers: Iterable[Peer], pattern: str) -> list[Peer]:
    """Those of some machines that a pattern means, in their order; maybe none.

    S5: an exact id means the first machine that has it.

    Raises:
        UsageError: The pattern holds a bad regular expression, or nothing.
    """
    if not pattern.strip(", "):
        raise UsageError("no machine is named", "a machine's id, `.` for the first one, or `all`")
    subjects = [_Subject(peer) for peer in peers]
    try:
        chosen = matching(subjects, pattern)
    except PatternError as error:
        raise UsageError(str(error), "quote it, and escape ( [ { with a backslash") from error
    if not _is_exact(pattern):
        return [one.peer for one in chosen]
    firsts: dict[str, Peer] = {}
    for one in chosen:
        firsts.setdefault(one.id, one.peer)
    return list(firsts.values())


def select(fleet: Fleet, pattern: str) -> list[Peer]:
    """The connected machines that a pattern means, in the order of their addresses; at least one.

    S2: `.` is the first one that is connected.

    Raises:
        UsageError: See `find`.
        NothingRunsError: No machine is connected.
        UnreachableError: One is named by its id, and isn't connected.
        NothingMatchedError: Nothing fits, or no machine has an id that is named.
    """
    ready = [peer for peer in fleet.peers if peer.is_ready]
    chosen = find(ready, pattern)
    _check_named(fleet, ready, exact_ids(pattern))
    if not ready:
        raise NothingRunsError(*_nowhere(fleet.peers))
    if not chosen:
        raise NothingMatchedError(pattern, known_ids(fleet))
    return chosen


def known_ids(fleet: Fleet) -> list[str]:
    """Ids of all machines that were ever connected, in order."""
    return list(dict.fromkeys(peer.id for peer in fleet.peers if peer.id))


def _check_named(fleet: Fleet, ready: Sequence[Peer], named: Sequence[str]) -> None:
    there = {peer.id for peer in ready}
    for name in named:
        if name in there:
            continue
        for peer in fleet.peers:
            if name == (peer.id or name_of(peer.key)):
                raise UnreachableError(name, peer.problem or "it is being dialled")
        if ready:
            raise NothingMatchedError(name, known_ids(fleet))


def _nowhere(peers: Sequence[Peer]) -> tuple[str, str]:
    if not peers:
        return "any address", "there is no address"
    first = peers[0]
    more = f" (and {len(peers) - 1} more)" if len(peers) > 1 else ""
    return f"{first.addr or first.key}{more}", first.problem or "no answer yet"


def _is_exact(pattern: str) -> bool:
    return len(exact_ids(pattern)) == len([part for part in pattern.split(",") if part.strip()])
