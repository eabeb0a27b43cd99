"""Compares recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amctl.dump.model import Dump

__all__ = ["assert_same"]


def assert_same(dump: Dump, other: Dump) -> None:
    """Both hold the same messages; file names and what they say of themselves aside."""
    assert list(dump.machines()) == list(other.machines())
    assert dump.count() == other.count()
    assert list(dump.transitions()) == list(other.transitions())
    for id in other.machines():
        assert dump.count(id) == other.count(id)
        assert list(dump.schemas(id)) == list(other.schemas(id))
        assert list(dump.transitions(id)) == list(other.transitions(id))
    assert list(dump.pipes()) == list(other.pipes())
    assert list(dump.gaps()) == list(other.gaps())
    assert dict(dump.gone()) == dict(other.gone())
