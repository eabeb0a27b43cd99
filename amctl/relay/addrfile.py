"""Address files: where a REPL finds the port of a machine in a browser."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amctl.relay.security import Target

__all__ = ["AddressFile"]

_log = logging.getLogger("amctl.relay")


class AddressFile:
    """`<directory>/<id>.addr` with the address that was really bound."""

    def __init__(self, directory: Path, machine_id: str) -> None:
        """`machine_id` must have passed `security.valid_id`: it becomes a file name."""
        self._path = Path(directory) / f"{machine_id}.addr"
        self._text = ""

    def write(self, address: Target) -> None:
        """Write the file at once and whole, so that no reader finds half of it.

        Raises:
            OSError: If the directory can't be made or written.
        """
        text = str(address)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=self._path.parent)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
            os.replace(name, self._path)
        except BaseException:
            os.unlink(name)
            raise
        self._text = text

    def remove(self) -> None:
        """Remove the file, unless somebody wrote another address into it. Never raises."""
        try:
            if self._text and self._path.read_text() == self._text:
                self._path.unlink()
        except OSError as error:
            _log.debug("%s: %s", self._path, error)  # mostly it is gone already
