"""A few storms; `python -m tests.chaos` has as many as you like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.places import in_chromium, in_process
from tests.chaos.storm import storm
from tests.nodes.system import FOUR, SEVEN
from tests.support import browser_threads

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = range(5)


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_work_is_done_right_in_a_storm(seed: int, tmp_path: Path) -> None:
    async with in_process() as place:
        dag = SEVEN if seed % 2 else FOUR
        told = await storm(seed, dag, tmp_path, place, misdeeds=15, restarts=1)
    assert sum(told.misdeeds.values()) == 15
    assert sum(told.restarts.values()) == 1
    assert told.rounds > 0
    assert told.calls == told.payloads > 0


@pytest.mark.timeout(600)
class TestChromium:
    pytestmark = browser_threads.in_chromium

    async def test_the_work_is_done_right_in_a_storm(self, tmp_path: Path) -> None:
        async with in_chromium() as place:
            told = await storm(0, FOUR, tmp_path, place, misdeeds=15, restarts=1)
        assert sum(told.misdeeds.values()) == 15
        assert told.rounds > 0
