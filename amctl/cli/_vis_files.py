"""Where pictures and listings go: names, formats, stdout."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.cli.options import GlobalOptions

__all__ = ["STDOUT", "Target", "put", "refuse_foreign", "show", "targets"]

STDOUT = "-"
_NAME = "am-vis"
_DOCUMENTS = ("htm", "html", "json", "md", "pdf", "ps", "txt", "xml")
_IMAGES = ("bmp", "eps", "gif", "jpeg", "jpg", "png", "svg", "svgz", "tif", "tiff", "webp")
_FOREIGN = frozenset((*_DOCUMENTS, *_IMAGES, "d2", "mermaid", "mmd"))
"""Suffixes that ask for a format, and aren't just the end of a name."""


class Target(NamedTuple):
    """One thing to write."""

    format: str
    path: Path | None
    """None is stdout."""


def targets(
    output: str, formats: Sequence[str], known: Sequence[str], default: Sequence[str]
) -> list[Target]:
    """What to write where.

    Args:
        output: A base name, a file name with a known suffix, a folder, a device, or `-`.
        formats: Asked for by name.
        known: Formats, which are suffixes too.
        default: Formats if neither names nor a suffix say which.

    Raises:
        BadParameter: More than one format for stdout or a device, or a format that we don't write.
    """
    if output == STDOUT or _is_device(output):
        wanted = [*dict.fromkeys(formats)] or list(default[:1])
        if len(wanted) > 1:
            where = "stdout" if output == STDOUT else output
            raise typer.BadParameter(f"{where} takes one format, not {' and '.join(wanted)}")
        return [Target(wanted[0], None if output == STDOUT else Path(output))]
    if output.endswith(("/", os.sep)):
        output += _NAME
    base, dot, suffix = output.rpartition(".")
    if dot and base and suffix.lower() in known:
        formats = [suffix.lower(), *formats]
    else:
        if not formats:
            refuse_foreign(suffix if dot else "", known)
        base = output
    return [Target(one, Path(f"{base}.{one}")) for one in dict.fromkeys(formats or default)]


def refuse_foreign(suffix: str, known: Sequence[str]) -> None:
    """Nobody who asks for a GIF wants something else under that name.

    Raises:
        BadParameter: The suffix is that of a format which isn't known.
    """
    if suffix.lower() in _FOREIGN.difference(known):
        raise typer.BadParameter(f"can't write {suffix.lower()}; known formats: {', '.join(known)}")


def _is_device(name: str) -> bool:
    path = Path(name)
    return path.exists() and not path.is_file() and not path.is_dir()


def put(target: Target, content: bytes, options: GlobalOptions) -> None:
    """Write it whole: nobody who looks on sees half of it.

    Raises:
        OutputError: The file can't be written.
    """
    if target.path is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        target.path.parent.mkdir(parents=True, exist_ok=True)
        _replace(target.path, content)
    except OSError as error:
        from amctl.vis.errors import OutputError

        raise OutputError(str(target.path), error.strerror or str(error)) from error
    options.say(f"wrote {target.path} ({_size(len(content))})")


def _replace(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():  # a device, a pipe
        path.write_bytes(content)
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        mode = path.stat().st_mode if path.exists() else 0o666 & ~_umask()
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def show(written: Sequence[Target], options: GlobalOptions) -> None:
    """Open the first file with the desktop's program for it."""
    import webbrowser

    for target in written:
        if target.path is not None:
            if not webbrowser.open(target.path.resolve().as_uri()):
                options.say(f"nothing here can show {target.path}")
            return
