"""Deltas, and what a reader makes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.telemetry.recorder import Recorder
from amctl.telemetry.snapshot import (
    LISTS,
    Boot,
    Check,
    Link,
    Node,
    Run,
    apply,
    as_json,
    delta,
)
from tests.support.fake_run import FakeRun

if TYPE_CHECKING:
    from collections.abc import Callable

IDS = ("a", "b", "c")
id_of = st.sampled_from(IDS)
MOMENTS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "boot": (id_of, st.builds(Boot, st.integers(1, 5), st.just(5), st.just("step"))),
    "joining": (id_of,),
    "joined": (id_of,),
    "lost": (id_of,),
    "begin_round": (),
    "interrupted": (),
    "sending": (id_of, id_of),
    "begin": (id_of,),
    "progress": (id_of, st.floats(0, 1)),
    "failed": (id_of, st.sampled_from(("failed", "timeout"))),
    "delivered": (id_of, st.sampled_from(("aa", "bb"))),
    "canceled": (id_of,),
    "gave_up": (id_of,),
    "verified": (st.lists(id_of, unique=True), st.just(())),
    "finish": (st.sampled_from(("succeeded", "failed", "stopped")),),
    "light": (st.sampled_from((*IDS, "relay", "new")), st.sampled_from(("up", "down"))),
    "link": (st.just(Link("log", "Log", "", "tmp/log")),),
    "say": (st.just("info"), st.just("hello")),
}
moment = st.sampled_from(sorted(MOMENTS)).flatmap(
    lambda name: st.tuples(st.just(name), st.tuples(*MOMENTS[name]))
)


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def recorder(clock: Callable[[], int]) -> Recorder:
    return Recorder(
        Run(id="r", workflow="w", started_at="2026-01-01T00:00:00Z"),
        clock,
        [
            Node(id="a", thread="ui", host="a"),
            Node(id="b", thread="worker", host="b", deps=("a",)),
            Node(id="c", thread="local", host="c", deps=("a", "b")),
        ],
        [Check("c", "aa")],
    )


@pytest.mark.slow
@given(st.lists(st.lists(moment, max_size=8), max_size=12))
def test_applying_each_delta_gives_the_new_snapshot(batches: list[list[Any]]) -> None:
    """Whatever happens, in whatever order, and however many moments a delta collects."""
    now = 0
    rec = recorder(lambda: now)
    old = rec.snapshot()
    view = as_json(old)
    for batch in batches:
        for name, args in batch:
            now += 7
            getattr(rec, name)(*args)
        new = rec.snapshot()
        view = apply(view, plain(delta(old, new)))
        assert view == plain(as_json(new))
        old = new


def test_a_long_run_reaches_the_limits_and_the_reader_forgets_the_same() -> None:
    rec = recorder(lambda: 0)
    old = rec.snapshot()
    view = as_json(old)
    for id in IDS:
        rec.joined(id)
    for _ in range(130):
        rec.begin_round()
        rec.begin("a")
        new = rec.snapshot()
        view = apply(view, plain(delta(old, new)))
        assert view == plain(as_json(new))
        old = new


@pytest.mark.parametrize("name", ["four", "seven"])
def test_every_step_of_a_run_can_be_told_by_deltas(name: str) -> None:
    run = FakeRun(name)
    old = run.recorder.snapshot()
    view = as_json(old)
    while run.next_at is not None:
        run.step()
        new = run.recorder.snapshot()
        view = apply(view, delta(old, new))
        old = new
    assert view == as_json(run.recorder.snapshot())


def test_a_delta_holds_whole_items_of_changed_lists_only() -> None:
    rec = recorder(lambda: 3)
    old = rec.snapshot()
    rec.light("relay", "up", "here")
    change = delta(old, rec.snapshot())
    relay = {"id": "relay", "label": "relay", "state": "up", "detail": "here"}
    assert change == {"seq": 1, "run": as_json(rec.snapshot().run), "lights": [relay]}


def test_apply_touches_neither_of_its_arguments() -> None:
    rec = recorder(lambda: 0)
    old = rec.snapshot()
    base = as_json(old)
    before = plain(base)
    rec.joined("a")
    apply(base, delta(old, rec.snapshot()))
    assert base == before


def test_json_has_every_list_and_nested_items() -> None:
    rec = recorder(lambda: 0)
    rec.boot("a", Boot(1, 5, "Fetching", 1, 2))
    out = as_json(rec.snapshot())
    assert set(out) == {"seq", "run", *LISTS}
    assert out["nodes"][0]["boot"] == {
        "step": 1,
        "of": 5,
        "label": "Fetching",
        "done": 1,
        "total": 2,
    }
    assert out == plain(out)
