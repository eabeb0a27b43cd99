"""Compares recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amctl.dump.model import Dump
    from amctl.telemetry.messages import SchemaMsg

__all__ = ["assert_same"]


def assert_same(dump: Dump, other: Dump, *, repeats: bool = True) -> None:
    """Both hold the same messages; file names and what they say of themselves aside.

    Without `repeats`, a schema that is told again doesn't count.
    """
    assert list(dump.machines()) == list(other.machines())
    assert dump.count() == other.count()
    assert list(dump.transitions()) == list(other.transitions())
    for id in other.machines():
        assert dump.count(id) == other.count(id)
        schemas, others = list(dump.schemas(id)), list(other.schemas(id))
        assert schemas == others if repeats else _once(schemas) == _once(others)
        assert list(dump.transitions(id)) == list(other.transitions(id))
    assert list(dump.pipes()) == list(other.pipes())
    assert list(dump.gaps()) == list(other.gaps())
    assert dict(dump.gone()) == dict(other.gone())


def _once(schemas: list[tuple[int, SchemaMsg]]) -> list[tuple[int, SchemaMsg]]:
    before = [None, *(schema for _, schema in schemas)]
    return [each for each, last in zip(schemas, before, strict=False) if each[1] != last]
