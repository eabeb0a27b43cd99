"""A run's folder is its own: whoever comes second would wipe the first one's log and token."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from amctl.run.errors import FolderTakenError, RunFolderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["own_folder"]


@contextlib.contextmanager
def own_folder(folder: Path, name: str = "") -> Iterator[None]:
    """Keep other runs out of `folder` while the context lasts.

    The lock is on the folder itself: it leaves no file, and goes with the process however that
    ends.

    Args:
        folder: Made if it isn't there.
        name: What errors call it; as it is by default.

    Raises:
        FolderTakenError: If another process is in the context.
        RunFolderError: If the folder can't be made or opened.
    """
    name = name or str(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as err:
        raise RunFolderError(name, f"can't be used, {err.strerror}") from err
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderTakenError(name) from None
        except OSError:
            # Some network file systems lock no folders; no lock is better than no run.
            pass
        yield
    finally:
        os.close(handle)
