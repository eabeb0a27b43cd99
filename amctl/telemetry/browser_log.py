"""Brings what goes wrong in a browser thread's Python to whoever reports it.

Nobody reads a worker's console. So warnings of the log, and what event-loop callbacks and tasks
raise, go to a function of the page as well, which posts them to the server.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ReportHandler", "report_errors"]

_log = logging.getLogger("amctl.browser")
_LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warning"), (logging.INFO, "info"))


class ReportHandler(logging.Handler):
    """Gives records to a function, as a level's name and a text with its traceback.

    Args:
        report: Called with "error", "warning", "info" or "debug", and the text.
        level: The lowest level that is reported.
    """

    def __init__(self, report: Callable[[str, str], object], level: int = logging.WARNING) -> None:
        super().__init__(level)
        self._report = report
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Report a record; a failure is printed, as `logging` does."""
        try:
            level = next((name for low, name in _LEVELS if record.levelno >= low), "debug")
            self._report(level, self.format(record))
        except Exception:
            self.handleError(record)


def report_errors(
    report: Callable[[str, str], object], loop: asyncio.AbstractEventLoop
) -> ReportHandler:
    """Report warnings of all loggers, and what nobody caught on `loop`.

    Args:
        report: See ReportHandler.
        loop: Of this thread; its exception handler is replaced.

    Returns:
        The handler, which the root logger has now.
    """
    handler = ReportHandler(report)
    logging.getLogger().addHandler(handler)
    loop.set_exception_handler(_on_loop_error)
    return handler


def _on_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    text = "".join(traceback.format_exception(error)).rstrip() if error is not None else ""
    task = context.get("task") or context.get("future")
    name = f" of {task.get_name()}" if isinstance(task, asyncio.Task) else ""
    _log.error("%s%s\n%s", context.get("message", "an event-loop callback failed"), name, text)
