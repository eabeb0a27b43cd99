"""Types turn into definitions and back."""

from __future__ import annotations

import pytest

from amctl.dump.gob.types import STRING, UINT, Field, TypeDef, type_from_wire, type_to_wire

TYPES = [
    TypeDef(70, "array", "A", elem=UINT, length=3),
    TypeDef(71, "slice", elem=70),
    TypeDef(72, "map", "m", key=STRING, elem=71),
    TypeDef(73, "struct", "S", fields=(Field("A", 70), Field("B", STRING))),
    TypeDef(74, "opaque", codec="BinaryMarshalerT", inner_id=99),
]


@pytest.mark.parametrize("one", TYPES, ids=lambda one: one.kind)
def test_a_type_is_what_its_definition_says(one: TypeDef) -> None:
    found = type_from_wire(one.id, type_to_wire(one))
    assert found.inner_id == (one.inner_id or one.id)
    assert (found.id, found.kind, found.name, found.codec) == (
        one.id,
        one.kind,
        one.name,
        one.codec,
    )
    assert (found.elem, found.key, found.length) == (one.elem, one.key, one.length)
    assert found.fields == one.fields


def test_a_definition_that_can_only_confuse_is_refused() -> None:
    with pytest.raises(ValueError, match="0 kinds"):
        type_from_wire(70, {})
    with pytest.raises(ValueError, match="2 kinds"):
        type_from_wire(70, {"SliceT": {}, "MapT": {}})
    with pytest.raises(ValueError, match="length -1"):
        type_from_wire(70, {"ArrayT": {"Len": -1}})
    with pytest.raises(ValueError, match="same name"):
        type_from_wire(70, {"StructT": {"Field": [{"Name": "A"}, {"Name": "A"}]}})
