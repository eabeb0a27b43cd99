"""Ticks by themselves (CLK-7, CLK-9, HLP-8)."""

from __future__ import annotations

import pytest

from amctl.machine import clocks
from amctl.machine.clocks import Time, TimeIndex


def test_clk_7_what_a_tick_means() -> None:
    assert [clocks.is_active_tick(t) for t in range(4)] == [False, True, False, True]
    assert [clocks.next_active(t) for t in range(4)] == [1, 3, 3, 5]
    assert [clocks.next_inactive(t) for t in range(4)] == [2, 2, 4, 4]
    assert [clocks.next_active_in(t) for t in range(2)] == [1, 2]
    assert [clocks.next_inactive_in(t) for t in range(2)] == [2, 1]


def test_hlp_8_activations() -> None:
    assert [clocks.activations(t) for t in range(5)] == [0, 1, 1, 2, 2]


def test_clk_9_after_and_before_mean_every_slot_of_the_common_part() -> None:
    t = Time((2, 3))
    assert t.after((1, 2))
    assert not t.after((1, 3))
    assert t.after((1, 3), or_equal=True)
    assert not t.after((1, 4), or_equal=True)
    assert t.after((1,))
    assert t.after((1, 2, 9))
    assert Time().after((1,))
    assert t.before((3, 4))
    assert not t.before((2, 4))
    assert t.before((2, 4), or_equal=True)
    assert not t.before((1, 4), or_equal=True)


def test_clk_9_equality() -> None:
    assert Time((1, 2)).equals((1, 2))
    assert not Time((1, 2)).equals((1, 2, 3))
    assert Time((1, 2)).equals((1, 2, 3), strict=False)
    assert not Time((1, 2)).equals((1, 3), strict=False)


def test_clk_9_sums_and_parts() -> None:
    t = Time((3, 0, 5))
    assert t.plus((1, 1)) == (4, 1, 5)
    assert t.diff_since((1, 0, 4)) == (2, 0, 1)
    assert t.diff_since((1, 0)) == (0, 0, 0)
    assert t.filtered([2, 0, 9]) == (5, 3, 0)
    assert (t.total(), t.total([0, 2, -1]), t.total([])) == (8, 8, 0)
    assert t.non_zero() == (0, 2)
    assert t.incremented(1) == (3, 1, 5)
    assert (t.tick(2), t.tick(3), t.tick(-1)) == (5, 0, 0)
    assert str(t) == "3 0 5"


def test_clk_9_activity_by_index() -> None:
    t = Time((1, 2, 3))
    assert t.active() == (0, 2)
    assert t.is_([0, 2])
    assert not t.is_([0, 1])
    assert not t.is_([])
    assert not t.is_([-1])
    assert t.not_([1])
    assert not t.not_([0])
    assert not t.not_([-1])
    assert t.any_([1, 2])
    assert not t.any_([1, -1])


def test_clk_9_with_names() -> None:
    t = TimeIndex(["A", "B", "C"], [1, 2, 3])
    assert str(t) == "A C"
    assert t.active_names() == ("A", "C")
    assert t.after((0, 1, 2))
    with pytest.raises(ValueError, match="1 names for 2 ticks"):
        TimeIndex(["A"], [1, 2])
