"""Mends what needs no thought: leftovers of a killed run, a token that others can read."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from amctl.run.errors import FolderTakenError, RunFolderError
from amctl.run.folder import own_folder
from amctl.run.token import TOKEN_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["tidy"]


def tidy(folder: Path) -> Iterator[str]:
    """Remove address files and token that no run holds any more; keep a live token private.

    Args:
        folder: Of runs; nothing is done if it isn't there.

    Yields:
        What was done, a sentence each.
    """
    token = folder / TOKEN_FILE
    if token.is_file() and stat.S_IMODE(token.stat().st_mode) & 0o077:
        token.chmod(0o600)
        yield f"{token} can be read by its owner only now"
    left = sorted(folder.glob("*.addr")) if folder.is_dir() else []
    if not left:
        return
    try:
        with own_folder(folder):
            for path in (*left, *([token] if token.is_file() else ())):
                path.unlink(missing_ok=True)
                yield f"removed {path}, left by a run that was killed"
    except (FolderTakenError, RunFolderError):
        return  # a run is up: they are in use
