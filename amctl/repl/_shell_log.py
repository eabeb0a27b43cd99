"""The log while a shell runs: it must not write into the line that is being typed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["told"]


class _Lines(logging.Handler):
    """Says errors in a line each. Warnings are of machines that come and go, which is told anyway.

    Args:
        say: Prints a line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._say, self._loop = say, asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        """Called by whatever thread logs; said at the loop's next turn."""
        try:
            lines = record.getMessage().strip().splitlines()
            text = f"{record.name}: {lines[0]}" if lines else record.name
            self._loop.call_soon_threadsafe(self._say, text)
        except Exception:
            self.handleError(record)


@contextlib.contextmanager
def told(say: Callable[[str], None]) -> Iterator[None]:
    """Have errors of the log said, unless somebody takes the log already."""
    root = logging.getLogger()
    if root.handlers:
        yield
        return
    handler = _Lines(say)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
