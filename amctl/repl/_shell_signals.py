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

    Afterwards all are as before, but SIGHUP once it has come: a terminal that goes away says so
    several times, and what remains to be done must be done all the same. Under nohup it stays
    ignored. Does nothing outside the main thread.
    """
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}
    came: set[int] = set()

    def take(number: signal.Signals) -> None:
        came.add(number)
        call(number)

    for number in _SIGNALS:
        handler = signal.getsignal(number)
        if number == signal.SIGHUP and handler is signal.SIG_IGN:
            continue
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, take, number)
            before[number] = handler
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            is_over = number == signal.SIGHUP and number in came
            signal.signal(number, signal.SIG_IGN if is_over else handler)
