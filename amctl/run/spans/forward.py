"""Sends spans on to an OTLP receiver, Jaeger say, by OpenTelemetry's own exporters.

They block, and retry by themselves; so they work in a thread, with a queue before it that has an
end. A receiver that is away costs the run nothing: what doesn't fit is dropped, counted and told.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from amctl.run.spans.wire import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Forwarder", "make_exporter"]

_WAITING = 256
_log = logging.getLogger("amctl.run.spans")


class _Exporter(Protocol):
    def export(self, spans: Any) -> Any: ...
    def shutdown(self) -> None: ...


class Forwarder:
    """One receiver.

    Args:
        make: Makes the exporter, when the first spans come; in the worker's thread.
        tell: Told of failures, once.
        most: Requests that wait at most.
    """

    def __init__(
        self,
        make: Callable[[], _Exporter],
        tell: Callable[[str], None],
        *,
        most: int = _WAITING,
    ) -> None:
        self._make, self._tell, self._most = make, tell, most
        self._exporter: _Exporter | None = None
        self._queue: deque[dict[str, Any]] = deque()
        self._work: asyncio.Task[None] | None = None
        self._has_told = False
        self.sent = 0
        """Spans that the receiver took."""
        self.lost = 0
        """Spans that it did not take, or for which there was no room."""

    def put(self, request: dict[str, Any]) -> None:
        """Queue a checked request; returns at once."""
        if len(self._queue) >= self._most:
            self._lose(count(request), "too many wait")
            return
        self._queue.append(request)
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._run())

    async def close(self, grace: float) -> None:
        """Wait until the queue is empty, then end the exporter.

        Args:
            grace: Seconds; what isn't sent by then is lost.
        """
        if self._work is not None:
            await asyncio.wait({self._work}, timeout=grace)
            if not self._work.done():
                self._work.cancel()
        left = sum(map(count, self._queue))
        self._queue.clear()
        if left:
            self._lose(left, "the run has ended")
        if self._exporter is not None:
            self._exporter.shutdown()

    async def _run(self) -> None:
        while self._queue:
            request = self._queue.popleft()
            number = count(request)
            try:
                problem = await asyncio.to_thread(self._send, request)
            except asyncio.CancelledError:
                self._lose(number, "the run has ended")
                raise
            if problem:
                self._lose(number, problem)
            else:
                self.sent += number

    def _send(self, request: dict[str, Any]) -> str:
        """In a thread. What went wrong; empty for nothing."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        from amctl.run.spans.readable import readable_spans

        try:
            if self._exporter is None:
                self._exporter = self._make()
            spans: Sequence[Any] = readable_spans(request)
            done = self._exporter.export(spans)
        except Exception as error:  # whatever an exporter raises must not end the run
            return f"{type(error).__name__}: {error}"
        return "" if done is SpanExportResult.SUCCESS else "the receiver didn't take them"

    def _lose(self, spans: int, why: str) -> None:
        self.lost += spans
        _log.info("%d spans were not sent on: %s", spans, why)
        if not self._has_told:
            self._has_told = True
            self._tell(f"spans aren't sent on: {why}")


def make_exporter(endpoint: str, traces_endpoint: str, protocol: str) -> _Exporter:
    """OpenTelemetry's exporter for a receiver.

    Args:
        endpoint: OTEL_EXPORTER_OTLP_ENDPOINT, a base address.
        traces_endpoint: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, the address itself; it goes first.
        protocol: `grpc`, or `http/protobuf`.
    """
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc

        target = traces_endpoint or endpoint
        return Grpc(endpoint=target, insecure=not target.startswith("https:"))
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http

    return Http(endpoint=traces_endpoint or f"{endpoint.rstrip('/')}/v1/traces")
