"""The reader's pane (debugger_ui.md 2.4)."""

from __future__ import annotations

from amctl.debugger.face.reader import ReaderPane
from amctl.debugger.index import Place
from tests.debugger.face.screens import drive, run
from tests.debugger.face.stage import Stage, text_of
from tests.debugger.panes import at


async def test_s21_sections_close_and_open() -> None:
    pane = ReaderPane()
    app = Stage(pane, session=at(3))
    async with app.run_test(size=(50, 30)) as pilot:
        await pilot.pause()
        assert text_of(pane).startswith("Source")
        assert "Arguments\n└─by=hand" in text_of(pane) or "by" in text_of(pane)
        pane.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert "Source (1)▸" in text_of(pane)
        app.session.move(1)
        app.changed()
        await pilot.pause()
        assert "Source (1)▸" in text_of(pane)  # 26: it stays closed
        pane.toggle_all()
        assert "unknown" in "\n".join(str(line.item) for line in pane._lines)


async def test_s26_an_entry_leads_to_its_transition_and_back() -> None:
    async with drive(run()) as d:
        pane = d.app.query_one(ReaderPane)
        spot = d.session.spot
        d.focus("reader")
        at = next(n for n, x in enumerate(pane._lines) if x.item and x.item.place)
        place = pane._lines[at].item.place  # type: ignore[union-attr]
        assert isinstance(place, Place)
        await d.press(*["down"] * at)
        await d.press("enter")
        assert Place(d.session.machine, d.session.cursor) == place
        await d.press("alt+b")
        assert d.session.spot == spot


async def test_s22_a_stack_trace_stands_above_the_rest() -> None:
    async with drive(at(3)) as d:
        pane = d.app.query_one(ReaderPane)
        from amctl.debugger.reader import Item, Section

        pane.sections = (Section("Source", (Item("stack trace", more="a.py:3\nb.py:9"),)),)
        pane._lay()
        d.focus("reader")
        await d.press("down", "enter")
        assert len(d.app.screen_stack) == 2
        await d.press("escape")
        assert len(d.app.screen_stack) == 1


async def test_s26_entries_of_the_selected_state_are_marked() -> None:
    pane = ReaderPane()
    session = run()
    app = Stage(pane, session=session)
    async with app.run_test(size=(60, 60)) as pilot:
        await pilot.pause()
        at = next(n for n, x in enumerate(pane._lines) if x.item and x.item.states)
        state = pane._lines[at].item.states[0]  # type: ignore[union-attr]
        session.select_state(state)
        style = list(pane.pieces(at))[1][1]
        assert style is not None
        assert style.bgcolor == pane.ink("chosen").bgcolor
