from __future__ import annotations

from dataclasses import dataclass

import pytest

from amctl.machine import Args
from amctl.rpc.payload import APayload, args_to_wire


@dataclass(frozen=True)
class AWork(Args):
    n: int = 0


def test_typed_arguments_travel_under_their_keys() -> None:
    assert args_to_wire(AWork(3)) == {"am__Work": {"n": 3}}
    assert args_to_wire([AWork(3), APayload("x")]) == {
        "am__Work": {"n": 3},
        "am__Payload": {"name": "x"},
    }
    assert args_to_wire({"am__Work": AWork(3), "also": 1}) == {"am__Work": {"n": 3}, "also": 1}


def test_errors_travel_as_text() -> None:
    assert args_to_wire({"e": ValueError("no")}) == {"e": "ValueError: no"}


def test_nothing_travels_as_nothing() -> None:
    assert args_to_wire(None) is None
    assert args_to_wire({}) is None
    assert args_to_wire([]) is None


def test_other_things_are_refused() -> None:
    with pytest.raises(TypeError, match="int"):
        args_to_wire(3)
