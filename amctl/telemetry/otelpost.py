"""Sends spans on when there is time for it: encoded in small portions between other work."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from amctl.machine import TaskSet
from amctl.telemetry.otlpjson import encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from amctl.telemetry.otellight import LightSink

__all__ = ["SpanPoster"]

_PORTION = 64
"""Spans of one object: some milliseconds of encoding in a browser thread."""
_PAUSE = 0.25
"""Seconds for which spans are collected before any is encoded."""
_BACKOFF = (0.25, 0.5, 1.0, 2.0, 5.0)
_log = logging.getLogger("amctl.telemetry.otel")


class SpanPoster:
    """Empties a sink.

    Args:
        sink: What has ended.
        post: Delivers one OTLP JSON object, as text. Raises OSError if that may work later, and
            ValueError if these spans will never be taken.
        is_busy: Whether encoding should wait: work is under way that somebody waits for.
        pause: Seconds for which spans are collected.
        last_word: Say at the end that nothing more will come, for receivers of ours that wait.
    """

    def __init__(
        self,
        sink: LightSink,
        post: Callable[[str], Awaitable[None]],
        *,
        is_busy: Callable[[], bool] = lambda: False,
        pause: float = _PAUSE,
        last_word: bool = False,
    ) -> None:
        self._sink, self._post, self._is_busy, self._pause = sink, post, is_busy, pause
        self._has_last_word = last_word
        self._tasks = TaskSet(f"spans of {sink.service}")
        self._work: asyncio.Task[None] | None = None
        self._told = 0
        self._closing = asyncio.Event()
        self.lost = 0
        """Spans that nobody would take; those without room in the sink come on top."""

    def wake(self) -> None:
        """There is something to send. Does nothing without a loop, or after `close`."""
        if self._work is None and not self._closing.is_set():
            self._work = self._tasks.spawn(self._run(), name=f"spans of {self._sink.service}")

    async def close(self, grace: float) -> int:
        """Send what is left, without pauses.

        Args:
            grace: Seconds; what isn't taken by then is lost.

        Returns:
            How many spans were lost, all in all.
        """
        self._closing.set()
        try:
            async with asyncio.timeout(grace):
                if self._work is not None:
                    await asyncio.wait({self._work})
                await self._drain()
                if self._has_last_word:
                    await self._deliver(encode(self._sink.service, (), last=True), 0)
        except TimeoutError:
            pass
        await self._tasks.close()
        self.lost += len(self._sink.take(len(self._sink)))
        lost = self.lost + self._sink.dropped
        if lost:
            _log.warning("%s: %d spans were lost", self._sink.service, lost)
        return lost

    async def _run(self) -> None:
        try:
            while len(self._sink) and not self._closing.is_set():
                await self._rest(self._pause)
                while self._is_busy() and not self._closing.is_set():
                    await self._rest(self._pause)
                if not self._closing.is_set():
                    await self._drain()
        finally:
            self._work = None

    async def _drain(self) -> None:
        while portion := self._sink.take(_PORTION):
            dropped = self._sink.dropped - self._told
            text = encode(self._sink.service, portion, dropped)
            try:
                await self._deliver(text, len(portion))
            except asyncio.CancelledError:
                self.lost += len(portion)
                raise
            self._told += dropped
            await asyncio.sleep(0)

    async def _deliver(self, text: str, count: int) -> None:
        for attempt in range(1 << 30):
            try:
                await self._post(text)
            except OSError as error:
                wait = _BACKOFF[min(attempt, len(_BACKOFF) - 1)]
                _log.info("%s: spans wait, %s", self._sink.service, error)
                await self._rest(wait)
            except ValueError as error:
                self.lost += count
                _log.warning("%s: %d spans were refused: %s", self._sink.service, count, error)
                return
            else:
                return

    async def _rest(self, seconds: float) -> None:
        """Wait; the end is in a hurry."""
        if self._closing.is_set():
            await asyncio.sleep(min(seconds, 0.05))
            return
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass
