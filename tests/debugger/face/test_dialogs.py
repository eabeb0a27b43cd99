"""Dialogs: modal, Tab stays inside, esc closes (debugger_ui.md 1, 13, 22, 43)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Button, Checkbox, Input, Static

from amctl.debugger.face.dialogs import Choice, ExportAsk, Prompt, TextDialog
from amctl.debugger.face.timelines import TxLine
from amctl.debugger.store import Store
from tests.debugger.face.stage import Stage, needs_workflow, workflow
from tests.debugger.panes import at

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


def trouble(app: Stage) -> str:
    """What a dialog complains of."""
    return str(app.screen.query_one("#trouble", Static).content)


async def typed(pilot: Pilot[Any], text: str) -> None:
    """Type in the place of what stands there."""
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")
    await pilot.pause()


@pytest.mark.parametrize("action", ["go_to", "find", "export", "group", "help"])
async def test_tab_stays_inside_and_esc_closes(action: str) -> None:
    app = Stage(TxLine())
    async with app.run_test(size=(100, 30)) as pilot:
        await app.run_action(action)
        await pilot.pause()
        dialog = app.screen
        assert len(app.screen_stack) == 2
        for _ in range(4):
            await pilot.press("tab")
            assert app.focused is not None
            assert app.focused.screen is dialog
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


async def test_go_to_says_what_is_wrong_and_stays() -> None:
    app = Stage(TxLine())
    async with app.run_test(size=(100, 30)) as pilot:
        app.action_go_to()
        await pilot.pause()
        await typed(pilot, "mach://lanp")
        assert "no machine 'lanp'; did you mean lamp?" in trouble(app)
        await typed(pilot, " ")
        assert trouble(app) == "nothing is typed"
        await typed(pilot, "mach://lamp/0000000000000005")
        assert app.session.cursor == 5
        assert len(app.screen_stack) == 1
        app.action_go_to()
        await pilot.pause()
        await typed(pilot, "0000000000000002")  # an id alone
        assert app.session.cursor == 2


async def test_find_by_predicate_both_ways() -> None:
    app = Stage(TxLine(), session=at(7))
    async with app.run_test(size=(100, 30)) as pilot:
        app.action_find()
        await pilot.pause()
        await typed(pilot, "On &")
        assert "it ends too early" in trouble(app)
        await typed(pilot, "On & !Off")
        assert app.session.cursor == 3
        app.action_first()
        app.action_find()
        await pilot.pause()
        assert app.screen.query_one(Input).value == "On & !Off"
        await pilot.click("#button-1")
        assert app.session.cursor == 3
        app.action_find_again(back=False)
        assert "did not become true behind this" in app.said[-1]
        app.action_find()
        await pilot.pause()
        await typed(pilot, "Onn")
        assert "did you mean" in trouble(app)
        await pilot.click("#cancel")
        assert len(app.screen_stack) == 1


async def test_s13_group_by_keys_and_mouse() -> None:
    app = Stage(TxLine())
    async with app.run_test(size=(100, 30)) as pilot:
        app.action_group()
        await pilot.pause()
        assert isinstance(app.screen, Choice)
        await pilot.press("down", "enter")
        assert app.session.group == "- self"
        app.action_group()
        await pilot.pause()
        assert app.screen.query_one("#choices").at == 1  # type: ignore[attr-defined]
        await pilot.click("#choices", offset=(2, 0))
        assert app.session.group == ""


async def test_s43_export_asks_and_writes(tmp_path: Path) -> None:
    app = Stage(TxLine())
    app.outputs.folder = str(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        app.action_export()
        await pilot.pause()
        assert isinstance(app.screen, ExportAsk)
        assert app.screen.query_one(Input).value == "am-dbg-dump"
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "wrote 7 transitions to" in app.said[-1]
        path = tmp_path / "am-dbg-dump.jsonl.zst"
        assert Store.open(path).count == 7

        app.action_export()
        await pilot.pause()
        await pilot.press("enter")
        assert str(path) in trouble(app)  # it is there already
        app.screen.query_one("#single", Checkbox).toggle()
        app.screen.query_one("#force", Checkbox).toggle()
        await pilot.click("#save")
        await app.workers.wait_for_complete()
        assert Store.open(path).count == 1


async def test_s43_cancel_writes_nothing(tmp_path: Path) -> None:
    app = Stage(TxLine())
    app.outputs.folder = str(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        app.action_export()
        await pilot.pause()
        await typed(pilot, " ")
        assert trouble(app) == "the file has no name"
        await pilot.click("#cancel")
        assert len(app.screen_stack) == 1
        assert list(tmp_path.iterdir()) == []


async def test_s22_a_text_can_be_scrolled_and_copied() -> None:
    app = Stage(TxLine())
    async with app.run_test(size=(80, 20)) as pilot:
        page = [[(f"line {n}", "bold"), ("\x1b[2J", "")] for n in range(100)]
        await app.push_screen(TextDialog("Stack trace", page))
        await pilot.press("pagedown", "down")
        assert app.screen.query_one("#page").scroll_offset.y > 1
        await pilot.press("end")
        assert app.screen.query_one("#page").scroll_offset.y > 80
        await pilot.press("c")
        assert app.clipboard.splitlines()[99] == "line 99·[2J"
        await pilot.press("enter")
        assert len(app.screen_stack) == 1


async def test_a_click_beside_it_closes() -> None:
    app = Stage(TxLine())
    async with app.run_test(size=(100, 30)) as pilot:
        await app.push_screen(Prompt("Title"))
        await pilot.pause()
        assert app.screen.query_one("#button-0", Button).label.plain == "Go"
        await pilot.click(offset=(0, 0))
        assert len(app.screen_stack) == 1


@needs_workflow
async def test_find_over_machines_on_the_recorded_run() -> None:
    app = Stage(TxLine(), session=workflow("orchestrator", 234))
    async with app.run_test(size=(100, 30)) as pilot:
        app.action_find()
        await pilot.pause()
        await typed(pilot, "Browser3Delivered & rc-srv-browser1.Ready")
        assert app.session.machine == "orchestrator"
        assert 0 < app.session.cursor < 234
