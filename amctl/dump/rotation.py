"""When a dump is cut into parts, how those are called, and how many are kept."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from amctl.dump.errors import DumpBusyError, DumpError
from amctl.dump.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["KEEP", "Rotation", "parts_of", "prune", "set_aside", "target_for"]

KEEP = 5
"""Dumps of earlier runs that `set_aside` leaves."""
_STAMP = "%Y-%m-%dT%H-%M-%S"
_MARKS = r"-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)(?:-([1-9]\d*))?"


@dataclass(frozen=True, slots=True)
class Rotation:
    """After how much a part ends; 0 is never."""

    transitions: int = 0
    bytes: int = 0
    seconds: float = 0.0
    keep: int = 0
    """Parts that stay beside the current one; 0 is all."""

    def is_due(self, store: SqliteStore, now_ns: int) -> bool:
        """Whether the current part should end. An empty one never does."""
        count = store.count - store.waiting
        if count <= 0:
            return False
        if self.transitions and count >= self.transitions:
            return True
        if self.seconds and now_ns - store.began_ns >= self.seconds * 1e9:
            return True
        return self.bytes > 0 and store.size() >= self.bytes


def target_for(path: Path, at_ns: int) -> Path:
    """A name for the next part of `path`: `NAME-YYYY-MM-DDTHH-MM-SS[-N].sqlite`, in UTC."""
    stamp = datetime.fromtimestamp(at_ns / 1e9, UTC).strftime(_STAMP)
    taken = [number for at, number, _ in _marked(path) if at == stamp]
    number = f"-{max(taken) + 1}" if taken else ""
    return path.with_name(f"{path.stem}-{stamp}{number}{path.suffix}")


def parts_of(path: Path) -> list[Path]:
    """The parts of a dump that were split off, and earlier dumps of the name; oldest first."""
    return [each for _, _, each in sorted(_marked(path))]


def _marked(path: Path) -> list[tuple[str, int, Path]]:
    pattern = re.compile(re.escape(path.stem) + _MARKS + re.escape(path.suffix), re.ASCII)
    found = []
    for each in _listed(path):
        match = pattern.fullmatch(each.name)
        if match is not None:
            found.append((match[1], int(match[2] or 1), each))
    return found


def _listed(path: Path) -> list[Path]:
    try:
        return list(path.parent.iterdir())
    except OSError:
        return []


def prune(path: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` of `parts_of`; returns those that are gone."""
    old = parts_of(path)[:-keep] if keep else []
    for each in old:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                each.with_name(each.name + suffix).unlink(missing_ok=True)
    return old


def set_aside(path: Path, keep: int = KEEP) -> Path | None:
    """Make room for a new dump: what stands there gets a name with its start time.

    A sound dump is moved into another file, for somebody may be reading it: see
    `SqliteStore.rotate`. Anything else is renamed as it is, with the time it was changed.

    Returns:
        Where it is now; None if there was nothing in it.

    Raises:
        DumpBusyError: A collector is writing it.
        DumpFullError: It can't be moved.
    """
    if not path.exists():
        return None
    try:
        store = SqliteStore(path)
    except DumpBusyError:
        raise
    except DumpError:
        target = _renamed(path)
    else:
        try:
            if not store.count:
                store.clear()
                return None
            target = target_for(path, store.began_ns)
            store.rotate(target, carry=False)
            store.clear()
        finally:
            store.close()
    prune(path, keep)
    return target


def _renamed(path: Path) -> Path:
    target = target_for(path, path.stat().st_mtime_ns)
    for suffix in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            os.replace(path.with_name(path.name + suffix), target.with_name(target.name + suffix))
    return target
