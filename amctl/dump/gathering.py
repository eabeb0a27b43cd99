"""A stream of messages as a recording that can be asked: in memory, or in a file if it is large."""

from __future__ import annotations

import tempfile
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.dump.memory import MemoryDump
from amctl.dump.sqlite import SqliteDump, SqliteWriter
from amctl.telemetry.messages import SchemaMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from amctl.dump.model import Dump
    from amctl.telemetry.messages import Message

__all__ = ["ROOM", "TemporaryDump", "gather"]

ROOM = 10_000_000
"""Numbers and texts that are kept in memory, a few hundred MB at most."""


class TemporaryDump(SqliteDump):
    """One whose file goes when it is closed.

    Args:
        folder: Holds the file.
        path: The file.
        name: What people call it.
        format: What it was made from.
        meta: What that said of itself; None: what the file says.
    """

    def __init__(
        self,
        folder: tempfile.TemporaryDirectory[str],
        path: Path,
        name: str,
        *,
        format: str = "sqlite",  # as the protocol calls it
        meta: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path
        """The file."""
        self._folder = folder
        try:
            super().__init__(path, name)
        except BaseException:
            folder.cleanup()
            raise
        self.format = format
        self._meta = meta

    @property
    def meta(self) -> Mapping[str, str]:
        """What the recording says of itself."""
        return super().meta if self._meta is None else self._meta

    def close(self) -> None:
        """Remove the file."""
        super().close()
        self._folder.cleanup()


def gather(
    messages: Iterable[Message],
    name: str,
    format: str,
    meta: Mapping[str, str],
    *,
    room: int = ROOM,
    say: Callable[[str], None] | None = None,
) -> Dump:
    """Take a whole stream of messages in.

    Args:
        messages: In an order that a `DumpWriter` takes.
        name: What people call the recording.
        format: What it is read from.
        meta: What it says of itself.
        room: How much to keep in memory; beyond it, all goes into a temporary file.
        say: Told if it goes there.

    Raises:
        DumpError: Reading or writing fails.
    """
    held = 0
    last: tuple[int, ...] = ()
    stream = iter(messages)
    kept: deque[Message] = deque()
    for message in stream:
        kept.append(message)
        held += _weight(message)
        if isinstance(message, TxMsg) and message.clocks is not last:
            last = message.clocks
            held += len(last)
        if held > room:
            if say is not None:
                say(f"{name} is large: it is unpacked into a temporary file")
            return _spilled(kept, stream, name, format, meta)
    return MemoryDump(name, format=format, meta=meta, messages=kept)


def _weight(message: Message) -> int:
    """What a message needs in memory, roughly, its clocks aside: in words of 8 bytes or so."""
    if isinstance(message, TxMsg):
        return 30 + 12 * len(message.steps) + 6 * (len(message.logs) + len(message.pre_logs))
    if isinstance(message, SchemaMsg):
        lists = (len(s.require) + len(s.add) + len(s.remove) for s in message.states.values())
        return 50 + 20 * len(message.names) + 8 * sum(lists)
    return 30


def _spilled(
    kept: deque[Message],
    rest: Iterable[Message],
    name: str,
    format: str,
    meta: Mapping[str, str],
) -> Dump:
    folder = tempfile.TemporaryDirectory(prefix="amctl-")
    path = Path(folder.name) / "unpacked.sqlite"
    writer = SqliteWriter(path, name)
    try:
        while kept:  # memory is given back while the file grows
            writer.write(kept.popleft())
        for message in rest:
            writer.write(message)
        writer.finish()
    except BaseException:
        writer.abandon()
        folder.cleanup()
        raise
    return TemporaryDump(folder, path, name, format=format, meta=meta)
