"""What the errors say."""

from __future__ import annotations

from amctl.telemetry.errors import RoundOrderError, TelemetryError, UnknownNodeError


def test_an_unknown_node_hints_at_the_nearest_one() -> None:
    error = UnknownNodeError("browser11", ["browser1", "relay"])
    assert str(error) == "the run has no node 'browser11'"
    assert error.hint == "did you mean 'browser1'?"
    assert UnknownNodeError("x", ["browser1"]).hint == "it has: browser1"
    assert isinstance(error, TelemetryError)


def test_a_round_that_does_not_grow_names_both_numbers() -> None:
    assert str(RoundOrderError(2, 3)) == "round 2 can not follow round 3"
