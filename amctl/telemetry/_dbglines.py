"""Log lines for recordings, from a writer that never fails the machine it writes of."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from amctl.machine.args import loggable
from amctl.machine.lines import LineWriter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SafeLines"]

P = ParamSpec("P")
W = TypeVar("W", bound="SafeLines")
_log = logging.getLogger("amctl.telemetry.stream")


def _safe(
    hook: Callable[Concatenate[LineWriter, P], None],
) -> Callable[Concatenate[SafeLines, P], None]:
    def call(self: SafeLines, /, *args: P.args, **more: P.kwargs) -> None:
        try:
            hook(self, *args, **more)
        except Exception as error:
            self.failed(error)

    return call


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

    def failed(self, error: Exception) -> None:
        """A hook raised."""
        level = logging.DEBUG if self._has_failed else logging.ERROR
        self._has_failed = True
        _log.log(level, "a log line can't be recorded", exc_info=error)

    machine_init = _safe(LineWriter.machine_init)
    machine_dispose = _safe(LineWriter.machine_dispose)
    log_line = _safe(LineWriter.log_line)
    mutation_queued = _safe(LineWriter.mutation_queued)
    transition_init = _safe(LineWriter.transition_init)
    handler_start = _safe(LineWriter.handler_start)
    handler_end = _safe(LineWriter.handler_end)
    transition_finals = _safe(LineWriter.transition_finals)
    transition_end = _safe(LineWriter.transition_end)
