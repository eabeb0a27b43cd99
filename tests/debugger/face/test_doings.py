"""What keys and tools do besides moving."""

from __future__ import annotations

from amctl.debugger.face.clients import ClientList
from amctl.debugger.face.timelines import TxLine
from amctl.debugger.face.toolbar import Toolbar
from tests.debugger.face.stage import Stage, text_of


async def test_s3_alt_f_goes_between_toolbar_and_machines() -> None:
    clients, bar = ClientList(), Toolbar()
    app = Stage(clients, bar)
    async with app.run_test(size=(120, 20)) as pilot:
        app.action_focus_toolbar()
        await pilot.pause()
        assert app.focused is bar
        app.action_focus_toolbar()
        await pilot.pause()
        assert app.focused is clients
        clients.display = False
        bar.focus()
        await pilot.pause()
        app.action_focus_toolbar()  # there is no list of machines


async def test_s22_a_stack_trace_opens_above_the_rest() -> None:
    app = Stage(TxLine())
    async with app.run_test(size=(80, 20)) as pilot:
        app.run_worker(app.show_text("Stack trace", "one\n\ttwo"))
        await pilot.pause()
        page = app.screen.query_one("#page")
        assert text_of(page).splitlines()[:2] == ["one", "    two"]  # type: ignore[arg-type]
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


async def test_s47_the_screen_as_text() -> None:
    app = Stage(TxLine())
    async with app.run_test(size=(80, 5)) as pilot:
        await pilot.pause()
        assert "Transition 3 / 7" in app.screen_text()
