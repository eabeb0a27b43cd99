"""Following a run on a console."""

from __future__ import annotations

import asyncio
import io
import itertools
from typing import TYPE_CHECKING, Self

from rich.console import Console, ConsoleDimensions

from amctl.cli.views.watch import LineView, ScreenView, follow, view_for
from tests.support.fake_run import FakeRun

if TYPE_CHECKING:
    import pytest

    from amctl.telemetry.snapshot import Snapshot


class Notes:
    """A view that remembers when it was shown what."""

    def __init__(self, run: FakeRun) -> None:
        self.run = run
        self.shown: list[tuple[float, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def show(self, snap: Snapshot) -> None:
        self.shown.append((round(asyncio.get_running_loop().time(), 3), snap.seq))


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    made = Console(file=file, force_terminal=terminal, width=80, height=24, _environ={})
    return made, file


async def test_follow_shows_at_most_ten_frames_a_second_and_the_last_moment() -> None:
    run = FakeRun()
    notes = Notes(run)
    task = asyncio.ensure_future(follow(run.recorder, notes))
    await run.live()
    run.recorder.close()
    await task
    times = [at for at, _ in notes.shown]
    gaps = [b - a for a, b in itertools.pairwise(times[:-1])]
    assert min(gaps) >= 0.099
    assert max(gaps) <= 1.001
    assert notes.shown[-1][1] == run.recorder.seq


async def test_follow_moves_the_clock_once_a_second_in_silence() -> None:
    run = FakeRun()
    notes = Notes(run)
    task = asyncio.ensure_future(follow(run.recorder, notes))
    await asyncio.sleep(5.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [at for at, _ in notes.shown] == [0, 1, 2, 3, 4, 5, 5.05]
    assert run.recorder._subscribers == []


def test_without_a_terminal_there_are_lines_and_a_summary() -> None:
    run = FakeRun()
    made, file = console(terminal=False)
    view = view_for(made)
    assert isinstance(view, LineView)
    with view:
        view.show(run.recorder.snapshot())
        view.show(run.advance())
    text = file.getvalue()
    assert "browser3 joined\n" in text
    assert "● Verified in round 2  2 results equal their known hashes" in text
    assert "\x1b" not in text


def test_on_a_terminal_the_summary_takes_the_place_of_the_screen() -> None:
    run = FakeRun()
    made, file = console(terminal=True)
    view = view_for(made)
    assert isinstance(view, ScreenView)
    with view:
        view.show(run.advance(9150))
        assert "Running, round 2" in file.getvalue()
        view.show(run.advance())
    assert "Verified in round 2" in file.getvalue()


def test_lines_can_be_had_on_a_terminal_too() -> None:
    made, _ = console(terminal=True)
    assert isinstance(view_for(made, lines=True), LineView)


def test_a_resized_terminal_is_wiped_before_the_next_frame() -> None:
    run = FakeRun()
    made, file = console(terminal=True)
    wipe = "\x1b[2J"
    with view_for(made) as view:
        view.show(run.recorder.snapshot())
        assert wipe not in file.getvalue()
        made.size = ConsoleDimensions(60, 20)
        view.show(run.advance(9150))
        view.show(run.recorder.snapshot())
    assert file.getvalue().count(wipe) == 1
    assert "Running, round 2" in file.getvalue().partition(wipe)[2]


def test_a_view_that_was_never_shown_anything_says_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made, file = console(terminal=False)
    with view_for(made):
        pass
    assert file.getvalue() == ""
