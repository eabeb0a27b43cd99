from __future__ import annotations

import pytest

from amctl.relay import RefusedError
from amctl.relay.claims import Claim, Claims


class World:
    """A table with a clock that the test turns, and holders that note why they were told to go."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[tuple[str, str]] = []
        self.table = Claims(patience=10.0, clock=lambda: self.now)

    def take(self, machine_id: str, tab: str, heard: float | None = None) -> Claim:
        claim = Claim(
            machine_id,
            tab,
            lambda reason: self.told.append((machine_id, reason)),
            lambda: self.now if heard is None else heard,
        )
        self.table.take(claim)
        return claim


def test_same_tab_takes_over_at_once() -> None:
    world = World()
    world.take("browser1", "t1")
    new = world.take("browser1", "t1")
    assert world.table.holder("browser1") is new
    assert world.told == [("browser1", "replaced by a newer connection")]


def test_second_tab_is_refused_for_every_id() -> None:
    world = World()
    world.take("browser1", "t1")
    for machine_id in ("browser1", "browser2"):
        with pytest.raises(RefusedError, match="another tab") as caught:
            world.take(machine_id, "t2")
        assert (caught.value.status, caught.value.code) == (409, 4409)
    assert world.told == []
    assert world.table.refusal("t2") is not None
    assert world.table.refusal("t1") is None
    assert world.table.refusal("") is None


def test_native_peers_hold_single_ids() -> None:
    world = World()
    world.take("browser1", "")
    world.take("browser2", "t1")
    with pytest.raises(RefusedError, match="'browser1' is held"):
        world.take("browser1", "t1")
    with pytest.raises(RefusedError, match="'browser2' is held"):
        world.take("browser2", "")
    assert len(world.table) == 2


def test_dead_holder_is_replaced_after_one_missed_ping() -> None:
    world = World()
    world.take("browser1", "t1", heard=0.0)
    world.now = 10.0
    with pytest.raises(RefusedError):
        world.take("browser1", "t2")
    world.now = 10.1
    new = world.take("browser1", "t2")
    assert world.table.holder("browser1") is new
    assert world.told == [("browser1", "no sign of life, replaced")]


def test_release_leaves_a_newer_holder_alone() -> None:
    world = World()
    old = world.take("browser1", "t1")
    new = world.take("browser1", "t1")
    world.table.release(old)
    assert world.table.holder("browser1") is new
    world.table.release(new)
    assert len(world.table) == 0
