"""Masks by state index, held against the schema they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from amctl.machine import Schema
from tests.machine.strategies import schemas

if TYPE_CHECKING:
    from collections.abc import Collection


def _mask(schema: Schema, names: Collection[str]) -> int:
    return sum(1 << i for i, n in enumerate(schema.names) if n in names)


@pytest.mark.slow
@given(schemas())
def test_masks_say_what_the_schema_says(raw: Schema) -> None:
    schema, compiled = raw.effective[0], raw.compiled()
    assert compiled.names == schema.names
    for i, name in enumerate(schema.names):
        state, bit = schema[name], 1 << i
        assert (compiled.index[name], compiled.bits[name]) == (i, bit)
        assert compiled.remove[i] == _mask(schema, state.remove)
        assert compiled.after[i] == _mask(schema, state.after)
        assert [schema.names[j] for j in compiled.add[i]] == [n for n in state.add if n in schema]
        assert bool(compiled.auto & bit) is state.auto
        assert bool(compiled.multi & bit) is state.multi
        assert bool(compiled.has_add & bit) is bool(compiled.add[i])
        assert bool(compiled.has_remove & bit) is bool(state.remove)
        assert bool(compiled.has_after & bit) is bool(state.after)
        assert bool(compiled.has_require & bit) is bool(state.require)
        assert compiled.removed_by[i] == _mask(
            schema, [n for n in schema if name in schema[n].remove]
        )
    assert compiled.exception == compiled.bits["Exception"]


@pytest.mark.slow
@given(schemas())
def test_sch_5_an_unknown_requirement_is_a_bit_that_no_machine_sets(raw: Schema) -> None:
    schema, compiled = raw.effective[0], raw.compiled()
    every = (1 << len(schema.names)) - 1
    for i, name in enumerate(schema.names):
        unknown = [n for n in schema[name].require if n not in schema]
        assert bool(compiled.require[i] & ~every) is bool(unknown)
        assert compiled.require[i] & every == _mask(schema, schema[name].require)


@pytest.mark.slow
@given(schemas())
def test_rel_10_what_is_required_comes_first_unless_there_is_a_cycle(raw: Schema) -> None:
    schema, compiled = raw.effective[0], raw.compiled()
    needs = {n: [o for o in schema[n].require if o in schema] for n in schema.names}

    def reaches(start: str, goal: str, seen: frozenset[str] = frozenset()) -> bool:
        return any(
            n == goal or (n not in seen and reaches(n, goal, seen | {n})) for n in needs[start]
        )

    if any(reaches(n, n) for n in schema.names):
        assert compiled.positioned == 0
        assert set(compiled.position) == {-1}
        return
    involved = {n for n in schema.names if schema[n].require}
    involved |= {o for n in involved for o in needs[n]}
    assert compiled.positioned == _mask(schema, involved)
    for name in involved:
        for other in needs[name]:
            assert (
                compiled.position[compiled.index[other]] < compiled.position[compiled.index[name]]
            )


def test_start_is_known() -> None:
    assert Schema({"A": {}, "Start": {}}, ["A", "Start"]).compiled().start == 1
    assert Schema({"A": {}}).compiled().start == -1


def test_it_is_made_once() -> None:
    schema = Schema({"A": {}})
    assert schema.compiled() is schema.compiled()
