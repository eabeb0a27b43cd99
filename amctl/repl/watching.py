"""Tells when address files come, go or change."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import TYPE_CHECKING

from amctl.repl.finding import SUFFIX, TOKEN_FILE, Place

if TYPE_CHECKING:
    from watchfiles import Change

    from amctl.repl.finding import Found, Target

__all__ = ["Watch", "find_in_thread", "watch_files"]

Watch = Callable[["Target"], AsyncGenerator[frozenset[str], None]]
"""Yields absolute paths that may have changed; none of them: look at everything again."""

_log = logging.getLogger("amctl.repl")
_TICK_MS = 1000
_LOOK = 10.0
"""Seconds without a change, after which everything is looked at. The system may lose events, and a
network's file system tells of none."""
_AGAIN = 1.0
"""Seconds until watching is tried again after it failed."""


async def find_in_thread(target: Target) -> list[Found]:
    """`Target.find` without holding up the loop. Raises OSError."""
    return await asyncio.to_thread(target.find)


async def watch_files(target: Target) -> AsyncGenerator[frozenset[str], None]:
    """Watch the files of a target for ever, also while its folder doesn't exist.

    Never raises for what happens to files: what can't be watched is tried again.
    """
    folder, polls = _absolute(target), False
    while True:
        try:
            async with contextlib.aclosing(_watch_once(target, folder, polls)) as changes:
                async for paths in changes:
                    yield paths
        except (OSError, RuntimeError) as error:
            # no more watches to be had, or the folder went just now
            polls = polls or _identity(folder) is not None
            _log.warning("%s can't be watched, trying again: %s", folder, error)
            await asyncio.sleep(_AGAIN)


async def _watch_once(
    target: Target, folder: str, polls: bool
) -> AsyncGenerator[frozenset[str], None]:
    """Until the folder is another one: made, removed, replaced."""
    from watchfiles import awatch  # not before somebody watches: it is no light package

    place, was = _nearest(folder), _identity(folder)
    fits = _fits(target) if place == folder else partial(_leads_to, folder)
    batches = awatch(
        place,
        watch_filter=None,  # each batch is a time to look at the folder itself
        recursive=place == folder and target.place is Place.FOLDER,
        rust_timeout=_TICK_MS,
        yield_on_timeout=True,
        force_polling=True if polls else None,
        ignore_permission_denied=True,
    )
    now = asyncio.get_running_loop().time
    look_at = now()  # soon, since something may have come while the watch was set up
    async with contextlib.aclosing(batches):
        async for batch in batches:
            paths = frozenset(path for change, path in batch if fits(change, path))
            if paths or now() >= look_at:
                look_at = now() + _LOOK
                yield paths
            if _identity(folder) != was:
                return


def _absolute(target: Target) -> str:
    assert target.folder is not None
    return os.path.abspath(target.folder)


def _nearest(folder: str) -> str:
    """The folder itself, or what there is of the way to it."""
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder


def _identity(folder: str) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _fits(target: Target) -> Callable[[Change, str], bool]:
    """What is worth a look: address files, tokens, folders; whatever went, as it may have been a
    folder. The target itself, however it is called (F5)."""
    if target.place is Place.FILE:
        file = os.path.abspath(target.path)
        return lambda _, path: path == file or os.path.basename(path) == TOKEN_FILE

    def fits(change: Change, path: str) -> bool:
        if path.endswith(SUFFIX) or os.path.basename(path) == TOKEN_FILE:
            return True
        return change.name == "deleted" or (change.name == "added" and os.path.isdir(path))

    return fits


def _leads_to(folder: str, _: Change, path: str) -> bool:
    return folder == path or folder.startswith(path + os.sep)
