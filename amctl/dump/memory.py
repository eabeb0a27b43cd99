"""A recording in memory: what the readers of whole files yield, and what tests write into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.dump.errors import UnknownMachineError
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from amctl.telemetry.messages import Message

__all__ = ["MemoryDump"]


class MemoryDump:
    """A recording whose messages are all in memory: a `Dump`, and a `DumpWriter` as well.

    The order of `write` is the order of arrival. It keeps the messages as they are given, so
    nobody may change one later.

    Args:
        name: Path or URL, for people.
        format: What the messages were read from.
        meta: What the file says of itself.
        messages: Messages to begin with.
    """

    def __init__(
        self,
        name: str = "",
        *,
        format: str = "memory",  # as the protocol calls it
        meta: Mapping[str, str] | None = None,
        messages: Iterable[Message] = (),
    ) -> None:
        self.name = name
        self.format = format
        self.meta: dict[str, str] = dict(meta or {})
        self._schemas: dict[str, list[tuple[int, SchemaMsg]]] = {}
        self._of: dict[str, list[TxMsg]] = {}
        self._all: list[TxMsg] = []
        self._pipes: list[PipeMsg] = []
        self._gaps: list[GapMsg] = []
        self._gone: dict[str, int] = {}
        for message in messages:
            self.write(message)

    def write(self, message: Message) -> None:
        """Add one message.

        Raises:
            UnknownMachineError: A transition of a machine whose schema was not written.
        """
        match message:
            case TxMsg():
                self._transitions_of(message.machine_id).append(message)
                self._all.append(message)
            case SchemaMsg():
                self._write_schema(message)
            case PipeMsg():
                self._pipes.append(message)
            case GapMsg():
                self._gaps.append(message)
            case GoneMsg():
                self._gone[message.machine_id] = message.time_ns

    def _write_schema(self, message: SchemaMsg) -> None:
        held = self._schemas.setdefault(message.machine_id, [])
        position = len(self._of.setdefault(message.machine_id, []))
        if held and held[-1][0] == position:  # no transition ever had the one before
            held.pop()
        held.append((position, message))
        self._gone.pop(message.machine_id, None)

    def machines(self) -> Sequence[str]:
        """Ids, in order of first appearance."""
        return tuple(self._schemas)

    def schema(self, machine: str) -> SchemaMsg:
        """The newest schema of a machine.

        Raises:
            UnknownMachineError: It isn't in the recording.
        """
        return self.schemas(machine)[-1][1]

    def schemas(self, machine: str) -> Sequence[tuple[int, SchemaMsg]]:
        """All schemas of a machine, each with the first position (in it) that it holds for.

        Raises:
            UnknownMachineError: It isn't in the recording.
        """
        self._transitions_of(machine)
        return tuple(self._schemas[machine])

    def count(self, machine: str | None = None) -> int:
        """How many transition messages, queued ones included.

        Raises:
            UnknownMachineError: It isn't in the recording.
        """
        return len(self._transitions_of(machine))

    def transitions(
        self, machine: str | None = None, start: int = 0, stop: int | None = None
    ) -> Iterator[TxMsg]:
        """Transition messages from `start` up to `stop`, of one machine or of all.

        Raises:
            UnknownMachineError: It isn't in the recording.
        """
        found = self._transitions_of(machine)
        end = len(found) if stop is None else min(stop, len(found))
        return (found[position] for position in range(max(start, 0), end))

    def pipes(self) -> Sequence[PipeMsg]:
        """Structured pipe records in order of arrival."""
        return tuple(self._pipes)

    def gaps(self) -> Sequence[GapMsg]:
        """What is known to be missing."""
        return tuple(self._gaps)

    def gone(self) -> Mapping[str, int]:
        """Disposed machines, with the Unix time in ns."""
        return dict(self._gone)

    def finish(self) -> None:
        """Nothing is left to do: what was written is there."""

    def abandon(self) -> None:
        """Forget everything that was written."""
        for held in (self._schemas, self._of, self._all, self._pipes, self._gaps, self._gone):
            held.clear()

    def close(self) -> None:
        """Nothing is held open."""

    def _transitions_of(self, machine: str | None) -> list[TxMsg]:
        if machine is None:
            return self._all
        try:
            return self._of[machine]
        except KeyError:
            raise UnknownMachineError(self.name or self.format, machine, [*self._of]) from None
