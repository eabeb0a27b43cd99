"""The matrix (debugger_ui.md 40)."""

from __future__ import annotations

from amctl.debugger.face.matrix import MatrixPane
from tests.debugger.face.stage import Stage, lines_of, needs_workflow, workflow
from tests.debugger.panes import at


async def test_s40_called_differences_and_the_square() -> None:
    pane = MatrixPane()
    app = Stage(pane)
    async with app.run_test(size=(60, 14)) as pilot:
        await pilot.pause()
        assert pane.border_title == "Matrix +2 t4"
        assert [line.rstrip() for line in lines_of(pane)][:8] == [
            "called       1",
            "",
            "ticks        1  1",
            "#         0  1  2  3",
            "Plugged   .  1  .  .",
            "On        . 38  .  .",
            "Off       .  1  8  .",
            "ErrBulb   .  .  .  .",
        ]


async def test_s40_while_stepping_it_fills_up() -> None:
    pane = MatrixPane()
    app = Stage(pane, session=at(2, step=2))
    async with app.run_test(size=(60, 14)) as pilot:
        await pilot.pause()
        before = lines_of(pane)[4:8]
        app.action_next_step()
        await pilot.pause()
        assert lines_of(pane)[4:8] != before


async def test_s40_arrows_and_clicks_select_a_state() -> None:
    pane = MatrixPane()
    app = Stage(pane)
    async with app.run_test(size=(60, 14)) as pilot:
        pane.focus()
        await pilot.press("down", "down")
        assert app.session.state == "On"
        await pilot.press("up")
        assert app.session.state == "Plugged"
        await pilot.click(pane, offset=(2, 8))
        assert app.session.state == "ErrBulb"
        await pilot.click(pane, offset=(11, 6))
        assert app.session.state == "Plugged"


async def test_before_the_first_transition_it_says_so() -> None:
    pane = MatrixPane()
    app = Stage(pane, session=at(0))
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.pause()
        assert lines_of(pane)[0].strip() == "no transition is here"


@needs_workflow
async def test_s40_scrolls_over_many_states() -> None:
    pane = MatrixPane()
    app = Stage(pane, session=workflow("orchestrator", 111))
    async with app.run_test(size=(60, 14)) as pilot:
        pane.focus()
        await pilot.pause()
        assert pane.virtual_size.height == 4 + 45
        await pilot.press("right")
        pane.page(1)
        await pilot.pause()
        assert pane.scroll_offset.x > 0
        assert pane.scroll_offset.y > 0
