"""Signals while a shell runs: they come as calls, and the process is told of none twice."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["handled"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def handled(call: Callable[[int], None]) -> Iterator[None]:
    """Have `call(number)` called in the loop for SIGINT, SIGTERM and SIGHUP.

    Afterwards SIGINT and SIGTERM are as before. SIGHUP is ignored from then on: a terminal that
    goes away says so several times, some of it after its last line has been read, and what remains
    to be done, which is to part from all machines, must be done all the same. Under nohup it was
    ignored all along. Does nothing outside the main thread.
    """
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}
    for number in _SIGNALS:
        handler = signal.getsignal(number)
        if number == signal.SIGHUP and handler is signal.SIG_IGN:
            continue
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, call, number)
            before[number] = handler
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN if number == signal.SIGHUP else handler)
