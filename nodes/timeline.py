"""The timeline of a browser's thread: its clock, spans for Chromium, and a tick from outside.

A thread's Python can't be looked at by another one. But Pyodide looks into a shared memory now and
then, and what it finds there is a signal to Python: a worker of three lines puts one there at each
tick, and the signal's handler sees where Python is. It takes a page that is isolated from others,
as ours is.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["PageTimeline", "page_timeline"]

_TICKER = """
onmessage = ({ data: [memory, every, number] }) => {
  const signal = new Int32Array(memory, 0, 1), when = new Float64Array(memory, 8, 1);
  setInterval(() => {
    if (Atomics.load(signal, 0) !== 0) return;
    when[0] = performance.timeOrigin + performance.now();
    Atomics.store(signal, 0, number);
  }, every);
};
"""
_SHORTEST = 5.0
"""Milliseconds: browsers make intervals of timers no shorter."""


class PageTimeline:
    """See `amctl.telemetry.profiling.marks.Timeline`.

    Args:
        js: The thread's global scope.
        ffi: Pyodide's way to JavaScript's values.
        pyodide: The running Pyodide.
    """

    def __init__(self, js: Any, ffi: Any, pyodide: Any) -> None:
        self._js, self._ffi, self._pyodide = js, ffi, pyodide
        self._performance = js.performance
        self._ticker: Any = None
        self._when: Any = None

    @property
    def thread(self) -> str:
        """The name of this worker; empty if it is the page itself."""
        return str(self._js.name) if hasattr(self._js, "WorkerGlobalScope") else ""

    def now(self) -> float:
        """Milliseconds since the thread began."""
        return float(self._performance.now())

    def measure(self, name: str, begin: float, end: float) -> None:
        """Show a span, in milliseconds of `now`."""
        from_entries = self._js.Object.fromEntries
        options = self._ffi.to_js({"start": begin, "end": end}, dict_converter=from_entries)
        self._performance.measure(name, options)

    def clear_measures(self) -> None:
        """Take all spans away."""
        self._performance.clearMeasures()

    @property
    def can_tick(self) -> bool:
        """Whether threads may share memory here."""
        return bool(getattr(self._js, "crossOriginIsolated", False))

    def begin_ticks(self, seconds: float, number: int) -> None:
        """Have Python get a signal from time to time, as long as it runs.

        Args:
            seconds: Between two; no less than 5 ms.
            number: Of the signal.
        """
        js = self._js
        memory = js.SharedArrayBuffer.new(16)
        self._when = js.Float64Array.new(memory, 8, 1)
        url = js.URL.createObjectURL(js.Blob.new(js.Array.of(_TICKER)))
        self._ticker = js.Worker.new(url)
        js.URL.revokeObjectURL(url)
        every = max(_SHORTEST, seconds * 1e3)
        self._ticker.postMessage(js.Array.of(memory, every, number))
        self._pyodide.setInterruptBuffer(js.Int32Array.new(memory, 0, 1))

    def tick_time(self) -> float:
        """When the last tick was, in milliseconds of `now`."""
        return float(self._when[0]) - float(self._performance.timeOrigin)

    def end_ticks(self) -> None:
        """No more signals."""
        if self._ticker is not None:
            self._ticker.terminate()
            self._ticker = None
            self._pyodide.setInterruptBuffer(None)


def page_timeline() -> PageTimeline:
    """That of this thread. Raises ImportError outside of Pyodide."""
    # by name: no other Python has these modules, and type checkers no stubs
    names = ("js", "pyodide.ffi", "pyodide_js")
    return PageTimeline(*(import_module(name) for name in names))
