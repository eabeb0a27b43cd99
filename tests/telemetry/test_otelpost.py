"""Sending spans on: when there is time, again when it fails, and never for ever."""

from __future__ import annotations

import asyncio
import json

import pytest

from amctl.telemetry.otellight import LightSink
from amctl.telemetry.otelpost import SpanPoster


class Office:
    """Takes what is posted, unless told otherwise."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.errors: list[Exception] = []
        self.stuck = False
        self.calls = 0

    async def post(self, text: str) -> None:
        self.calls += 1
        if self.stuck:
            await asyncio.Event().wait()
        if self.errors:
            raise self.errors.pop(0)
        spans = json.loads(text)["resourceSpans"][0]["scopeSpans"][0]["spans"]
        self.taken += [span["name"] for span in spans]


@pytest.fixture
def office() -> Office:
    return Office()


def made(office: Office, **options: object) -> tuple[LightSink, SpanPoster]:
    sink = LightSink("s", lambda: poster.wake())
    poster = SpanPoster(sink, office.post, **options)  # type: ignore[arg-type]
    return sink, poster


def end(sink: LightSink, *names: str) -> None:
    for name in names:
        sink.start(name, None, 1).end(2)


async def test_spans_are_collected_for_a_moment_then_sent(office: Office) -> None:
    sink, poster = made(office)
    end(sink, "a")
    await asyncio.sleep(0.1)
    end(sink, "b")
    assert office.taken == []
    await asyncio.sleep(0.3)
    assert (office.taken, office.calls) == (["a", "b"], 1)
    end(sink, "c")
    await asyncio.sleep(0.3)
    assert office.taken == ["a", "b", "c"]
    assert await poster.close(1.0) == 0


async def test_many_go_in_portions(office: Office) -> None:
    sink, poster = made(office)
    end(sink, *map(str, range(150)))
    await asyncio.sleep(0.3)
    assert (len(office.taken), office.calls) == (150, 3)
    await poster.close(1.0)


async def test_it_waits_while_work_is_under_way(office: Office) -> None:
    busy = [True]
    sink, poster = made(office, is_busy=lambda: busy[0])
    end(sink, "a")
    await asyncio.sleep(2.0)
    assert office.taken == []
    busy.clear()
    busy.append(False)
    await asyncio.sleep(0.6)
    assert office.taken == ["a"]
    await poster.close(1.0)


async def test_what_fails_is_tried_again(office: Office) -> None:
    office.errors = [OSError("away"), OSError("still away")]
    sink, poster = made(office)
    end(sink, "a")
    await asyncio.sleep(2.0)
    assert (office.taken, office.calls) == (["a"], 3)
    assert await poster.close(1.0) == 0


async def test_what_is_refused_is_lost_and_told(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.errors = [ValueError("too big")]
    sink, poster = made(office)
    end(sink, "a")
    await asyncio.sleep(0.3)
    end(sink, "b")
    await asyncio.sleep(0.3)
    assert office.taken == ["b"]
    assert await poster.close(1.0) == 1
    assert "1 spans were refused: too big" in caplog.text


async def test_closing_sends_what_is_left_at_once(office: Office) -> None:
    sink, poster = made(office, is_busy=lambda: True)
    end(sink, "a", "b")
    assert await poster.close(1.0) == 0
    assert office.taken == ["a", "b"]
    end(sink, "late")
    await asyncio.sleep(1.0)
    assert office.taken == ["a", "b"]


async def test_closing_gives_up_in_time_and_says_what_is_lost(office: Office) -> None:
    office.stuck = True
    sink, poster = made(office)
    end(sink, *map(str, range(100)))
    await asyncio.sleep(0.3)
    began = asyncio.get_running_loop().time()
    assert await poster.close(1.0) == 100
    assert asyncio.get_running_loop().time() - began == pytest.approx(1.0)


async def test_nothing_to_send_costs_nothing(office: Office) -> None:
    _, poster = made(office)
    assert await poster.close(1.0) == 0
    assert office.calls == 0
