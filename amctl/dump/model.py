"""What every recording offers to its readers, whatever its format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from amctl.telemetry.messages import GapMsg, Message, PipeMsg, SchemaMsg, TxMsg

__all__ = ["Dump", "DumpWriter"]


class Dump(Protocol):
    """The read side of a recording. Machines are named by id; their order is stable.

    Positions of transitions count from 0: within one machine, or over all of them in the order of
    arrival. Use it from one thread, close it at the end.
    """

    @property
    def name(self) -> str:
        """Path or URL, for people."""
        ...

    @property
    def format(self) -> str:
        """`sqlite`, `gob.br`, `jsonl.zst` or `memory`."""
        ...

    @property
    def meta(self) -> Mapping[str, str]:
        """What the file says of itself: version, when it began, run id, ..."""
        ...

    def machines(self) -> Sequence[str]:
        """Ids, in order of first appearance."""
        ...

    def schema(self, machine: str) -> SchemaMsg:
        """The newest schema of a machine.

        Raises:
            UnknownMachineError: It isn't in the recording.
        """
        ...

    def schemas(self, machine: str) -> Sequence[tuple[int, SchemaMsg]]:
        """All schemas of a machine, each with the first position (in it) that it holds for."""
        ...

    def count(self, machine: str | None = None) -> int:
        """How many transition messages, queued ones included."""
        ...

    def transitions(
        self, machine: str | None = None, start: int = 0, stop: int | None = None
    ) -> Iterator[TxMsg]:
        """Transition messages from `start` up to `stop`, of one machine or of all.

        The file may grow meanwhile; what is yielded then is a consistent prefix.
        """
        ...

    def pipes(self) -> Sequence[PipeMsg]:
        """Structured pipe records in order of arrival; empty in recordings of the original."""
        ...

    def gaps(self) -> Sequence[GapMsg]:
        """What is known to be missing."""
        ...

    def gone(self) -> Mapping[str, int]:
        """Disposed machines, with the Unix time in ns."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class DumpWriter(Protocol):
    """The write side. A machine's schema comes before its transitions."""

    def write(self, message: Message) -> None:
        """Add one message.

        Raises:
            UnknownMachineError: A transition of a machine whose schema was not written.
        """
        ...

    def finish(self) -> None:
        """Complete the file. Without it, nothing stands under the final name."""
        ...

    def abandon(self) -> None:
        """Throw away what was written."""
        ...
