"""A recording into a new file, in any format; nothing stands under its name before it is whole."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from amctl.dump.errors import (
    DumpError,
    DumpExistsError,
    DumpFullError,
    DumpPlaceError,
    UnknownFormatError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from amctl.dump.model import DumpWriter
    from amctl.telemetry.messages import Message

__all__ = ["FORMATS", "TEXT_FORMATS", "format_of", "new_writer", "stream_writer"]

FORMATS: Final = ("sqlite", "gob.br", "jsonl.zst", "jsonl", "md", "html")
"""What can be written; also the endings of the files. The last two can't be read again."""
TEXT_FORMATS: Final = ("jsonl", "md", "html")
"""Those that a terminal can show."""


def format_of(path: str | Path, format: str | None = None) -> str:
    """The format that a name ends in, unless it is said.

    Raises:
        UnknownFormatError: It is none.
    """
    if format is not None:
        if format not in FORMATS:
            raise UnknownFormatError(format, FORMATS)
        return format
    name = Path(path).name.lower()
    for each in FORMATS:
        if name.endswith(f".{each}"):
            return each
    raise UnknownFormatError(str(path), [f".{each}" for each in FORMATS])


def new_writer(
    path: str | Path,
    format: str | None = None,  # as the command line calls it
    *,
    force: bool = False,
    meta: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> DumpWriter:
    """A writer of a new file. Call its `finish`, or its `abandon`.

    Args:
        path: The file.
        format: One of FORMATS; by the path's ending if None.
        force: Replace what is there.
        meta: What the recording says of itself.
        limit: Transitions that a report (`md`, `html`) shows at most; None: as many as suit it.

    Raises:
        UnknownFormatError: Nothing is written in that format.
        DumpExistsError: There is something under that name.
        DumpPlaceError: No file can stand there.
        DumpBusyError: A collector writes what is there.
        DumpFullError: It can't be written.
    """
    path = Path(path)
    format = format_of(path, format)
    _look(path, force=force)
    if format == "sqlite":
        from amctl.dump._replacing import ReplacingWriter

        return ReplacingWriter(path, meta=meta)
    if format == "gob.br":
        from amctl.dump.gob import GobWriter

        return GobWriter(path)
    return _FileWriter(
        path, lambda stream: stream_writer(stream, format, meta=meta, limit=limit), force=force
    )


def _look(path: Path, *, force: bool) -> None:
    """Whether a new file may stand there, as far as can be seen before it is written."""
    try:
        there = path.stat()
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise DumpPlaceError(str(path), f"there is no folder {path.parent}") from None
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise DumpPlaceError(str(path), "its folder is closed to you") from None
        return
    except OSError as error:
        raise DumpPlaceError(str(path), error.strerror or str(error)) from None
    if not stat.S_ISREG(there.st_mode):
        raise DumpPlaceError(str(path), "that is no file")
    if not force:
        raise DumpExistsError(str(path))
    from amctl.dump.sqlite._lock import WriterLock

    WriterLock(path, str(path)).release()  # nobody takes a file away from a collector


def stream_writer(
    stream: BinaryIO,
    format: str,
    *,
    meta: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> DumpWriter:
    """A writer into an open stream, of a format that needs no more: all but sqlite and gob.br.

    Raises:
        UnknownFormatError: It needs more, or is none.
    """
    if format in ("jsonl", "jsonl.zst"):
        from amctl.dump.jsonl import JsonlWriter

        return JsonlWriter(stream, packed=format == "jsonl.zst", meta=meta)
    if format == "md":
        from amctl.dump.markdown import MarkdownWriter

        return MarkdownWriter(stream, meta=meta, limit=limit)
    if format == "html":
        from amctl.dump.html import HtmlWriter

        return HtmlWriter(stream, meta=meta, limit=limit)
    raise UnknownFormatError(format, [each for each in FORMATS if each not in ("sqlite", "gob.br")])


class _FileWriter:
    """Writes beside the final name, and takes it at the end."""

    def __init__(self, path: Path, make: Callable[[BinaryIO], DumpWriter], *, force: bool) -> None:
        self._path, self._force = path, force
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part")
        with self._errors():
            self._stream = self._part.open("wb")
        try:
            self._inner = make(self._stream)
        except BaseException:
            self._throw_away()
            raise

    def write(self, message: Message) -> None:
        with self._errors():
            self._inner.write(message)

    def finish(self) -> None:
        with self._errors():
            self._inner.finish()
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            if not self._force and self._path.exists():
                raise DumpExistsError(str(self._path))
            os.replace(self._part, self._path)

    def abandon(self) -> None:
        self._inner.abandon()
        self._throw_away()

    def _throw_away(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DumpError:
            raise
        except OSError as error:
            raise DumpFullError(str(self._path), error.strerror or str(error)) from None
