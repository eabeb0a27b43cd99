"""A recording as one stream of messages again, whole or in part, and from one file to another."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from amctl.telemetry.messages import GoneMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from amctl.dump.model import Dump, DumpWriter
    from amctl.telemetry.messages import GapMsg, Message, PipeMsg, SchemaMsg

__all__ = ["copy", "messages_of"]

_TELL_EVERY = 5_000
"""Transitions between two words about the progress."""


class _Schemas:
    """The schemas of one machine, given out as its transitions reach them."""

    def __init__(self, dump: Dump, machine: str) -> None:
        self._left = deque(dump.schemas(machine))
        self._position = 0
        self.first = self._left.popleft()[1]

    def due(self) -> SchemaMsg | None:
        """A newer schema that holds for the machine's next transition."""
        found = None
        while self._left and self._left[0][0] <= self._position:
            found = self._left.popleft()[1]
        self._position += 1
        return found

    def last(self) -> SchemaMsg | None:
        """The newest one, if no transition has reached it."""
        return self._left[-1][1] if self._left else None


def messages_of(
    dump: Dump,
    *,
    machines: Collection[str] | None = None,
    since: int | None = None,
    until: int | None = None,
) -> Iterator[Message]:
    """All messages in an order that a `DumpWriter` takes, one at a time.

    First comes a schema of each machine, then transitions in the order of their arrival. Later
    schemas, pipes and gaps stand where they belong by position and time; who is gone is said last.

    Args:
        dump: Where from.
        machines: Only these; a pipe belongs to both its ends.
        since: Only from this time on, in ns of Unix time.
        until: And only before this one.
    """
    wanted = [m for m in dump.machines() if machines is None or m in machines]
    schemas = {machine: _Schemas(dump, machine) for machine in wanted}
    yield from (held.first for held in schemas.values())
    aside = _Aside(dump, machines, since, until)
    for tx in dump.transitions(wanted[0] if len(wanted) == 1 else None):
        held = schemas.get(tx.machine_id)
        if held is None:
            continue
        due = held.due()
        if due is not None:
            yield due
        if _within(tx.time_ns, since, until):
            yield from aside.up_to(tx.time_ns)
            yield tx
    yield from (left for held in schemas.values() if (left := held.last()) is not None)
    yield from aside.rest()
    for machine, time_ns in dump.gone().items():
        if (machines is None or machine in machines) and _within(time_ns, None, until):
            yield GoneMsg(machine, time_ns)


def _within(time_ns: int, since: int | None, until: int | None) -> bool:
    return (since is None or time_ns >= since) and (until is None or time_ns < until)


class _Aside:
    """Pipes and gaps, which have no position among the transitions."""

    def __init__(
        self, dump: Dump, machines: Collection[str] | None, since: int | None, until: int | None
    ) -> None:
        self._pipes = deque(
            pipe
            for pipe in dump.pipes()
            if (machines is None or pipe.source in machines or pipe.target in machines)
            and _within(pipe.time_ns, None, until)  # an older pipe is still there
        )
        self._gaps = deque(
            gap
            for gap in dump.gaps()
            if (machines is None or not gap.machine_id or gap.machine_id in machines)
            and (since is None or not gap.until_ns or gap.until_ns >= since)
            and _within(gap.since_ns, None, until)
        )

    def up_to(self, time_ns: int) -> Iterator[PipeMsg | GapMsg]:
        while self._pipes and self._pipes[0].time_ns <= time_ns:
            yield self._pipes.popleft()
        while self._gaps and max(self._gaps[0].since_ns, self._gaps[0].until_ns) <= time_ns:
            yield self._gaps.popleft()

    def rest(self) -> Iterator[PipeMsg | GapMsg]:
        yield from self._pipes
        yield from self._gaps


def copy(
    dump: Dump,
    writer: DumpWriter,
    *,
    machines: Collection[str] | None = None,
    since: int | None = None,
    until: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write a recording, whole or in part, without ever holding more of it than one message.

    Args:
        dump: Where from.
        writer: Where to; it is neither finished nor abandoned.
        machines: Only these.
        since: Only from this time on, in ns of Unix time.
        until: And only before this one.
        progress: Told transitions done, and those of the whole recording, now and then.

    Returns:
        How many transitions were written.
    """
    total = dump.count()
    count = 0
    for message in messages_of(dump, machines=machines, since=since, until=until):
        writer.write(message)
        if isinstance(message, TxMsg):
            count += 1
            if progress is not None and count % _TELL_EVERY == 0:
                progress(count, total)
    if progress is not None:
        progress(total, total)
    return count
