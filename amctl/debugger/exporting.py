"""Writing a recording, or one moment of it, into a new file, in slices: a face stays awake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from amctl.dump.copying import messages_of
from amctl.dump.writing import new_writer
from amctl.telemetry.messages import GoneMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amctl.debugger.session import Session
    from amctl.telemetry.messages import Message

__all__ = ["ENDINGS", "NAME", "Export", "frame", "with_ending"]

NAME: Final = "am-dbg-dump"
"""Of the file, if a person says nothing else."""
ENDINGS: Final = (".jsonl.zst", ".sqlite", ".gob.br", ".jsonl", ".md", ".html")
"""Which formats there are; the first one is that of a name without any."""


def with_ending(name: str) -> str:
    """A file's name; one without an ending that is known gets the first."""
    return name if name.lower().endswith(ENDINGS) else f"{name}{ENDINGS[0]}"


def frame(session: Session, machine: str = "") -> Iterator[Message]:
    """The moment that is looked at: every machine with its one transition there, and its pipes.

    Args:
        session: Where one is.
        machine: Only this one.
    """
    store = session.store
    machines = [machine] if machine else list(store.machines)
    cursors = {id: session.cursor_at(id, session.moment) for id in machines}
    if session.machine in cursors:
        cursors[session.machine] = session.cursor
    for id, cursor in cursors.items():
        schema = store.schema(id, cursor)
        if schema is not None:
            yield schema
    found = [record for id, at in cursors.items() if (record := store.record(id, at)) is not None]
    yield from (record.tx for record in sorted(found, key=lambda record: record.wall_ns))
    for pipe in store.pipes:
        if pipe.time_ns <= session.moment and cursors.keys() & {pipe.source, pipe.target}:
            yield pipe
    for id, time_ns in store.gone.items():
        if id in cursors and time_ns <= session.moment:
            yield GoneMsg(id, time_ns)


class Export:
    """One file on its way. Call `step` until it is done, or `abandon`.

    Args:
        session: What is written, as it is now.
        path: The new file; its ending tells the format, see `with_ending`.
        single: Only the moment that is looked at.
        machine: Only this one.
        force: Replace what is there.

    Raises:
        DumpError: No such file can be written there.
    """

    def __init__(
        self,
        session: Session,
        path: str | Path,
        *,
        single: bool = False,
        machine: str = "",
        force: bool = False,
    ) -> None:
        self.path = with_ending(str(path))
        self.count = 0
        """Transitions that were written."""
        store = session.store
        self.total = len(store.machines) if single else store.count
        self.is_done = False
        self._writer = new_writer(self.path, force=force)
        only = (machine,) if machine else None
        self._messages = (
            frame(session, machine) if single else messages_of(store.dump, machines=only)
        )

    def step(self, most: int = 256) -> bool:
        """Write some more messages. True once the file is whole, and stands under its name.

        Raises:
            DumpError: It can't be written, or the recording can't be read. Nothing of it stays.
        """
        try:
            for _ in range(most):
                message = next(self._messages, None)
                if message is None:
                    self._writer.finish()
                    self.is_done = True
                    break
                self._writer.write(message)
                self.count += isinstance(message, TxMsg)
        except BaseException:
            self.abandon()
            raise
        return self.is_done

    def abandon(self) -> None:
        """Stop; nothing of the file stays."""
        if not self.is_done:
            self.is_done = True
            self._writer.abandon()
