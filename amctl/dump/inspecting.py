"""Looking into a recording: the transitions that are asked for, as entries and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from amctl.dump import _jsonlines as records
from amctl.dump.copying import messages_of
from amctl.dump.following import Follower, state_name

if TYPE_CHECKING:
    import re
    from collections.abc import Collection, Iterator

    from amctl.dump.following import Entry
    from amctl.dump.model import Dump

__all__ = ["Query", "entry_json", "search"]


@dataclass(frozen=True, slots=True)
class Query:
    """Which transitions."""

    machines: Collection[str] | None = None
    """Of these; None: of all."""
    since_ns: int | None = None
    """Unix time of the first."""
    until_ns: int | None = None
    """Unix time of the first one after the last."""
    pattern: re.Pattern[str] | None = None
    """Found in the line of a transition, its id, its machine's, or a line of its log."""
    tx: str = ""
    """Only those with this id."""

    def fits(self, entry: Entry) -> bool:
        """Whether an entry is meant; its machine is."""
        tx = entry.tx
        if self.tx and tx.id != self.tx:
            return False
        if self.since_ns is not None and tx.time_ns < self.since_ns:
            return False
        if self.until_ns is not None and tx.time_ns >= self.until_ns:
            return False
        return self.pattern is None or any(map(self.pattern.search, _texts(entry)))


def _texts(entry: Entry) -> Iterator[str]:
    tx = entry.tx
    yield entry.line
    yield tx.id
    yield tx.machine_id
    for lines in (tx.pre_logs, tx.logs):
        yield from (line.text for line in lines)


def search(dump: Dump, query: Query) -> Iterator[Entry]:
    """The transitions that are meant, in the order of their arrival.

    What is left out counts too: each knows what was before it.
    """
    messages = messages_of(dump, machines=query.machines)
    return (entry for entry in Follower().entries(messages) if query.fits(entry))


def entry_json(entry: Entry) -> dict[str, Any]:
    """A transition as in jsonl recordings, with whole clocks, and with what it changed."""
    states = records.States(entry.names)
    line = records.tx_line(entry.tx, entry.position, states, entry.tx.clocks, {})
    made = msgspec.to_builtins(line)
    del made["kind"], made["n"]
    changes = entry.changes
    return {
        "machine": entry.tx.machine_id,
        "id": entry.tx.id,
        "position": entry.position,
        "type": line.type,
        "called": [],
        "accepted": True,
        **made,
        "added": [state_name(i, entry.names) for i in changes.added],
        "removed": [state_name(i, entry.names) for i in changes.removed],
        "ticked": [state_name(i, entry.names) for i in changes.ticked],
        "active": list(entry.active),
    }
