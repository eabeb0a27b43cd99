"""Rows of things to press."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.debugger.face.cells import Cell, CellsPane
from tests.debugger.face.stage import Stage, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class Two(CellsPane):
    """Two rows; the second has a text between its buttons."""

    def rows(self) -> Sequence[Sequence[Cell]]:
        """See `CellsPane`."""
        named = [Cell(((f"[{name}]", None),), f"{name}", name) for name in ("first", "last")]
        return (named, [named[0], Cell(((" \x1b[2J ", None),)), named[1]])


async def test_keys_go_round_over_what_can_be_pressed() -> None:
    pane = Two()
    app = Stage(pane)
    async with app.run_test(size=(40, 4)) as pilot:
        pane.focus()
        places = [pane.at]
        for _ in range(4):
            await pilot.press("right")
            places.append(pane.at)
        assert places == [(0, 0), (0, 1), (1, 0), (1, 2), (0, 0)]
        await pilot.press("left", "enter")
        assert app.session.cursor == 7
        await pilot.press("up", "up", "left", "enter")
        assert app.session.cursor == 0
        assert app.said[-1] == "first"


async def test_a_click_beside_does_nothing_and_escapes_are_shown_as_dots() -> None:
    pane = Two()
    app = Stage(pane)
    async with app.run_test(size=(40, 4)) as pilot:
        await pilot.pause()
        assert lines_of(pane)[1].rstrip() == "[first] ·[2J [last]"
        await pilot.click(pane, offset=(9, 1))
        await pilot.click(pane, offset=(35, 0))
        assert app.session.cursor == 3
        await pilot.hover(pane, offset=(2, 0))
        assert pane.tooltip == "first"
        await pilot.hover(pane, offset=(35, 0))
        assert pane.tooltip is None
