"""Ids in the order that people expect."""

from __future__ import annotations

from amctl.graph.natural import natural


def test_numbers_compare_by_value() -> None:
    ids = ["ps-10", "ps-2", "ps", "ps-2-disc", "a", "ps-02", "10", "9"]
    assert sorted(ids, key=natural) == ["9", "10", "a", "ps", "ps-02", "ps-2", "ps-2-disc", "ps-10"]


def test_a_million_digits_are_no_trouble() -> None:
    long = "9" * 1_000_000
    assert sorted([long, "1" + long, "x"], key=natural) == [long, "1" + long, "x"]
