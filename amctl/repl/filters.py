"""The filters of `list` and the group commands (repl.md section 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.repl.errors import UsageError

if TYPE_CHECKING:
    from amctl.repl.peer import Fleet, Peer

__all__ = ["Filters", "listed"]


@dataclass(frozen=True, slots=True)
class Filters:
    """What machines must be like; all of it at once. What is left out lets all pass.

    Raises:
        UsageError: The regular expression is none, or a number is negative.
    """

    active: tuple[str, ...] = ()
    """It has all these states, and all are active."""
    inactive: tuple[str, ...] = ()
    """It has all these states, and all are inactive."""
    mtime_min: int = 0
    """Sum of ticks at least; 0 is off."""
    mtime_max: int = 0
    """Sum of ticks at most; 0 is off."""
    mtime_states: tuple[str, ...] = ()
    """Sum up these states only; one that a machine lacks counts nothing."""
    parent: str = ""
    """Id of its parent, where it runs."""
    id_regexp: str = ""
    """Is found in its id."""
    id_partial: str = ""
    id_prefix: str = ""
    id_suffix: str = ""
    limit: int = 0
    """Stop after so many machines; 0 is off."""
    from_: int = 0
    """Leave out addresses before this one, from 0."""
    connected_only: bool = False
    """L3: leave out those that are not connected now."""

    def __post_init__(self) -> None:
        try:
            re.compile(self.id_regexp)
        except re.error as error:
            raise UsageError(
                f"--id-regexp {self.id_regexp!r:.200}: bad regular expression: {error}",
                "quote it, and escape ( [ { * + ? . \\ with a backslash",
            ) from error
        for name in ("mtime_min", "mtime_max", "limit", "from_"):
            if getattr(self, name) < 0:
                flag = name.strip("_").replace("_", "-")
                raise UsageError(f"--{flag} {getattr(self, name)}: less than nothing", "0 is off")

    def fits(self, peer: Peer) -> bool:
        """Whether a machine that told its schema once passes; limit and from_ aside."""
        return self._fits_id(peer) and self._fits_time(peer) and self._fits_states(peer)

    def _fits_id(self, peer: Peer) -> bool:
        id = peer.id
        return (
            (not self.parent or peer.parent_id == self.parent)
            and (not self.id_regexp or re.search(self.id_regexp, id) is not None)
            and self.id_partial in id
            and id.startswith(self.id_prefix)
            and id.endswith(self.id_suffix)
        )

    def _fits_time(self, peer: Peer) -> bool:
        if not (self.mtime_min or self.mtime_max):
            return True
        net = peer.net
        if self.mtime_states:
            total = sum(
                net.tick(name) for name in dict.fromkeys(self.mtime_states) if net.has(name)
            )
        else:
            total = net.time_sum
        return total >= self.mtime_min and (not self.mtime_max or total <= self.mtime_max)

    def _fits_states(self, peer: Peer) -> bool:
        net = peer.net
        if not net.has((*self.active, *self.inactive)):
            return False
        return net.is_(self.active) and not any(net.is_(name) for name in self.inactive)


_ALL = Filters()


def listed(fleet: Fleet, filters: Filters = _ALL, *, no_schema: bool = False) -> list[Peer]:
    """The machines that pass, in the order of their addresses (L4).

    Without filters all that were ready once (L5). Evaluated in the order of L1.

    Args:
        fleet: Where to look.
        filters: What they must be like.
        no_schema: Also those that were never ready, of which nothing can be asked: only `from_`
            and `limit` hold for them (L2).
    """
    found: list[Peer] = []
    for peer in fleet.peers:
        if peer.index < filters.from_:
            continue
        if filters.limit and len(found) >= filters.limit:
            break
        if not peer.was_ready:
            if no_schema:
                found.append(peer)
        elif (peer.is_ready or not filters.connected_only) and filters.fits(peer):
            found.append(peer)
    return found
