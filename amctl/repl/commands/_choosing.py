"""Which machines a pattern or filters mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amctl.machine.patterns import PatternError, matching
from amctl.repl.errors import NothingMatchedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.repl.peer import Fleet, Peer

__all__ = ["filtered", "select"]


@dataclass
class _Subject:
    peer: Peer

    @property
    def id(self) -> str:
        return self.peer.id

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(self.peer.tags)

    @property
    def parent_id(self) -> str:
        return self.peer.parent_id

    def is_active(self, state: str) -> bool:
        return self.peer.net.is_(state)


def select(fleet: Fleet, pattern: str) -> list[Peer]:
    """Connected machines that fit a pattern, in address order."""
    ready = [peer for peer in fleet.peers if peer.is_ready]
    try:
        found = [subject.peer for subject in matching(map(_Subject, ready), pattern)]
    except PatternError as error:
        raise UsageError(str(error)) from None
    if not found:
        raise NothingMatchedError(pattern, [peer.id for peer in ready])
    return found


def filtered(fleet: Fleet, values: Mapping[str, Any]) -> list[Peer]:
    """Machines that have answered once and pass the filters of a command's values."""
    try:
        regexp = re.compile(values["id_regexp"])
    except re.error as error:
        raise UsageError(f"--id-regexp: {error}") from None

    def fits(peer: Peer) -> bool:
        net, on, off = peer.net, values["active"], values["inactive"]
        time = sum(net.time(values["mtime_states"] or None))
        return (
            regexp.search(peer.id) is not None
            and values["id_partial"] in peer.id
            and peer.id.startswith(values["id_prefix"])
            and peer.id.endswith(values["id_suffix"])
            and values["parent"] in ("", peer.parent_id)
            and time >= values["mtime_min"]
            and (not values["mtime_max"] or time <= values["mtime_max"])
            and net.is_(on)
            and net.has(off)
            and not any(map(net.is_, off))
        )

    found = [p for p in fleet.peers if p.index >= values["from"] and p.was_ready and fits(p)]
    return found[: values["limit"]] if values["limit"] else found
