"""Any recording by its path or URL: what it is, its content says, not its name."""

from __future__ import annotations

import errno
import re
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from amctl.dump import _zstd
from amctl.dump.errors import DumpFormatError, DumpNotFoundError
from amctl.dump.fetching import fetch, is_url
from amctl.dump.gathering import TemporaryDump, gather
from amctl.dump.gob import read_gob
from amctl.dump.jsonl import JsonlReader, TextLimits
from amctl.dump.sqlite import SqliteDump
from amctl.dump.writing import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.dump.model import Dump

__all__ = ["MAX_FETCH", "open_dump", "sniff"]

MAX_FETCH: Final = 1 << 30
"""Bytes of a recording from the web."""
_SQLITE: Final = b"SQLite format 3\0"
_OTHER_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_JSON: Final = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*["}]')
_TEXT: Final = re.compile(rb"[\t\r\n -~]{5,}")
_GZIP: Final = b"\x1f\x8b"
_ENDINGS: Final = tuple(f".{each}" for each in FORMATS if each not in ("md", "html"))


def open_dump(
    source: str | Path,
    *,
    say: Callable[[str], None] | None = None,
    max_bytes: int = MAX_FETCH,
    limits: TextLimits | None = None,
) -> Dump:
    """Open a recording of any format.

    A folder stands for its newest recording. `X.gob.br` that isn't there stands for `X.sqlite` if
    that is, as the original's tools go by such names.

    Args:
        source: A path, or an http(s) URL.
        say: Told what a person should know, one line each.
        max_bytes: How much may come from the web.
        limits: How much a jsonl recording may unpack to.

    Raises:
        DumpNotFoundError: There is nothing, or it can't be read.
        DumpFormatError: It is damaged, or no recording; or too large.
        DumpVersionError: It is of a newer version.
        DumpFullError: There is no room to unpack it.
    """
    limits = limits or TextLimits()
    if is_url(str(source)):
        return _open_url(str(source), say, max_bytes, limits)
    if _OTHER_SCHEME.match(str(source)):
        raise DumpNotFoundError(str(source), "only http and https are fetched")
    try:
        path = _find(Path(source), say)
    except DumpNotFoundError:
        raise
    except OSError as error:  # no name that a file can have, or a folder that is closed
        raise DumpNotFoundError(str(source), error.strerror or str(error)) from None
    return _open_file(path, str(path), say, limits)


def sniff(path: Path, name: str) -> str:
    """The format of a file: `sqlite`, `jsonl` (packed or not) or `gob.br`.

    Raises:
        DumpNotFoundError: It can't be read.
        DumpFormatError: It is none of them. As brotli has no mark, gob.br is what is left.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "that is no file")
        with path.open("rb") as file:
            head = file.read(64)
    except FileNotFoundError:
        raise DumpNotFoundError(name) from None
    except OSError as error:
        raise DumpNotFoundError(name, error.strerror or str(error)) from None
    if not head:
        raise DumpFormatError(name, "is empty")
    if head.startswith(_SQLITE):
        return "sqlite"
    if head.startswith(_zstd.MAGIC) or _JSON.match(head):
        return "jsonl"
    if head.startswith(_GZIP):
        raise DumpFormatError(name, "is packed by gzip: unpack it first")
    if head.lstrip()[:1] == b"<":
        raise DumpFormatError(name, "is a page of HTML or XML, no recording")
    if _TEXT.fullmatch(head):
        raise DumpFormatError(name, "is text, no recording")
    return "gob.br"


def _open_file(
    path: Path, name: str, say: Callable[[str], None] | None, limits: TextLimits
) -> Dump:
    kind = sniff(path, name)
    if kind == "sqlite":
        return SqliteDump(path, name)
    if kind == "gob.br":
        return read_gob(path, name=name)
    with path.open("rb") as stream:
        reader = JsonlReader(stream, name, limits)
        return gather(reader, name, reader.format, reader.meta, say=say)


def _open_url(
    url: str, say: Callable[[str], None] | None, max_bytes: int, limits: TextLimits
) -> Dump:
    folder = tempfile.TemporaryDirectory(prefix="amctl-")
    keep = False
    try:
        path = Path(folder.name) / "fetched"
        with path.open("wb") as file:
            fetch(url, file, max_bytes=max_bytes, say=say)
        if sniff(path, url) == "sqlite":
            keep = True
            return TemporaryDump(folder, path, url)
        return _open_file(path, url, say, limits)
    finally:
        if not keep:
            folder.cleanup()


def _find(path: Path, say: Callable[[str], None] | None) -> Path:
    if path.is_dir():
        found = _newest(path)
        if found is None:
            raise DumpNotFoundError(str(path), "that folder holds no recording")
    elif not path.exists() and path.name.endswith(".gob.br"):
        found = path.with_name(path.name.removesuffix(".gob.br") + ".sqlite")
        if not found.is_file():
            return path
    else:
        return path
    if say is not None:
        say(f"{path} is {'a folder' if path.is_dir() else 'not there'}: opening {found}")
    return found


def _newest(folder: Path) -> Path | None:
    """By the time of the last change; of SQLite's files that of the log beside it counts too."""
    files = [each for each in folder.iterdir() if each.name.endswith(_ENDINGS) and each.is_file()]
    return max(files, key=lambda file: (_changed(file), file.name), default=None)


def _changed(file: Path) -> int:
    both = (file, file.with_name(file.name + "-wal"))
    return max(each.stat().st_mtime_ns for each in both if each.exists())
