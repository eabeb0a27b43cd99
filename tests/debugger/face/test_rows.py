"""Lists with a cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.debugger.face.rows import RowsPane
from tests.debugger.face.stage import Stage, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.debugger.face.pane import Piece


class Numbers(RowsPane):
    """A million rows, none of which exists before it is seen."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0
        self.chosen: list[int] = []

    @property
    def count(self) -> int:
        return 1_000_000

    def pieces(self, at: int) -> Iterable[Piece]:
        self.made += 1
        return [(f"row {at}", None)]

    def show(self) -> None:
        self.fit()

    def choose(self) -> None:
        self.chosen.append(self.at)


async def test_only_what_is_seen_is_drawn() -> None:
    pane = Numbers()
    async with Stage(pane).run_test(size=(40, 20)) as pilot:
        pane.focus()
        await pilot.press("down", "j", "k", "enter")
        assert pane.chosen == [1]
        pane.put(999_999)
        await pilot.pause()
        assert lines_of(pane)[-1].startswith("row 999999")
        pane.page(-1)
        await pilot.pause()
        assert pane.at < 999_999
        assert pane.made < 1000


async def test_a_click_chooses() -> None:
    pane = Numbers()
    async with Stage(pane).run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        await pilot.click(pane, offset=(2, 4))
        assert pane.chosen == [4]
