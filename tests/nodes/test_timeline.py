"""The timeline of a browser's thread, on a JavaScript of tests."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from nodes.timeline import PageTimeline, page_timeline


class Made:
    """Something that `new` made."""

    def __init__(self, kind: str, words: tuple[Any, ...]) -> None:
        self.kind, self.words = kind, words
        self.told: list[Any] = []

    def __getitem__(self, index: int) -> float:
        return 1234.5

    def postMessage(self, message: Any) -> None:
        self.told.append(message)

    def terminate(self) -> None:
        self.told.append("terminated")


class World:
    """A browser's thread."""

    def __init__(self, **scope: Any) -> None:
        self.made: dict[str, Made] = {}
        self.measured: list[Any] = []
        self.buffers: list[Any] = []
        kinds = ("SharedArrayBuffer", "Float64Array", "Int32Array", "Blob", "Worker")
        self.js = SimpleNamespace(
            performance=SimpleNamespace(
                now=lambda: 12.0,
                timeOrigin=1000.0,
                measure=lambda *words: self.measured.append(words),
                clearMeasures=self.measured.clear,
            ),
            Object=SimpleNamespace(fromEntries=dict),
            Array=SimpleNamespace(of=lambda *items: list(items)),
            URL=SimpleNamespace(createObjectURL=lambda blob: "blob:x", revokeObjectURL=print),
            **{kind: SimpleNamespace(new=self._maker(kind)) for kind in kinds},
            **scope,
        )
        self.timeline = PageTimeline(
            self.js,
            SimpleNamespace(to_js=lambda value, dict_converter: value),
            SimpleNamespace(setInterruptBuffer=self.buffers.append),
        )

    def _maker(self, kind: str) -> Any:
        def new(*words: Any) -> Made:
            self.made[kind] = Made(kind, words)
            return self.made[kind]

        return new


def test_it_knows_its_thread() -> None:
    assert World(WorkerGlobalScope=1, name="browser3").timeline.thread == "browser3"
    assert World(name="a window").timeline.thread == ""


def test_spans_are_shown_and_taken_away() -> None:
    world = World()
    world.timeline.measure("m AState", 1.0, 2.0)
    assert world.measured == [("m AState", {"start": 1.0, "end": 2.0})]
    world.timeline.clear_measures()
    assert world.measured == []
    assert world.timeline.now() == 12.0


def test_it_ticks_where_threads_may_share_memory() -> None:
    assert World(crossOriginIsolated=True).timeline.can_tick
    assert not World(crossOriginIsolated=False).timeline.can_tick
    assert not World().timeline.can_tick


@pytest.mark.parametrize(("seconds", "every"), [(0.01, 10.0), (0.001, 5.0)])
def test_ticks_come_through_shared_memory_until_they_end(seconds: float, every: float) -> None:
    world = World()
    world.timeline.begin_ticks(seconds, 14)
    memory, worker = world.made["SharedArrayBuffer"], world.made["Worker"]
    assert worker.told == [[memory, every, 14]]
    assert "Atomics.store" in world.made["Blob"].words[0][0]
    assert world.buffers == [world.made["Int32Array"]]
    assert world.timeline.tick_time() == 234.5
    world.timeline.end_ticks()
    world.timeline.end_ticks()
    assert worker.told[1:] == ["terminated"]
    assert world.buffers[1:] == [None]


def test_there_is_none_outside_of_a_browser() -> None:
    with pytest.raises(ImportError):
        page_timeline()
