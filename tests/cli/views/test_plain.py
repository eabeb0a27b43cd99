"""A run as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.cli.views.plain import plain
from tests.support.fake_run import FakeRun

if TYPE_CHECKING:
    from collections.abc import Callable


def lines_of(run: FakeRun) -> list[str]:
    old, out = None, []
    while run.next_at is not None:
        new = run.recorder.snapshot()
        out += plain(old, new)
        old = new
        run.step()
    return [*out, *plain(old, run.recorder.snapshot())]


def test_a_normal_run_is_told_in_a_few_lines(golden: Callable[[str, str], None]) -> None:
    lines = lines_of(FakeRun())
    assert len(lines) < 20
    golden("views/plain_four.txt", "\n".join(lines) + "\n")


def test_neither_progress_nor_beginnings_are_told() -> None:
    run = FakeRun(boots=False)
    old = run.advance(400)
    new = run.advance(600)
    assert new.run.executions > 0
    assert list(plain(old, new)) == []


def test_what_two_snapshots_share_is_told_once() -> None:
    run = FakeRun(boots=False)
    first = run.advance(0)
    assert len(list(plain(None, first))) == 4
    assert list(plain(first, first)) == []


def test_long_silence_is_broken_once_per_span() -> None:
    run = FakeRun()
    run.advance(3000)
    told = []
    old = run.recorder.snapshot()
    for at in range(4000, 50_000, 1000):
        run.now = at
        new = run.recorder.snapshot()
        told += plain(old, new)
        old = new
    assert [line.split("s  ")[0].strip() for line in told] == ["15.0", "30.0", "45.0"]
    assert "still here: Loading Python; " in told[0]


def test_nothing_is_said_after_the_end() -> None:
    run = FakeRun()
    old = run.advance()
    run.now += 100_000
    assert list(plain(old, run.recorder.snapshot())) == []
