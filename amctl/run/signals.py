"""Ctrl-C: the first asks the run to end, the second ends the process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["INTERRUPTED", "Stopper", "stop_on_signals"]

INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopper:
    """Whether somebody asked the run to end; one per run.

    Args:
        leave: Ends the process at once with a code, without a word to anybody.
    """

    def __init__(self, leave: Callable[[int], object] = os._exit) -> None:
        self.asked = asyncio.Event()
        self.asked_by = ""
        """Who asked first, in words."""
        self._leave = leave
        self._last: list[Callable[[], None]] = []

    def at_hard_exit(self, call: Callable[[], None]) -> None:
        """Have `call` called before a hard exit: it must not wait. The last one is first."""
        self._last.insert(0, call)

    def ask(self, number: int = signal.SIGINT) -> None:
        """Ask for the end, by a signal; asked for the second time, end the process."""
        if not self.asked.is_set():
            name = signal.Signals(number).name
            self.asked_by = "Ctrl-C" if number == signal.SIGINT else name
            self.asked.set()
            return
        for call in self._last:
            with contextlib.suppress(Exception):
                call()
        self._leave(INTERRUPTED)


@contextlib.contextmanager
def stop_on_signals(stopper: Stopper) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into `stopper.ask()` while the context lasts.

    Under nohup SIGHUP stays ignored.
    """
    loop = asyncio.get_running_loop()
    taken: list[signal.Signals] = []
    for number in _SIGNALS:
        if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, stopper.ask, number)
            taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)
