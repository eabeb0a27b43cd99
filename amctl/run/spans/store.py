"""Keeps spans as OTLP JSON lines, OpenTelemetry's own file format: one request a line.

`traces.jsonl` is the present run's; a new run sets the last one aside, as `traces.1.jsonl`, and so
on. A run that writes more than the limit goes on in a new file too.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import IO, TYPE_CHECKING, Any

from amctl.run.spans.wire import count, services
from amctl.telemetry.otlpjson import LAST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["TRACES_FILE", "SpanStore"]

TRACES_FILE = "traces.jsonl"
_LIMIT = 64 << 20
_KEEP = 5

_log = logging.getLogger("amctl.run.spans")


class SpanStore:
    """The files of one folder, for one run.

    Args:
        folder: Where they stand.
        also: Gets each request too, for sending it on.
        limit: Bytes after which a new file begins.
        keep: Files kept beside the present one; older ones go.
    """

    def __init__(
        self,
        folder: Path,
        also: Callable[[dict[str, Any]], object] = lambda request: None,
        *,
        limit: int = _LIMIT,
        keep: int = _KEEP,
    ) -> None:
        self.path = folder / TRACES_FILE
        self.spans = 0
        """Spans that were written."""
        self.failed = 0
        """Spans that could not be written: a full disk, say."""
        self._also, self._limit, self._keep = also, limit, keep
        self._file: IO[bytes] | None = None
        self._size = 0
        self._begun: set[str] = set()
        self._ended: set[str] = set()
        self._changed = asyncio.Event()

    def put(self, request: dict[str, Any]) -> None:
        """Write a checked request. The line is in the system's hands when this returns.

        Raises:
            OSError: It can't be written; nothing of it was.
        """
        number = count(request)
        if number:
            self._write(json.dumps(request, separators=(",", ":")).encode() + b"\n", number)
            self._also(request)
        for service, about in services(request):
            is_last = bool(about.get(LAST, {}).get("boolValue"))
            (self._ended if is_last else self._begun).add(service)
            if not is_last:
                self._ended.discard(service)  # its thread was started again
        self._changed.set()

    async def until_ended(self, names: Iterable[str]) -> None:
        """Wait until those of these services that ever said anything have said their last word.

        Cancelling the wait is safe.
        """
        wanted = set(names)
        while not wanted & self._begun <= self._ended:
            self._changed.clear()
            await self._changed.wait()

    def close(self) -> None:
        """Nothing more comes. Safe to call again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, line: bytes, spans: int) -> None:
        try:
            if self._file is None or self._size + len(line) > self._limit:
                self._next_file()
            assert self._file is not None
            begin = self._size
            try:
                self._file.write(line)
                self._file.flush()
            except OSError:
                # half a line would spoil the next one
                self._file.truncate(begin)
                self._file.seek(begin)
                raise
        except OSError as error:
            self.failed += spans
            _log.warning("%d spans can't be written: %s", spans, error)
            raise
        self._size += len(line)
        self.spans += spans

    def _next_file(self) -> None:
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._set_aside()
        self._file, self._size = self.path.open("xb", buffering=0), 0

    def _set_aside(self) -> None:
        def older(number: int) -> Path:
            return self.path.with_name(f"traces.{number}.jsonl")

        older(self._keep).unlink(missing_ok=True)
        for number in range(self._keep - 1, 0, -1):
            if older(number).exists():
                older(number).replace(older(number + 1))
        if self._keep:
            self.path.replace(older(1))
        else:
            self.path.unlink()
