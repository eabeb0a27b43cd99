"""The log (debugger_ui.md 2.3)."""

from __future__ import annotations

from amctl.debugger.face.log import LogPane
from amctl.debugger.filters import Filters
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from tests.debugger.face.screens import drive, run
from tests.debugger.face.stage import Stage, lines_of, text_of
from tests.debugger.histories import history, lines, tx
from tests.debugger.panes import at


def long(count: int = 400, **more: object) -> Session:
    """A machine with a line each transition."""
    txs = [
        tx("a", n, (n, 0, 0, 0), called=(0,), logs=lines(f"[state] +Start ({n=})"))
        for n in range(1, count)
    ]
    session = Session(Store(history(*txs)), Filters.none(), follow=False)
    session.work_all()
    return session


def looked_at(session: Session, **view: object) -> tuple[Stage, LogPane]:
    pane = LogPane()
    return Stage(pane, session=session, **view), pane


async def test_s14_s15_levels_hide_lines_and_level_1_its_tag() -> None:
    app, pane = looked_at(at(3), log_level=3)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert "▌[add] On (by=hand)" in text_of(pane)
        assert "▌[exter] a hand comes" in text_of(pane)
        app.view.log_level = 1
        app.changed()
        await pilot.pause()
        assert text_of(pane).strip() == "▌a hand comes"
        assert str(pane.border_title) == "Log:external t4"


async def test_s17_parts_of_a_line_have_their_colours() -> None:
    app, pane = looked_at(at(3))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        rows = [list(pane.line(n, 60)) for n in range(len(pane.rows))]
        line = next(row for row in rows if any(text == "-Off" for text, _ in row))
        styles = {text: style for text, style in line if style is not None}
        mark = pane.ink("current")
        assert styles["[state]"] == pane.ink("tag") + mark
        assert styles["-Off"] == pane.ink("removed") + mark
        assert styles["+On"] == pane.ink("called") + mark
        assert styles["hand"] == pane.ink("value") + mark


async def test_s14_the_current_transition_stays_in_sight() -> None:
    app, pane = looked_at(long())
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        for fast in range(3):
            app.session.move(100)
            app.changed()
            await pilot.pause()
            assert f"n={100 * (fast + 1)})" in text_of(pane)
        rows, top = pane.rows, pane.scroll_y
        app.session.move(1)
        app.changed()
        await pilot.pause()
        assert pane.rows is rows  # 20: nothing is read for a small move
        assert pane.scroll_y == top


async def test_s14_a_click_goes_to_the_transition_and_selects_its_state() -> None:
    app, pane = looked_at(long())
    async with app.run_test(size=(60, 20)) as pilot:
        app.session.move(200)
        app.changed()
        await pilot.pause()
        shown = lines_of(pane)
        await pilot.click(pane, offset=(5, 2))
        await pilot.pause()
        wanted = int(shown[2].partition("n=")[2].partition(")")[0])
        assert (app.session.cursor, app.session.state) == (wanted, "Start")
        assert lines_of(pane) == shown  # it didn't move below the mouse


async def test_s14_more_is_read_where_one_scrolls() -> None:
    app, pane = looked_at(long())
    async with app.run_test(size=(60, 20)) as pilot:
        app.session.move(390)
        app.changed()
        await pilot.pause()
        pane.focus()
        for _ in range(30):
            await pilot.press("pageup") if False else pane.page(-1)
            await pilot.pause()
        assert "n=1)" in text_of(pane)


async def test_s19_scrolling_ends_the_tail() -> None:
    session = long()
    session.set_follow(True)
    app, pane = looked_at(session)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert "n=399)" in text_of(pane)
        pane.focus()
        await pilot.press("up")
        assert not session.follow


async def test_s19_long_lines_wrap_or_are_scrolled_to() -> None:
    logs = lines("[state] +Start " + "abcdefghij" * 12 + "END")
    dump = history(tx("a", 1, (1, 0, 0, 0), called=(0,), logs=logs))
    session = Session(Store(dump), Filters.none(), follow=False)
    session.work_all()
    session.move(1)
    app, pane = looked_at(session)
    async with app.run_test(size=(60, 20)) as pilot:
        pane.focus()
        await pilot.pause()
        assert "END" not in text_of(pane)
        await pilot.press(*["right"] * 30)
        await pilot.pause()
        assert "END" in text_of(pane)
        app.view.wrap = True
        app.changed()
        await pilot.pause()
        pane.scroll_to(x=0, animate=False)
        await pilot.pause()
        joined = "".join(line[1:].rstrip() for line in lines_of(pane))
        assert "abcdefghij" * 12 + "END" in joined


async def test_s17_traces_can_be_hidden() -> None:
    app, pane = looked_at(at(5))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert "lamp.py:3" in text_of(pane)
        app.action_hide_traces()
        await pilot.pause()
        assert "lamp.py:3" not in text_of(pane)
        assert "[error] it broke" in text_of(pane)


async def test_s18_lines_of_time() -> None:
    app, pane = looked_at(at(3))
    async with app.run_test(size=(60, 20)) as pilot:
        app.action_hide_timestamps()
        await pilot.pause()
        assert "1970-01-01 00:16:43.000000000 t4" in text_of(pane)


async def test_what_came_meanwhile_is_appended_and_nothing_moves() -> None:
    dump = history(*(tx("a", n, (n, 0, 0, 0), logs=lines(f"{n=}")) for n in range(1, 100)))
    session = Session(Store(dump), Filters.none(), follow=False)
    session.work_all()
    session.move(60)
    app, pane = looked_at(session)
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        before = text_of(pane)
        for n in range(100, 103):
            dump.write(tx("a", n, (n, 0, 0, 0), logs=lines(f"{n=}")))
        session.refresh()
        session.work_all()
        pane.show()
        await pilot.pause()
        assert text_of(pane) == before
        session.set_follow(True)
        app.changed()
        await pilot.pause()
        assert text_of(pane).endswith("n=102")


async def test_marked_text_can_be_copied() -> None:
    async with drive(run()) as d:
        log = d.app.query_one(LogPane)
        await d.pilot.mouse_down("#log", offset=(1, 1))
        await d.pilot.hover("#log", offset=(12, 2))
        await d.pilot.mouse_up("#log", offset=(12, 2))
        await d.settle()
        marked = d.app.screen.get_selected_text()
        assert marked
        assert marked.splitlines()[0] == lines_of(log)[0].rstrip()
        await d.press("ctrl+c")
        assert d.app.clipboard == marked
