"""The toolbar (debugger_ui.md 2.8)."""

from __future__ import annotations

import pytest

from amctl.debugger.face.actions import Actions
from amctl.debugger.face.doings import Doings
from amctl.debugger.face.toolbar import FILTER_ROW, TOOLS, Toolbar, is_filtering
from amctl.debugger.filters import Auto, Filters
from tests.debugger.face.stage import Stage, lines_of, text_of
from tests.debugger.panes import at

IDS = (
    "prev-client next-client jump-prev prev-step prev next next-step jump-next play first last "
    "log skip-canceled skip-queued skip-auto skip-empty skip-health skip-outgroup skip-disconn "
    "skip-checks hide-timestamps skip-rpc-machs "
    "export expand hide-traces diagrams diag-tx diag-group out-tx out-log call-log "
    "help tail reader web timelines log-wrap narrow-layout rain matrix"
)


def test_s28_every_tool_of_the_original_is_there() -> None:
    ids = [tool.id for row in TOOLS for tool in row]
    assert [id for id in ids if id != "find"] == IDS.split(" ")  # ours has one more


@pytest.mark.parametrize("tool", [tool for row in TOOLS for tool in row], ids=lambda t: t.id)
def test_s28_every_tool_does_something(tool: object) -> None:
    name = f"action_{getattr(tool, 'action', '')}"
    assert getattr(Doings, name, None) or getattr(Actions, name, None)


async def test_s28_marks_tell_what_is_shown() -> None:
    bar = Toolbar()
    app = Stage(bar, session=at(3, filters=Filters(Auto.HIDE_CANCELED, canceled=True)))
    async with app.run_test(size=(120, 10)) as pilot:
        await pilot.pause()
        row = lines_of(bar)[FILTER_ROW]
        assert "[2]log" in row
        assert "[ ]canceled" in row
        assert "[X]queued" in row
        assert "[*]auto" in row
        assert "[ ]health" in row
        app.action_skip_auto()
        app.action_skip_canceled()
        app.action_log()
        await pilot.pause()
        row = lines_of(bar)[FILTER_ROW]
        assert "[3]log" in row
        assert "[X]canceled" in row
        assert "[ ]auto" in row


async def test_s28_a_click_presses_a_tool() -> None:
    bar = Toolbar()
    app = Stage(bar)
    async with app.run_test(size=(120, 10)) as pilot:
        await pilot.pause()
        row = lines_of(bar)[FILTER_ROW]
        await pilot.click(bar, offset=(row.index("canceled"), FILTER_ROW))
        await pilot.pause()
        assert app.session.filters.canceled
        assert "[ ]canceled" in lines_of(bar)[FILTER_ROW]
        first = lines_of(bar)[0]
        await pilot.click(bar, offset=(first.index("[1]first"), 0))
        assert app.session.cursor == 0


async def test_s28_keys_move_in_it_and_press() -> None:
    bar = Toolbar()
    app = Stage(bar)
    async with app.run_test(size=(120, 10)) as pilot:
        bar.focus()
        await pilot.press("down", "right", "enter")
        assert app.session.filters.canceled
        assert "canceled" in app.said[-1]
        await pilot.press("left", "enter")
        assert app.view.log_level == 3


async def test_a_narrow_toolbar_shows_the_tool_of_the_cursor() -> None:
    bar = Toolbar()
    app = Stage(bar)
    async with app.run_test(size=(40, 10)) as pilot:
        bar.focus()
        await pilot.pause()
        assert "last" not in text_of(bar)
        await pilot.press(*["right"] * 10)
        assert "[N]last" in lines_of(bar)[0]
        bar.styles.height = 1
        await pilot.press("down")
        await pilot.pause()
        assert bar.at[0] == 1
        await pilot.press(*["right"] * (10 - bar.at[1]))
        assert "rpc" in lines_of(bar)[0]


@pytest.mark.parametrize("name", ["canceled", "queued", "empty", "health", "checks", "rpc"])
def test_s28_each_filter_alone_counts(name: str) -> None:
    session = at(3)
    assert not is_filtering(session)
    session.set_filters(session.filters.toggled(name))
    assert is_filtering(session)


def test_s28_the_group_filter_counts_with_a_group() -> None:
    session = at(3)
    session.set_filters(session.filters.toggled("outgroup"))
    assert not is_filtering(session)
    session.select_group("self")
    assert is_filtering(session)
