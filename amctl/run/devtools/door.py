"""Where a browser's debugging door is: a file in the run's folder, for its owner alone.

There is a door only if BROWSER_DEBUG asks for it. Chromium listens on a free port of the loopback
then, and whoever may use this machine's loopback may steer the page: the port itself has no lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

from amctl.run.errors import NoDoorError
from amctl.run.token import token_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DEVTOOLS_FILE", "DOOR_FLAGS", "keep_door", "read_door"]

DEVTOOLS_FILE = "devtools"
"""In REPL_DIR, beside the token."""
DOOR_FLAGS = ("--remote-debugging-port=0",)
"""Chromium listens on the loopback alone unless it is told otherwise."""
_PORT_FILE = "DevToolsActivePort"
_BEAT = 0.1
_ADDRESS = re.compile(r"ws://127\.0\.0\.1:[1-9][0-9]{0,4}/devtools/browser/[\w-]{1,80}")


async def keep_door(profile: Path, folder: Path) -> None:
    """Wait for a browser's door, and keep its address in `folder` until this is cancelled.

    Args:
        profile: The browser's private folder, where it tells its port.
        folder: The run's.

    Raises:
        RunFolderError: The file can't be written.
    """
    while (address := _told(profile)) is None:  # noqa: ASYNC110 - a file
        await asyncio.sleep(_BEAT)
    with token_file(folder, address, DEVTOOLS_FILE):
        await asyncio.Event().wait()


def _told(profile: Path) -> str | None:
    with contextlib.suppress(OSError, ValueError):
        port, path = (profile / _PORT_FILE).read_text(encoding="ascii").split()
        address = f"ws://127.0.0.1:{port}{path}"
        return address if _ADDRESS.fullmatch(address) else None
    return None


def read_door(folder: Path) -> str:
    """The WebSocket address of the run's browser.

    Raises:
        NoDoorError: The run has none, or the file holds something else.
    """
    path = folder / DEVTOOLS_FILE
    try:
        address = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise NoDoorError("the run's browser has no debugging door") from None
    except (OSError, ValueError) as error:
        raise NoDoorError(f"{path} can't be read, {error}") from error
    if not _ADDRESS.fullmatch(address):
        raise NoDoorError(f"{path} holds no address of a debugging door on this machine")
    return address
