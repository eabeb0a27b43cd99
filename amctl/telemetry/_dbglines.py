"""Log lines for recordings, from a writer that never fails the machine it writes of."""

from __future__ import annotations

import logging

from amctl.machine.args import loggable
from amctl.machine.lines import LineWriter

__all__ = ["SafeLines"]

_log = logging.getLogger("amctl.telemetry.stream")


class SafeLines(LineWriter):
    """Leaves out what it can't write, and says so once.

    Args:
        level: Lines above it aren't written.
        arg_names: Arguments that are shown besides the usual ones.
        checks: Whether questions are written, too.
        id: Of the tracer.
    """

    def __init__(self, level: int, arg_names: tuple[str, ...], *, checks: bool, id: str) -> None:
        super().__init__(
            level, args_of=lambda args: loggable(args, arg_names), checks=checks, id=id
        )
        self._has_failed = False

    def failed(self, error: Exception) -> bool:
        """See Tracer. A machine is none the worse for a line that it lacks."""
        level = logging.DEBUG if self._has_failed else logging.ERROR
        self._has_failed = True
        _log.log(level, "a log line can't be recorded", exc_info=error)
        return True
