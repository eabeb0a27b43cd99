"""What the REPL tells of itself: its machines to a debugger, and no alarms to the log."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from amctl.repl._dialling import ONLY_HERE
from amctl.repl.addresses import parse_address
from amctl.repl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from amctl.machine import Machine, MachineView
    from amctl.repl.addresses import Address
    from amctl.rpc.transports.base import Connection
    from amctl.telemetry.dbgstream import DebugStream

__all__ = ["debugger_address", "no_alarms", "recorded"]

MOST_LINES = 3
"""Lines of the highest level that a REPL sends."""
_LAST_WORD = 1.0
"""Seconds in which what was recorded may still be sent."""
_STRAGGLERS = 0.3
"""Share of these for machines whose disposal follows."""
_NOBODY = 0.2
"""Share of these if no collector was there so far."""


def debugger_address(text: str, allow_remote: bool) -> Address:
    """Where to send telemetry.

    Raises:
        UsageError: It is no address, or not on this machine, and that isn't allowed.
    """
    address = parse_address(text)
    if not (address.is_local or allow_remote):
        raise UsageError(f"debugger {text!r:.80} is not this machine", ONLY_HERE)
    return address


@contextlib.asynccontextmanager
async def recorded(
    machine: Machine,
    dial: Callable[[], Awaitable[Connection]],
    token: str,
    log_level: int | None = None,
) -> AsyncIterator[None]:
    """Record the REPL's machine and its clients; end it after they are disposed of.

    Args:
        machine: The REPL's.
        dial: Connects to a collector or debugger, or raises OSError.
        token: What that wants to hear.
        log_level: Of log lines, 0 to 3; what is higher is 3, and so is None.
    """
    level = MOST_LINES if log_level is None else min(log_level, MOST_LINES)
    stream = _stream(machine.id, dial, token, level)
    stream.attach(machine)
    stream.start()
    try:
        yield
    finally:
        await stream.until_gone(_LAST_WORD * _STRAGGLERS)
        share = 1 - _STRAGGLERS if stream.is_connected else _NOBODY
        await stream.close(_LAST_WORD * share)


def _stream(
    name: str, dial: Callable[[], Awaitable[Connection]], token: str, level: int
) -> DebugStream:
    # Not at the top: most REPLs, and every `amctl mach`, record nothing.
    from amctl.telemetry.dbgstream import DebugOptions, DebugStream

    class Options(DebugOptions):
        """The REPL's machine and its clients. Mirrors show what their own programs record."""

        def covers(self, machine: MachineView) -> bool:
            return machine.is_local

    return DebugStream(name, dial, token, Options(log_level=level))


@contextlib.contextmanager
def no_alarms(prefix: str) -> Iterator[None]:
    """Log errors of some machines as news: a client that finds nobody is no fault of the REPL.

    What is the matter with an address is told by its peer, and recorded.

    Args:
        prefix: Of the ids of these machines.
    """

    def calm(record: logging.LogRecord) -> bool:
        args = record.args
        if isinstance(args, tuple) and args and str(args[0]).startswith(prefix):
            record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
            return log.isEnabledFor(logging.INFO)
        return True

    log = logging.getLogger("amctl.machine")
    log.addFilter(calm)
    try:
        yield
    finally:
        log.removeFilter(calm)
