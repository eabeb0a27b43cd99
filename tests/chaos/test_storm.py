"""A few storms; `python -m tests.chaos` has as many as you like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.storm import storm
from tests.nodes.system import FOUR, SEVEN

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = range(5)


@pytest.mark.slow
@pytest.mark.realtime
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_work_is_done_right_in_a_storm(seed: int, tmp_path: Path) -> None:
    told = await storm(seed, SEVEN if seed % 2 else FOUR, tmp_path, misdeeds=30)
    assert sum(told.misdeeds.values()) == 30
    assert sum(told.restarts.values()) == 2
    assert told.rounds > 0
    assert told.calls == told.payloads > 0
