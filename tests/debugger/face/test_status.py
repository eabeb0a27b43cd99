"""The status bar (debugger_ui.md 51)."""

from __future__ import annotations

from amctl.debugger.face.status import StatusBar
from amctl.debugger.session import Moved
from tests.debugger.face.screens import drive
from tests.debugger.face.stage import Stage, text_of
from tests.debugger.panes import at


async def test_s51_it_tells_state_share_time_and_step() -> None:
    bar = StatusBar()
    session = at(3)
    session.select_state("On")
    app = Stage(bar, session=session)
    async with app.run_test(size=(120, 3)) as pilot:
        await pilot.pause()
        text = text_of(bar).splitlines()[0]
        assert text.startswith("On | idx: 1 | tick: 1 | showing 7 of 7, 4 dropped | Graph:t4")
        app.action_next_step()
        await pilot.pause()
        assert text_of(bar).splitlines()[0].endswith("called Off")


async def test_what_led_nowhere_is_told_until_one_goes_on() -> None:
    async with drive(at(7), size=(120, 30)) as d:
        await d.press("right")
        assert d.text("status").startswith("there is none behind it")
        await d.press("left")
        assert "none behind" not in d.text("status")
        d.app.act(Moved(False, "no such place", "try another"))
        await d.settle()
        assert d.text("status").startswith("no such place; try another")
        await d.click("status", 3)
        assert "no such place" not in d.text("status")
