"""What was typed before, for this REPL and the next ones: one JSON object a line.

    {"datetime": "2026-03-25T10:04:09+00:00", "block": "add . StartWork"}

Several REPLs append to one file at once: each entry is one write. A file that can't be read or
written costs the memory, never the prompt.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.history import History

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["FILE_NAME", "JsonHistory", "history_file"]

FILE_NAME = ".amctl_history"
_MODE = 0o600
_TAIL = 1 << 20
"""Bytes of the file that are read: years of typing."""

_log = logging.getLogger("amctl.repl.history")


def history_file() -> Path:
    """In the home folder, or in the current one if there is none."""
    try:
        home = Path.home()
    except RuntimeError:
        return Path(FILE_NAME)
    return home / FILE_NAME if home.is_dir() else Path(FILE_NAME)


def _now() -> datetime:
    return datetime.now(UTC)


class JsonHistory(History):
    """The lines of a file, and what is typed from now on.

    Blank lines are nowhere kept, nor are lines that begin with a space: so a secret is typed. A
    line typed twice in a row is remembered once; the file keeps both with their times.

    Args:
        path: The file. Made when the first line is stored, for its owner alone.
        now: The clock of entries.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = _now) -> None:
        super().__init__()
        self.path = path
        self._now = now
        self._is_failing = False

    def load_history_strings(self) -> Iterable[str]:
        """Most recent first; what is no entry of ours is skipped."""
        blocks: list[str] = []
        for line in _tail(self.path):
            block = _block(line)
            if block.strip() and block != (blocks[-1] if blocks else None):
                blocks.append(block)
        return reversed(blocks)

    def append_string(self, string: str) -> None:
        """Keep a line that was entered, without the blanks that completion puts behind words."""
        string = string.rstrip()
        if not string or string[0] == " ":
            return
        if not self._loaded_strings or self._loaded_strings[0] != string:
            self._loaded_strings.insert(0, string)
        self.store_string(string)

    def store_string(self, string: str) -> None:
        """Append an entry to the file; a failure is logged once."""
        entry = {"datetime": self._now().isoformat(timespec="seconds"), "block": string}
        text = json.dumps(entry, ensure_ascii=False)
        try:
            _append(self.path, text.encode(errors="replace"))
        except OSError as error:
            if not self._is_failing:
                _log.warning("what is typed is not kept: %s", error)
            self._is_failing = True


def _block(line: bytes) -> str:
    """The command of an entry; empty if it is none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    block = entry.get("block") if isinstance(entry, dict) else None
    return block if isinstance(block, str) else ""


def _tail(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            return file.read().split(b"\n")
    except OSError as error:
        if path.exists():
            _log.warning("no history: %s", error)
        return []


def _append(path: Path, line: bytes) -> None:
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _MODE)
    try:
        stat = os.fstat(fd)
        if stat.st_mode & 0o077 and stat.st_uid == os.geteuid():
            os.fchmod(fd, _MODE)
        # A writer that died in mid-line must not swallow this one too.
        torn = stat.st_size > 0 and os.pread(fd, 1, stat.st_size - 1) != b"\n"
        os.write(fd, b"\n" * torn + line + b"\n")
    finally:
        os.close(fd)
