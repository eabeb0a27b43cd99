"""The run's log file, and what of it a person sees."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING

from amctl.run.errors import RunFolderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["BROWSER_LOG_FILE", "LOG_FILE", "begin_log", "log_to"]

LOG_FILE = "amctl.log"
BROWSER_LOG_FILE = "browser.log"
"""What a browser of ours says about itself, which is much, and none of it about the run."""
_FORMAT = "%(asctime)s.%(msecs)03d %(levelname).1s %(name)s: %(message)s"
_SHORT = "%(levelname).1s %(name)s: %(message)s"
_DETAILED = 4
"""AM_LOG from which on each decision of a machine is logged."""
_OURS = ("amctl", "nodes")


def begin_log(path: Path) -> None:
    """Drop what earlier runs have written; call it once this run has its place to itself."""
    os.truncate(path, 0)


@contextlib.contextmanager
def log_to(folder: Path, *, am_log: int = 0, verbose: int = 0) -> Iterator[Path]:
    """Log to `folder`/amctl.log for as long as the context lasts.

    The file is continued: a run that finds another one in its way must not wipe that one's log.
    `begin_log` starts it anew.

    Args:
        folder: Made if it isn't there.
        am_log: AM_LOG; from 4 on the file holds debug lines too.
        verbose: How often -v was given: 1 shows our info lines on stderr as well, 2 all of them.

    Raises:
        RunFolderError: If the file can't be written.
    """
    path = folder / LOG_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Appending, since another run may be writing into the same file.
        file = logging.FileHandler(path, mode="a", encoding="utf-8")
    except OSError as err:
        raise RunFolderError(str(path), f"can't be written, {err.strerror}") from err
    file.setFormatter(logging.Formatter(_FORMAT, "%H:%M:%S"))
    handlers: list[logging.Handler] = [file]
    if verbose:
        shown = logging.StreamHandler(sys.stderr)
        shown.setFormatter(logging.Formatter(_SHORT))
        shown.setLevel(logging.INFO if verbose == 1 else logging.DEBUG)
        handlers.append(shown)
    level = logging.DEBUG if am_log >= _DETAILED or verbose > 1 else logging.INFO
    root = logging.getLogger()
    before = {name: logging.getLogger(name).level for name in _OURS}
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield path
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        for name, old in before.items():
            logging.getLogger(name).setLevel(old)
