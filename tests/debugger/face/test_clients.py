"""The list of machines (debugger_ui.md 2.1)."""

from __future__ import annotations

from amctl.debugger.face.clients import DEBOUNCE, ClientList
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from tests.debugger.face.screens import drive, run
from tests.debugger.face.stage import Stage, lines_of
from tests.debugger.histories import history, machine, tx


def ids(list: ClientList) -> list[str]:
    return [row.id for row in list.list.rows]


async def test_s1_s2_s4_machines_stand_as_a_tree_with_flags_and_place() -> None:
    pane = ClientList()
    app = Stage(pane, session=run())
    async with app.run_test(size=(40, 30)) as pilot:
        await pilot.pause()
        lines = [line.rstrip() for line in lines_of(pane)]
        assert lines[0].split() == ["browser1", "R|6+"]
        assert "- rs-browser1" in lines[1]
        mine = next(line for line in lines if line.startswith("orchestrator"))
        assert mine.endswith("|111+")
        assert str(pane.border_title).startswith("Machines 27 T")


async def test_s6_enter_and_click_select_a_machine() -> None:
    async with drive(run()) as d:
        d.focus("clients")
        pane = d.app.query_one(ClientList)
        at = ids(pane).index("orchestrator")
        assert pane.at == at
        await d.press("down", "enter")
        assert d.session.machine == ids(pane)[at + 1]
        await d.click("clients", 3, 0)
        assert d.session.machine == "browser1"
        assert "browser1" in d.text("address")


async def test_s8_another_machine_is_shown_at_the_same_moment() -> None:
    async with drive(run()) as d:
        moment = d.session.moment
        await d.click("clients", 3, 0)
        record = d.session.record
        assert record is not None
        assert record.wall_ns <= moment
        ahead = d.session.store.record("browser1", d.session.cursor + 1)
        assert ahead is None or ahead.wall_ns > moment


async def test_s5_typing_looks_for_a_name_from_the_current_row_on() -> None:
    now = [0.0]
    pane = ClientList(clock=lambda: now[0])
    app = Stage(pane, session=run("browser1", 3))
    async with app.run_test(size=(40, 32)) as pilot:
        pane.focus()
        await pilot.press("r", "s", "-")
        assert ids(pane)[pane.at] == "rs-browser1"
        await pilot.press("b", "r", "o", "w", "s", "e", "r", "3")
        assert ids(pane)[pane.at] == "rs-browser3"
        now[0] += 2
        await pilot.press("o")
        assert ids(pane)[pane.at] == "orchestrator"
        now[0] += 2
        await pilot.press("b")  # nothing is looked for further up
        assert ids(pane)[pane.at] == "orchestrator"
        assert app.said[-1] == "nothing from here on begins with 'b'"
        now[0] += 2
        await pilot.press("k")  # no name, as nothing was typed before
        assert pane.at == ids(pane).index("orchestrator") - 1


async def test_s6_backspace_and_alt_d_take_a_machine_out() -> None:
    async with drive(run()) as d:
        d.focus("clients")
        pane = d.app.query_one(ClientList)
        before = ids(pane)
        await d.press("backspace")
        assert ids(pane) == [id for id in before if id != "orchestrator"]
        assert d.session.machine != "orchestrator"
        gone = ids(pane)[pane.at]
        await d.press("alt+d")
        assert gone not in ids(pane)
        assert d.session.go_to("mach://orchestrator").ok  # asked for by name it is there again
        d.app.changed()
        await d.settle()
        assert "orchestrator" in ids(pane)


async def test_s3_colours_tell_live_gone_and_broken_machines() -> None:
    dump = history(tx("a", 1, (1, 0, 0, 1)), tx("b", 2, (1, 0, 0, 0)), machines="abc")
    session = Session(Store(dump), follow=False)
    session.work_all()
    session.last()
    pane = ClientList()
    app = Stage(pane, session=session)
    app.is_live = True
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        styles = {row.id: pane._style(row) for row in pane.list.rows}
        assert styles["a"] == pane.ink("error") + pane.ink("called")
        assert styles["b"] == pane.ink("active")
        app.is_live = False
        assert pane._style(pane.list.rows[1]) == pane.ink("dim")


async def test_s7_what_only_grows_is_shown_once_a_second() -> None:
    now = [100.0]
    dump = history(tx("a", 1, (1, 0, 0, 0)))
    session = Session(Store(dump), follow=False)
    session.work_all()
    session.last()
    pane = ClientList(clock=lambda: now[0])
    app = Stage(pane, session=session)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        dump.write(tx("a", 2, (2, 0, 0, 0)))
        session.refresh()
        session.work_all()
        pane.show()
        assert not pane.list.rows[0].has_more
        now[0] += DEBOUNCE
        pane.show()
        assert pane.list.rows[0].has_more
        dump.write(machine("b"))  # a new machine doesn't wait
        dump.write(tx("b", 3, (1, 0, 0, 0)))
        session.refresh()
        pane.show()
        assert ids(pane) == ["a", "b"]
