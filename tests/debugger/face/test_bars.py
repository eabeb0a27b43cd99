"""The bars (debugger_ui.md 30)."""

from __future__ import annotations

import pytest

from amctl.debugger.face.bars import TxBar, left_pieces, right_pieces
from amctl.debugger.views import Bar
from tests.debugger.face.stage import Stage, needs_workflow, text_of, workflow
from tests.debugger.panes import at


@pytest.mark.parametrize(
    ("cursor", "text"),
    [
        (0, "Paused  | schema"),
        (1, "Paused  | tx: 1 | Time: +2 | add: Plugged"),
        (2, "Paused  | tx: 2 | Time:  0 | q add: On"),
        (4, "Paused  | tx: 4 | Time:  0 | add: Off"),
        (5, "Paused  | tx: 5 | Time: +1 | add: multi ErrBulb"),
    ],
)
async def test_s30_the_left_part(cursor: int, text: str) -> None:
    bar = TxBar()
    app = Stage(bar, session=at(cursor))
    async with app.run_test(size=(120, 4)) as pilot:
        await pilot.pause()
        assert text_of(bar).startswith(text)


async def test_s30_the_right_part() -> None:
    bar, ahead = TxBar(), TxBar(ahead=True)
    app = Stage(bar, ahead, session=at(3))
    async with app.run_test(size=(120, 4)) as pilot:
        await pilot.pause()
        assert text_of(bar).endswith("add: 1 | rm: 1 | touch: 3 | 00:16:43.000000000")
        assert text_of(ahead).startswith("Next    | tx: 4 ")
        assert "canceled | add: 0" in text_of(ahead)


async def test_s30_titles() -> None:
    bar, ahead = TxBar(), TxBar(ahead=True)
    app = Stage(bar, ahead, session=at(3))
    async with app.run_test(size=(120, 4)) as pilot:
        app.action_tail()
        await pilot.pause()
        assert text_of(bar).startswith("Tail ")
        assert text_of(ahead).rstrip() == "Next    | no more"
        app.action_first()
        app.action_play()
        await pilot.pause()
        assert text_of(bar).startswith("Playing")
        app.play_on()
        await pilot.pause()
        assert text_of(bar).startswith("Playing | tx: 1 ")
        app.action_play()


def test_s30_the_first_digit_that_differs_is_bold() -> None:
    bar = Bar("Paused", 3, wall="2024-07-22 13:29:29.660639040", wall_ns=1, differs_at=23)
    assert right_pieces(bar)[-3:] == [("13:29:29.660", "dim"), ("6", "bold"), ("39040", "dim")]
    whole = Bar("Paused", 3, wall="2024-07-22 13:29:29.660639040", wall_ns=1, differs_at=9)
    assert right_pieces(whole)[-1] == ("13:29:29.660639040", "bold")
    assert right_pieces(Bar("Paused", 3))[-1] == ("no time", "dim")


def test_s30_a_restart_is_told() -> None:
    assert ("restart ", "heading") in left_pieces(Bar("Paused", 3, is_restart=True), "Paused")


async def test_in_a_narrow_terminal_the_right_part_gives_way() -> None:
    bar = TxBar()
    app = Stage(bar)
    async with app.run_test(size=(40, 4)) as pilot:
        await pilot.pause()
        assert text_of(bar).startswith("Paused  | tx: 3 ")
        assert len(text_of(bar)) <= 40


async def test_a_click_on_the_next_one_steps_into_it() -> None:
    bar = TxBar(ahead=True)
    app = Stage(bar)
    async with app.run_test(size=(80, 4)) as pilot:
        await pilot.click(bar)
        assert app.session.step == 1
        await pilot.click(bar)
        assert app.session.step == 0


@needs_workflow
async def test_s30_on_the_recorded_run() -> None:
    """The bars of the picture of the original (wasm-workflow-am-dbg.png)."""
    bar, ahead = TxBar(), TxBar(ahead=True)
    app = Stage(bar, ahead, session=workflow("orchestrator", 111))
    async with app.run_test(size=(140, 4)) as pilot:
        await pilot.pause()
        assert text_of(bar).startswith("Paused  | tx: 111 | Time: ")
        assert text_of(ahead).startswith("Next    | tx: 112 | Time: ")
