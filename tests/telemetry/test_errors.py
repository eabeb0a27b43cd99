"""What the errors say."""

from __future__ import annotations

from amctl.telemetry.errors import (
    DbgEncodeError,
    DbgWireError,
    RoundOrderError,
    TelemetryError,
    UnknownNodeError,
)


def test_an_unknown_node_hints_at_the_nearest_one() -> None:
    error = UnknownNodeError("browser11", ["browser1", "relay"])
    assert str(error) == "the run has no node 'browser11'"
    assert error.hint == "did you mean 'browser1'?"
    assert UnknownNodeError("x", ["browser1"]).hint == "it has: browser1"
    assert isinstance(error, TelemetryError)


def test_a_round_that_does_not_grow_names_both_numbers() -> None:
    assert str(RoundOrderError(2, 3)) == "round 2 can not follow round 3"


def test_a_damaged_debug_stream_says_where() -> None:
    error = DbgWireError("a frame of 0 bytes", 12)
    assert str(error) == "debug stream at byte 12: a frame of 0 bytes"
    assert isinstance(error, TelemetryError)
    assert isinstance(error, ValueError)


def test_a_message_that_can_not_be_sent_names_its_machine() -> None:
    error = DbgEncodeError("browser1", "its schema wasn't sent")
    assert str(error) == "message of machine 'browser1' can't be sent: its schema wasn't sent"
