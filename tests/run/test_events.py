"""The event stream, read over loopback as a browser reads it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from amctl.run.events import EventFeed, events_routes
from amctl.telemetry.snapshot import apply, as_json
from tests.support.fake_run import FakeRun
from tests.support.web_server import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from amctl.telemetry.recorder import Recorder

pytestmark = pytest.mark.realtime


class Frame(NamedTuple):
    event: str
    id: str
    data: Any


class Reader:
    """One stream, frame by frame."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.lines = response.aiter_lines()

    async def __anext__(self) -> Frame:
        fields: dict[str, str] = {}
        async for line in self.lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields:
                return Frame(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
            else:
                assert fields == {"retry": "1000"}
                fields = {}
        raise EOFError

    async def until(self, *kinds: str) -> Frame:
        while True:
            frame = await self.__anext__()
            if frame.event in kinds:
                return frame


@contextlib.asynccontextmanager
async def reading(url: str, last: str = "", query: str = "") -> AsyncIterator[Reader]:
    headers = {"Last-Event-ID": last} if last else {}
    async with (
        httpx.AsyncClient(timeout=10, verify=False) as client,
        client.stream("GET", f"{url}/events{query}", headers=headers) as response,
    ):
        yield Reader(response)


@contextlib.asynccontextmanager
async def serving(feed: EventFeed) -> AsyncIterator[str]:
    async with serve(Starlette(routes=feed.routes)) as url:
        try:
            yield url
        finally:
            feed.recorder.close()


class Watched(EventFeed):
    """Tells when its last reader has gone."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.gone = asyncio.Event()

    def leave(self, wake: asyncio.Event) -> None:
        super().leave(wake)
        if not self.readers:
            self.gone.set()


@pytest.fixture
def run() -> FakeRun:
    """Mid-run: round 1 is going on."""
    fake = FakeRun(boots=False)
    fake.advance(700)
    return fake


async def test_a_new_reader_gets_one_whole_snapshot(run: FakeRun) -> None:
    async with serving(EventFeed(run.recorder)) as url, reading(url) as reader:
        assert reader.response.status_code == 200
        assert reader.response.headers["content-type"].startswith("text/event-stream")
        assert reader.response.headers["cache-control"] == "no-store"
        frame = await reader.__anext__()
    assert frame.event == "snapshot"
    assert frame.id == f"r-7f3a:{run.recorder.seq - 1}"  # the close came after it
    assert [n["id"] for n in frame.data["nodes"]] == run.ids


async def test_changes_are_collected_into_one_delta(run: FakeRun) -> None:
    async with serving(EventFeed(run.recorder)) as url, reading(url) as reader:
        first = await reader.__anext__()
        for _ in range(10):
            run.step()
        second = await reader.__anext__()
        assert second.event == "delta"
        assert second.data["seq"] == run.recorder.seq >= first.data["seq"] + 10
        assert apply(first.data, second.data) == as_json(run.recorder.snapshot())


@pytest.mark.slow
async def test_deltas_alone_lead_to_the_same_end_as_a_whole_snapshot(run: FakeRun) -> None:
    feed = EventFeed(run.recorder, collect=0.001)
    async with serving(feed) as url, reading(url) as reader:
        view = (await reader.__anext__()).data
        while run.next_at is not None:
            run.step()
            run.step() if run.next_at is not None else None
            view = apply(view, (await reader.until("delta")).data)
        end = json.loads(json.dumps(as_json(run.recorder.snapshot())))
        assert view == end


async def test_silence_is_broken_by_a_tick_without_an_id(run: FakeRun) -> None:
    async with serving(EventFeed(run.recorder, tick=0.01)) as url, reading(url) as reader:
        await reader.until("snapshot")
        frame = await reader.__anext__()
        assert frame == ("tick", "", run.now)


@pytest.mark.parametrize("way", ["header", "query"])
async def test_a_reader_that_comes_back_gets_what_it_missed(run: FakeRun, way: str) -> None:
    async with serving(EventFeed(run.recorder)) as url:
        async with reading(url) as reader:
            first = await reader.__anext__()
            run.step()
            second = await reader.until("delta")
        run.step()
        run.step()
        last, query = (first.id, "") if way == "header" else ("", f"?last={first.id}")
        async with reading(url, last, query) as reader:
            again = await reader.__anext__()
            assert (again.event, again.id) == ("delta", second.id)
            missed = await reader.__anext__()
            view = apply(apply(first.data, again.data), missed.data)
            assert view == as_json(run.recorder.snapshot())


@pytest.mark.parametrize(
    "last", ["other:3", "r-7f3a:", "r-7f3a:x", "r-7f3a:-1", "r-7f3a:99999", "r-7f3a:" + "9" * 5000]
)
async def test_an_id_that_means_nothing_gets_a_whole_snapshot(run: FakeRun, last: str) -> None:
    async with serving(EventFeed(run.recorder)) as url, reading(url, last) as reader:
        assert (await reader.__anext__()).event == "snapshot"


async def test_a_reader_that_is_too_far_behind_gets_a_whole_snapshot(run: FakeRun) -> None:
    feed = EventFeed(run.recorder, collect=0.001, ring=4)
    async with serving(feed) as url, reading(url) as reader:
        first = await reader.__anext__()
        for _ in range(6):
            run.step()
            await reader.until("delta")
        async with reading(url, first.id) as late:
            assert (await late.__anext__()).event == "snapshot"


async def test_many_readers_see_the_same_frames(run: FakeRun) -> None:
    feed = EventFeed(run.recorder, max_readers=8)
    async with serving(feed) as url, contextlib.AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(reading(url)) for _ in range(8)]
        firsts = [await reader.__anext__() for reader in readers]
        assert len({f.id for f in firsts}) == 1
        run.step()
        ids = {(await reader.until("delta")).id for reader in readers}
        assert ids == {f"r-7f3a:{run.recorder.seq}"}
        assert feed.readers == 8
        async with httpx.AsyncClient(verify=False) as client:
            assert (await client.get(f"{url}/events")).status_code == 503


async def test_nothing_is_collected_while_nobody_reads(run: FakeRun) -> None:
    feed = Watched(run.recorder)
    async with serving(feed) as url:
        async with reading(url) as reader:
            await reader.__anext__()
        await asyncio.wait_for(feed.gone.wait(), 5)
        run.step()
        assert feed._timer is None
        assert run.recorder._subscribers == []
        async with reading(url) as reader:
            assert (await reader.__anext__()).id == f"r-7f3a:{run.recorder.seq}"


async def test_close_says_bye_and_ends_every_stream(run: FakeRun) -> None:
    async with serving(EventFeed(run.recorder)) as url, reading(url) as reader:
        await reader.until("snapshot")
        run.recorder.say("info", "last words")
        run.recorder.close()
        frame = await reader.__anext__()
        assert frame.data["events"][-1]["text"] == "last words"
        assert await reader.__anext__() == ("bye", "", {})
        with pytest.raises(EOFError):
            await reader.__anext__()
        async with reading(url) as late:
            assert (await late.__anext__()).event == "snapshot"
            assert (await late.__anext__()).event == "bye"


@pytest.mark.slow
async def test_a_reader_that_takes_nothing_is_dropped_and_the_others_are_not(
    run: FakeRun, caplog: pytest.LogCaptureFixture
) -> None:
    feed = EventFeed(run.recorder, collect=0.001, stall=0.05)
    async with serving(feed) as url, reading(url) as reader:
        await reader.until("snapshot")
        stuck = socket.socket()
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", urlsplit(url).port))
        stuck.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.closing(stuck):
            async with asyncio.timeout(20):
                while "dropped a reader" not in caplog.text:
                    run.recorder.say("info", "x" * 100_000)
                    await reader.until("delta")
                while feed.readers > 1:  # noqa: ASYNC110 - it leaves after the word in the log
                    await asyncio.sleep(0.001)
            assert feed.readers == 1


async def test_head_answers_like_get_without_a_body(run: FakeRun) -> None:
    app = Starlette(routes=events_routes(run.recorder))
    async with serve(app) as url, httpx.AsyncClient(verify=False) as client:
        answer = await client.head(f"{url}/events")
        assert (answer.status_code, answer.content) == (200, b"")
        assert (await client.post(f"{url}/events")).status_code == 405
