"""Handlers as spans."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from amctl.machine import Machine
from amctl.telemetry.profiling import marks as room
from amctl.telemetry.profiling.marks import HandlerMarks, Span, spans_data
from tests.telemetry.profiling.timeline import FakeTimeline

if TYPE_CHECKING:
    import pytest

    from amctl.machine import Event


class Inner:
    def BState(self, e: Event) -> None:
        pass


def test_handlers_are_measured_while_it_is_on_and_nest() -> None:
    timeline = FakeTimeline()
    timeline.measure("of an earlier profile", 0, 0)
    marks = HandlerMarks(timeline)
    inner = Machine("inner", {"B": {}})
    outer = Machine("outer", {"A": {}})

    class Outer:
        def AState(self, e: Event) -> None:
            inner.add("B")

    outer.bind(Outer())
    inner.bind(Inner())
    marks.start()
    zero = timeline.time
    outer.add("A")
    assert [name for name, _, _ in timeline.told] == ["inner BState", "outer AState"]
    (_, begin, end), (_, outer_begin, outer_end) = timeline.told
    assert outer_begin < begin < end < outer_end
    assert marks.spans[0] == Span("inner BState", begin - zero, end - zero, False)
    child = Machine("child", {"B": {}}, parent=outer)
    child.bind(Inner())
    child.add("B")
    assert timeline.told[-1][0] == "child BState"
    marks.stop()
    outer.remove("A")
    outer.add("A")
    assert len(timeline.told) == 3
    assert not outer.tracers
    for machine in (inner, outer):
        machine.dispose()


async def test_coroutine_handlers_are_spans_of_their_whole_life() -> None:
    class Handlers:
        async def AState(self, e: Event) -> None:
            await asyncio.sleep(1)

        async def BState(self, e: Event) -> None:
            await asyncio.sleep(10)

    machine = Machine("m", {"A": {}, "B": {}})
    machine.bind(Handlers())
    machine.add("B")
    marks = HandlerMarks(FakeTimeline())
    marks.start()
    machine.add("A")
    await asyncio.sleep(2)
    assert [(span.name, span.waits) for span in marks.spans if span.waits] == [("m AState", True)]
    marks.stop()
    names = [span.name for span in marks.spans if span.waits]
    assert names == ["m AState", "m BState"], "what ran before and after is cut, not lost"
    machine.dispose()


def test_no_more_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST", 2)
    marks = HandlerMarks(FakeTimeline())
    machine = Machine("m", {"B": {}})
    machine.bind(Inner())
    marks.start()
    for _ in range(3):
        machine.add("B")
        machine.remove("B")
    marks.stop()
    assert (len(marks.spans), marks.dropped) == (2, 1)
    machine.dispose()


def test_data_tells_the_longest_by_their_begin() -> None:
    spans = [Span("b", 5.0, 6.0, False), Span("a", 0.0, 0.5, True), Span("b", 1.0, 9.0, False)]
    assert spans_data(spans, 2) == {
        "names": ["b"],
        "rows": [[0, 1000, 8000, 0], [0, 5000, 1000, 0]],
        "left_out": 1,
    }
    assert spans_data([], 2) == {"names": [], "rows": [], "left_out": 0}
