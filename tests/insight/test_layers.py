"""The order of rooms."""

from __future__ import annotations

import pytest

from amctl.insight.layers import ORDER, against, room_of
from tests.test_layers import ALSO, MAY_IMPORT


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("amctl", "amctl"),
        ("amctl.dump", "amctl.dump"),
        ("amctl.dump.sqlite.reader", "amctl.dump"),
        ("nodes.worker", "nodes"),
    ],
)
def test_rooms(name: str, room: str) -> None:
    assert room_of(name) == room


def test_an_import_upwards_is_against_the_order() -> None:
    assert (
        against([("amctl.cli.main", "amctl.machine"), ("amctl.rpc.client", "amctl.rpc")]) == set()
    )
    up = ("amctl.machine.core", "amctl.cli.main")
    assert against([up, ("amctl.cli.main", "amctl.run")]) == {up}


def test_rooms_of_one_row_do_not_import_each_other() -> None:
    edge = ("amctl.relay", "amctl.telemetry")
    assert against([edge]) == {edge}


def test_of_unknown_rooms_a_circle_is_against_the_order() -> None:
    circle = {("a.x", "b.y"), ("b.z", "c"), ("c.w", "a.v")}
    assert against([*circle, ("a.x", "d"), ("a.x", "a.v"), ("a.v", "a.x")]) == circle


def test_the_order_agrees_with_the_contract() -> None:
    """What the contract allows runs downwards; a room that only one of the two knows may be new."""
    rank = {room: number for number, row in enumerate(ORDER) for room in row}
    allowed = [(room, other) for room, others in MAY_IMPORT.items() for other in others]
    allowed += [("nodes", other) for others in ALSO.values() for other in others]
    both = [(one, other) for one, other in allowed if one in rank and other in rank]
    assert [pair for pair in both if rank[pair[0]] <= rank[pair[1]]] == []
    assert {room for row in ORDER for room in row} <= set(MAY_IMPORT)
