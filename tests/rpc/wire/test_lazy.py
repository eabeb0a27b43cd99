"""A sleeping laptop and a hidden tab: a minute without a sign, timers that come late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rpc.wire.chaos import any_sync, play
from tests.rpc.wire.lazy import LazySim

if TYPE_CHECKING:
    from tests.rpc.wire.sim import Sim

pytestmark = pytest.mark.slow


def rest(sim: Sim) -> Sim:
    """Run it; every promise holds, and no session was lost."""
    play(sim, restarts=False, schemas=False)
    return sim


def test_wir_29_a_minutes_sleep_loses_nothing() -> None:
    came_back = 0
    for seed in range(25):
        sleeps = (1.0 + seed % 4, 95.0)[: 1 + seed % 2]
        sim = rest(LazySim(seed, sleeps=sleeps, sync=any_sync(seed)))
        came_back += sim.opened > 1
    assert came_back > 18, "a minute is longer than a ping is waited for"


@pytest.mark.parametrize("clamp", [1.0, 60.0])
def test_wir_29_a_hidden_tab_keeps_its_session(clamp: float) -> None:
    for seed in range(25):
        rest(LazySim(seed, clamp=clamp, sync=any_sync(seed)))


def test_wir_29_late_timers_alone_cost_no_connection() -> None:
    sim = LazySim(1, clamp=60.0, rough=False)
    sim.connect()
    for moment in range(0, 1200, 7):
        sim.at(moment, sim.random_local)
    sim.run(1200.0)
    assert (sim.opened, sim.reconnects) == (1, 0)
