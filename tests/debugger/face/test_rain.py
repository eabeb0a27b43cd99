"""Rain (debugger_ui.md 41)."""

from __future__ import annotations

from amctl.debugger.face.rain import RainPane
from amctl.debugger.filters import Filters
from tests.debugger.face.stage import Stage, lines_of, needs_workflow, workflow
from tests.debugger.panes import at


async def test_s41_a_row_for_each_transition() -> None:
    pane = RainPane()
    app = Stage(pane)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        rows = [line.rstrip() for line in lines_of(pane)]
        assert rows[:5] == [
            "2.1.  1 1970-01-01 00:16:41.000000000",
            "1*1.  2 1970-01-01 00:16:42.000000000",
            "22|.  3 1970-01-01 00:16:43.000000000",
            "11c.  4 1970-01-01 00:16:44.000000000",
            "11.2  5 1970-01-01 00:16:45.000000000",
        ]


async def test_s41_a_click_selects_the_state_and_goes_there() -> None:
    pane = RainPane()
    app = Stage(pane)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.click(pane, offset=(3, 5))
        await pilot.pause()
        assert (app.session.state, app.session.cursor) == ("Off", 5)
        assert pane.border_title == "Rain Off"
        await pilot.hover(pane, offset=(2, 2))
        assert pane.tooltip == "On"


async def test_s41_arrows_move_by_transitions_and_states() -> None:
    pane = RainPane()
    app = Stage(pane)
    async with app.run_test(size=(60, 12)) as pilot:
        pane.focus()
        await pilot.press("down", "right", "right")
        assert (app.session.cursor, app.session.state) == (4, "On")
        await pilot.press("up", "k", "left")
        assert (app.session.cursor, app.session.state) == (2, "Plugged")
        pane.page(1)
        assert app.session.cursor == 7


async def test_s41_filters_take_rows_out_and_the_cursors_stays() -> None:
    pane = RainPane()
    app = Stage(pane, session=at(5))
    async with app.run_test(size=(60, 12)) as pilot:
        app.session.set_filters(Filters(canceled=True))
        app.changed()
        await pilot.pause()
        assert [line.split()[1] for line in lines_of(pane) if line.strip()][:4] == list("1235")


@needs_workflow
async def test_s41_the_cursors_row_is_on_the_screen() -> None:
    pane = RainPane()
    app = Stage(pane, session=workflow("orchestrator", 111))
    async with app.run_test(size=(100, 20)) as pilot:
        await pilot.pause()
        assert any(" 111 " in line for line in lines_of(pane))
        app.action_last()
        await pilot.pause()
        assert any(" 234 " in line for line in lines_of(pane))
        app.action_first()
        await pilot.pause()
        assert " 1 " in lines_of(pane)[0]
