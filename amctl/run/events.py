"""The event stream of a run: GET /events, server-sent events made from a recorder's snapshots.

    retry: 1000
    id: RUN:SEQ     event: snapshot | delta     data: compact JSON
                    event: tick                 data: the run's now_ms, after a second of silence
                    event: bye                  data: {}; the server goes, stop dialling

Changes are collected for a tenth of a second and then encoded once for all readers, so that a
burst is one write and one paint. A reader has no queue, only its place in the ring of the last
deltas: one that is slow, or comes back after a while with the id it saw last (`Last-Event-ID`, or
`?last=` from a page that starts a new stream), gets what it missed, or the whole snapshot if that
is no longer in the ring or is shorter. One that takes nothing for a while is dropped. While nobody
reads, nothing is collected.

HEAD /events answers with the same status and no body: a browser's EventSource hides the status.
Whoever mounts the routes puts the authorisation around them.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from amctl.telemetry.snapshot import as_json, delta

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from amctl.telemetry.recorder import Recorder
    from amctl.telemetry.snapshot import Snapshot

__all__ = ["EventFeed", "events_routes"]

_log = logging.getLogger("amctl.run.events")


def events_routes(recorder: Recorder) -> list[Route]:
    """The route of the event stream of `recorder`; `recorder.close()` ends all its streams."""
    return EventFeed(recorder).routes


class _Change(NamedTuple):
    """A delta, encoded: what turns the snapshot `since` into the one of `seq`."""

    since: int
    seq: int
    frame: bytes


class EventFeed:
    """Follows one recorder for any number of readers.

    Args:
        recorder: What is told.
        collect: Seconds from a change until it is sent, with all that follows it within them.
        tick: Seconds of silence after which a reader is told the time.
        stall: Seconds after which a reader that takes nothing is dropped.
        ring: How many deltas are kept for readers that come back.
        max_readers: More are refused with status 503.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        collect: float = 0.1,
        tick: float = 1.0,
        stall: float = 15.0,
        ring: int = 256,
        max_readers: int = 64,
    ) -> None:
        self.recorder = recorder
        self.tick = tick
        self.stall = stall
        self._collect_after = collect
        self._max_readers = max_readers
        self._ring: deque[_Change] = deque(maxlen=ring)
        self._last = recorder.snapshot()
        self._readers: set[asyncio.Event] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def routes(self) -> list[Route]:
        """GET and HEAD /events."""
        return [Route("/events", self._answer, methods=["GET"])]  # GET brings HEAD

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return len(self._readers)

    async def _answer(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(headers=_HEADERS)
        if len(self._readers) >= self._max_readers:
            return PlainTextResponse("too many readers of the event stream\n", 503)
        asked = request.headers.get("last-event-id") or request.query_params.get("last", "")
        return _Stream(self, self._place(asked))

    def _place(self, asked: str) -> int:
        """The sequence number in an event id of this run; -1 for anything else."""
        run, _, seq = asked.rpartition(":")
        known = run == self.recorder.run.id and seq.isascii() and seq.isdecimal()
        return int(seq) if known and len(seq) < 16 else -1

    # --- collecting

    def enter(self) -> asyncio.Event:
        """A reader comes; the event is set whenever there may be something for it."""
        if self._unsubscribe is None:
            self._collect()
            self._unsubscribe = self.recorder.subscribe(self._changed)
        wake = asyncio.Event()
        self._readers.add(wake)
        return wake

    def leave(self, wake: asyncio.Event) -> None:
        """A reader has gone; after the last one nothing is collected."""
        self._readers.discard(wake)
        if not self._readers and self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _changed(self) -> None:
        if self.recorder.is_closed:
            self._collect()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._collect_after, self._collect)

    def _collect(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        new = self.recorder.snapshot()
        if new.seq != self._last.seq:
            frame = self._frame("delta", new, delta(self._last, new))
            self._ring.append(_Change(self._last.seq, new.seq, frame))
            self._last = new
        for wake in self._readers:
            wake.set()

    def since(self, place: int) -> tuple[bytes, int]:
        """What a reader at `place` has to be sent, and where it stands then."""
        last = self._last.seq
        if place == last:
            return b"", last
        missed = [change for change in self._ring if change.seq > place]
        if place > last or not missed or missed[0].since > place:
            return self._snapshot(), last
        frames = b"".join(change.frame for change in missed)
        if len(missed) > 1 and len(frames) > len(self._snapshot()):
            return self._snapshot(), last
        return frames, last

    def _snapshot(self) -> bytes:
        fresh = self.recorder.snapshot()  # for its time; what is not collected yet comes as a delta
        snap = fresh if fresh.seq == self._last.seq else self._last
        return self._frame("snapshot", snap, as_json(snap))

    def _frame(self, event: str, snap: Snapshot, data: dict[str, Any]) -> bytes:
        text = json.dumps(data, separators=(",", ":"))
        return f"id: {snap.run.id}:{snap.seq}\nevent: {event}\ndata: {text}\n\n".encode()


_HEADERS = {"content-type": "text/event-stream", "cache-control": "no-store"}


class _Stream(Response):
    """The body that one reader gets, for as long as it reads."""

    def __init__(self, feed: EventFeed, place: int) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._feed, self._at = feed, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the recorder is closed, the reader is gone, or it takes nothing."""
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        wake = self._feed.enter()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_until_gone, receive, group.cancel_scope)
                await send(head)
                await self._write(send, wake)
                group.cancel_scope.cancel()
        finally:
            self._feed.leave(wake)

    async def _write(self, send: Send, wake: asyncio.Event) -> None:
        feed = self._feed
        chunk = b"retry: 1000\n\n"
        ended = False
        while not ended:
            wake.clear()
            news, self._at = feed.since(self._at)
            chunk += news
            if feed.recorder.is_closed:
                chunk += b"event: bye\ndata: {}\n\n"
                ended = True
            if chunk:
                body = {"type": "http.response.body", "body": chunk, "more_body": not ended}
                with anyio.move_on_after(feed.stall) as patience:
                    await send(body)
                if patience.cancelled_caught:
                    _log.warning("dropped a reader of events that took none for %g s", feed.stall)
                    return
            chunk = b""
            with anyio.move_on_after(feed.tick) as silence:
                if not ended:
                    await wake.wait()
            if silence.cancelled_caught:
                now = feed.recorder.snapshot().run.now_ms
                chunk = f"event: tick\ndata: {now}\n\n".encode()


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
