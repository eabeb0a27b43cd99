"""A stream is a dump if its types are those of one, whatever they are called and numbered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amctl.dump.gob.layout import DUMP, TYPES, LayoutError, layout_of
from amctl.dump.gob.types import INT, STRING, Field, TypeDef


def renumbered(by: int) -> dict[int, TypeDef]:
    def new(type_id: int) -> int:
        return type_id + by if type_id >= 64 else type_id

    return {
        new(one.id): replace(
            one,
            id=new(one.id),
            name="x",
            elem=new(one.elem),
            key=new(one.key),
            fields=tuple(Field(field.name, new(field.type)) for field in reversed(one.fields)),
        )
        for one in TYPES.values()
    }


def changed(first: str, *, drop: str = "", **types: int) -> dict[int, TypeDef]:
    """The types with one struct, known by its first field, changed."""

    def change(one: TypeDef) -> TypeDef:
        if not one.fields or one.fields[0].name != first:
            return one
        fields = [Field(f.name, types.pop(f.name, f.type)) for f in one.fields if f.name != drop]
        fields += [Field(name, type_id) for name, type_id in types.items()]
        return replace(one, fields=tuple(fields))

    return {type_id: change(one) for type_id, one in TYPES.items()}


def test_names_numbers_and_the_order_of_fields_do_not_matter() -> None:
    layout = layout_of(renumbered(1000), DUMP + 1000)
    assert (layout.name, layout.added_level, layout.default_side) == ("current", 0, 0)


def test_fields_that_one_side_lacks_do_not_matter() -> None:
    layout_of(changed("MsgStruct", drop="Version"), DUMP)
    layout_of(changed("MachineID", Newer=STRING), DUMP)


def test_a_recording_of_2024_is_known_by_the_fields_that_it_lacks() -> None:
    old = changed("MachineID", drop="CalledStatesIdxs") | {}
    assert layout_of(old, DUMP).added_level == 1
    assert layout_of(old, DUMP).name == "2024"
    assert layout_of(changed("Type", drop="FromStateIdx"), DUMP).default_side == -1


@pytest.mark.parametrize(
    ("types", "top", "problem"),
    [
        (TYPES, STRING, "the value is a string instead of a slice"),
        (TYPES, DUMP - 1, "an element of the value has no MsgStruct, so this is no dump"),
        (TYPES, 999, "the value is of type 999, which isn't defined instead of a slice"),
        (changed("ID", ID=INT), DUMP, "ID is a int instead of a string"),
        (changed("ID", Groups=STRING), DUMP, "Groups is a string instead of a map"),
        (changed("ID", States=80), DUMP, "an element of States is a string instead of a struct"),
        (changed("ID", StatesIndex=70), DUMP, "StatesIndex is a map instead of a slice"),
        (changed("MachineID", drop="Clocks"), DUMP, "has no Clocks, so this is no transition"),
        (changed("Type", Data=STRING), DUMP, "Data is a string instead of a interface"),
        (changed("MachineID", Time=INT), DUMP, "Time is a int instead of a opaque"),
    ],
)
def test_types_that_are_no_dump_are_refused(
    types: dict[int, TypeDef], top: int, problem: str
) -> None:
    with pytest.raises(LayoutError, match=problem):
        layout_of(types, top)


def test_a_dump_that_refers_to_itself_ends() -> None:
    with pytest.raises(LayoutError):
        layout_of(changed("Level", Text=77), DUMP)
    layout_of(changed("Level", Own=77), DUMP)
