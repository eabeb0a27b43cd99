"""Recordings -> `NAME.gob.br`, for the original's tools."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.dump.errors import DumpFormatError, DumpFullError
from amctl.dump.gob.convert import schema_to_fields, tx_to_fields
from amctl.dump.gob.encoder import GobValueError, encode_stream
from amctl.dump.gob.inflate import deflate
from amctl.dump.gob.layout import DUMP, TYPES
from amctl.dump.gob.weaving import woven
from amctl.dump.memory import MemoryDump

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amctl.dump.model import Dump
    from amctl.telemetry.messages import Message, SchemaMsg, TxMsg

__all__ = ["GobWriter", "encode_gob"]


def encode_gob(dump: Dump, version: str) -> bytes:
    """A recording as the bytes of a file. Equal recordings make equal bytes.

    What is lost: all schemas of a machine but the newest, and when a transition was received, if
    it is also known when it was sent. The rest comes back when the file is read.

    Args:
        dump: Anything that was recorded.
        version: Of the program that made it, for those who read it.

    Raises:
        DumpFormatError: A number in it has more than 64 bits, or is negative where none may be.
    """

    def part(machine: tuple[SchemaMsg, list[TxMsg]]) -> dict[str, Any]:
        schema, transitions = machine
        return {
            "MsgStruct": schema_to_fields(schema),
            "MsgTxs": _Mapped(transitions, lambda tx: tx_to_fields(tx, schema.names)),
            "Version": version,
        }

    try:
        return deflate(encode_stream(_Mapped([*woven(dump)], part), DUMP, TYPES))
    except GobValueError as error:
        raise DumpFormatError(dump.name, f"can't be a gob: {error}") from None


class _Mapped:
    """What `fn` makes of items, one at a time, so that they are never all there."""

    def __init__(self, items: Sequence[Any], fn: Callable[[Any], dict[str, Any]]) -> None:
        self._items, self._fn = items, fn

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(self._fn, self._items)


class GobWriter:
    """Writes `NAME.gob.br`; a `DumpWriter`.

    The file has all of one machine in one place, so the messages stay in memory until `finish`.

    Args:
        path: The file. What is there is replaced at the end.
        version: Of the program that made the recording; this one's if None.
    """

    def __init__(self, path: str | Path, *, version: str | None = None) -> None:
        self._path = Path(path)
        self._version = _own_version() if version is None else version
        self._dump = MemoryDump(str(path))

    def write(self, message: Message) -> None:
        """Add one message.

        Raises:
            UnknownMachineError: A transition of a machine whose schema was not written.
        """
        self._dump.write(message)

    def finish(self) -> None:
        """Write the file.

        Raises:
            DumpFormatError: A number doesn't fit.
            DumpFullError: The file can't be written.
        """
        data = encode_gob(self._dump, self._version)
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except BaseException as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            if not isinstance(error, OSError):
                raise
            raise DumpFullError(str(self._path), error.strerror or str(error)) from None
        self._dump.abandon()

    def abandon(self) -> None:
        """Forget everything; no file is there yet."""
        self._dump.abandon()


def _own_version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    try:
        return f"amctl {version('amctl')}"
    except PackageNotFoundError:  # run from its sources
        return "amctl"
