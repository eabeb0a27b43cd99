"""The timelines (debugger_ui.md 27, 28, 33)."""

from __future__ import annotations

from textual import events

from amctl.debugger.face.timelines import StepLine, TxLine
from amctl.debugger.filters import Filters
from amctl.debugger.index import Place
from tests.debugger.face.stage import Stage, lines_of, needs_workflow, workflow
from tests.debugger.panes import at


def filled(pane: TxLine | StepLine) -> int:
    """Cells of it that are filled."""
    y, found = pane.content_region.y, 0
    strip = pane.screen._compositor.render_strips(pane.app.size)[y]
    x = 0
    for text, style, _ in strip:
        back = style.bgcolor.get_truecolor().hex if style and style.bgcolor else ""
        if back == "#d0d0d0":
            found += len(text)
        x += len(text)
    return found


async def test_s27_title_and_fill() -> None:
    line = TxLine()
    app = Stage(line)
    async with app.run_test(size=(72, 6)) as pilot:
        await pilot.pause()
        assert line.border_title == "Transition 3 / 7"
        assert filled(line) == 30
        app.session.set_filters(Filters(canceled=True))
        app.changed()
        await pilot.pause()
        assert line.border_title == "Transition 3 / 6 [dim]3 / 7[/dim]"
        app.action_first()
        await pilot.pause()
        assert filled(line) == 0


async def test_s27_wheel_is_five_transitions() -> None:
    line = TxLine()
    app = Stage(line, session=at(0))
    async with app.run_test(size=(72, 6)) as pilot:
        await pilot._post_mouse_events([events.MouseScrollDown], line, offset=(5, 1))
        await pilot.pause()
        assert app.session.cursor == 5
        await pilot._post_mouse_events([events.MouseScrollUp], line, offset=(5, 1))
        await pilot.pause()
        assert app.session.cursor == 0


async def test_s27_a_click_leads_to_its_part_of_it() -> None:
    line = TxLine()
    app = Stage(line)
    async with app.run_test(size=(72, 6)) as pilot:
        await pilot.click(line, offset=(70, 1))
        assert app.session.cursor == 7
        await pilot.click(line, offset=(31, 1))
        assert app.session.cursor == 3
        await pilot.click(line, offset=(0, 1))
        assert app.session.cursor == 0


async def test_s27_errors_and_canceled_ones_are_marked() -> None:
    line = TxLine()
    app = Stage(line, session=at(0))
    async with app.run_test(size=(72, 6)) as pilot:
        await pilot.pause()
        assert lines_of(line)[0].count("▁") >= 2


async def test_s28_step_timeline() -> None:
    line = StepLine()
    app = Stage(line, session=at(2))
    async with app.run_test(size=(62, 6)) as pilot:
        await pilot.pause()
        assert line.border_title == "Next mutation step 0 / 6"
        assert filled(line) == 0
        app.action_next_step()
        await pilot.pause()
        assert line.border_title == "Next mutation step 1 / 6"
        assert filled(line) == 10
        await pilot.click(line, offset=(60, 1))
        assert app.session.step == 6
        await pilot.click(line, offset=(30, 1))
        assert app.session.step == 3
        await pilot._post_mouse_events([events.MouseScrollDown], line, offset=(5, 1))
        await pilot.pause()
        assert app.session.step == 4


async def test_s28_canceled_is_grey_and_red_at_its_last_step() -> None:
    line = StepLine()
    app = Stage(line, session=at(3))
    async with app.run_test(size=(62, 6)) as pilot:
        app.action_next_step()
        await pilot.pause()
        assert (line.line.is_canceled, line.line.is_last) == (True, False)
        assert line.strip(60)[0][1] == line.ink("dim")
        app.action_next_step()
        await pilot.pause()
        assert line.strip(60)[0][1] == line.ink("error")


async def test_s33_arrows_step_while_the_step_timeline_is_in_focus() -> None:
    tx, steps = TxLine(), StepLine()
    app = Stage(tx, steps, session=at(2))
    async with app.run_test(size=(62, 8)) as pilot:
        steps.focus()
        await pilot.pause()
        app.action_right()
        assert (app.session.cursor, app.session.step) == (2, 1)
        tx.focus()
        await pilot.pause()
        app.action_right()
        assert (app.session.cursor, app.session.step) == (3, 0)


async def test_without_a_border_the_title_stands_in_the_line() -> None:
    line = TxLine()
    app = Stage(line)
    async with app.run_test(size=(40, 4)) as pilot:
        line.styles.border = ("none", "white")
        line.styles.height = 1
        await pilot.pause()
        await pilot.pause()
        assert lines_of(line)[0].startswith("Transition 3 / 7")


@needs_workflow
async def test_s27_on_the_recorded_run() -> None:
    line = TxLine()
    app = Stage(line, session=workflow("orchestrator", 111))
    async with app.run_test(size=(102, 6)) as pilot:
        await pilot.pause()
        assert line.border_title == "Transition 111 / 234"
        await pilot.click(line, offset=(50, 1))
        assert app.session.cursor == 117
        app.session.go(Place("orchestrator", 234))
        app.changed()
        await pilot.pause()
        assert filled(line) == 100
