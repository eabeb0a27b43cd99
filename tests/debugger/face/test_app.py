"""The whole screen: its layout on all sizes, and how it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.debugger.face.viewstate import ViewState
from tests.debugger.face.screens import drive, picture, run
from tests.debugger.face.stage import needs_workflow, workflow
from tests.debugger.panes import at

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.debugger.session import Session

    Golden = Callable[[str, str], None]


def chosen(session: Session, state: str) -> Session:
    session.select_state(state)
    return session


async def test_s1_the_layout_is_the_originals() -> None:
    """Address on top; machines, states, log, reader; bars and timelines; tools; status."""
    async with drive(run(), size=(160, 45), view=ViewState(timelines=2)) as d:
        region = {one.id: one.region for one in d.app.screen.walk_children() if one.id}
        down = ("address", "tags", "main", "current-bar", "tx-line", "next-bar", "step-line")
        rows = [region[id] for id in (*down, "toolbar", "status")]
        assert [one.y for one in rows] == sorted(one.y for one in rows)
        assert rows[-1].bottom == 45
        across = [region[id] for id in ("clients", "schema", "log", "reader")]
        assert [one.x for one in across] == sorted(one.x for one in across)
        assert len({one.width for one in across[1:]}) <= 2  # 2, 2, 2 of 6


async def test_s1_shares_change_while_stepping() -> None:
    async with drive(run(), size=(160, 45)) as d:
        await d.press("alt+k")
        tree, log, reader = (d.app.query_one(f"#{id}").region.width for id in
                             ("schema", "log", "reader"))  # fmt: skip
        assert tree > log > reader


@pytest.mark.parametrize("size", [(60, 15), (20, 6), (99, 24), (180, 50)], ids=str)
async def test_every_size_works(size: tuple[int, int]) -> None:
    async with drive(run(), size=size) as d:
        assert d.app.query_one("#clients").display is (size[0] >= 100)
        await d.press("right", "alt+k", "alt+l", "down", "alt+e", "alt+r", "alt+r", "end")
        for id in ("address", "states", "status"):
            assert d.app.query_one(f"#{id}").region.height >= (1 if size[1] > 8 else 0)
        await d.pilot.resize_terminal(60, 15)
        await d.settle()
        await d.press("alt+f", "alt+f")
        assert d.text("status")


async def test_the_narrow_layout_can_be_forced() -> None:
    async with drive(run()) as d:
        d.app.action_narrow_layout()
        await d.settle()
        assert not d.app.query_one("#clients").display
        await d.press("escape")
        assert d.app.focused is not None
        assert d.app.focused.id == "states"


async def test_nothing_moves_while_the_recording_grows_or_is_drawn_anew() -> None:
    async with drive(run()) as d:
        d.focus("states")
        await d.press("alt+e", "down", "down", "down")
        before = {id: d.text(id) for id in ("states", "log", "reader")}
        d.app.changed()
        await d.settle()
        assert {id: d.text(id) for id in before} == before


async def test_no_handler_runs_and_nothing_is_written_while_one_looks() -> None:
    session = run()
    async with drive(session) as d:
        count = session.store.count
        await d.press("home", "right", "alt+k", "alt+l", "end", "left")
        assert session.store.count == count


async def test_the_lamp_looks_like_its_picture(golden: Golden) -> None:
    async with drive(chosen(at(2, 5), "On"), size=(70, 18)) as d:
        golden("debugger/lamp-steps.svg", picture(d.app))


async def test_the_light_theme_looks_like_its_picture(golden: Golden) -> None:
    async with drive(chosen(at(3), "On"), size=(60, 15), theme="light") as d:
        golden("debugger/lamp-light.svg", picture(d.app))


@needs_workflow
async def test_the_recorded_workflow_by_keys_and_mouse() -> None:
    async with drive(workflow(), size=(187, 54)) as d:
        d.focus("states")
        await d.press("r", "e", "a", "d", "y", "end")
        assert d.session.state == "Ready"
        await d.press("alt+left")
        record = d.session.record
        assert record is not None
        index = record.names.index("Ready")
        assert index in record.tx.called or record.before[index] != record.after[index]
        await d.press("alt+u")  # what caused it
        caused = d.session.spot
        assert caused != record.cursor
        await d.press("alt+b")
        assert d.session.record is record or d.session.cursor == record.cursor
        await d.click("log", 5, 3)
        assert d.session.cursor != record.cursor
        await d.click("clients", 3, 0)
        assert d.session.machine == "browser1"
