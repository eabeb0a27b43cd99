"""Moments of Go, to the nanosecond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.dump.gob.times import time_from_bytes, time_to_bytes

BY_GO = "010000000edce5e8000000002affff"
"""1,700,000,000 seconds and 42 nanoseconds, UTC."""


def test_a_time_in_utc_is_what_go_writes() -> None:
    assert time_to_bytes(1_700_000_000_000_000_042).hex() == BY_GO
    assert time_from_bytes(bytes.fromhex(BY_GO)) == 1_700_000_000_000_000_042


def test_a_zone_does_not_move_the_moment() -> None:
    an_hour_west = bytes.fromhex("010000000e7791f70100000005ffc4")
    with_seconds = bytes.fromhex("020000000e7791f70100000005014a07")
    assert time_from_bytes(an_hour_west) == time_from_bytes(with_seconds) == 1_000_000_005


def test_a_time_that_was_never_set_is_unknown() -> None:
    assert time_from_bytes(bytes.fromhex("01000000000000000000000000ffff")) == 0


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_moment_comes_back(unix_ns: int) -> None:
    assert time_from_bytes(time_to_bytes(unix_ns)) == unix_ns


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("", "0 bytes, version missing"),
        ("03" + BY_GO[2:], "version 3"),
        (BY_GO + "00", "16 bytes, version 1"),
        ("01000000000000000140000000ffff", "1073741824 nanoseconds"),
        ("01000000000000000180000000ffff", "-2147483648 nanoseconds"),
        ("017fffffffffffffff00000000ffff", "seconds after the year 1"),
    ],
)
def test_what_is_no_time_is_refused(raw: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        time_from_bytes(bytes.fromhex(raw))
