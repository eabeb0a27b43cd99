"""Types as a gob stream defines them, and those that every stream knows from the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BASIC",
    "BOOL",
    "BOOTSTRAP",
    "BYTES",
    "COMPLEX",
    "FIRST_OWN",
    "FLOAT",
    "INT",
    "INTERFACE",
    "MAX_ID",
    "STRING",
    "UINT",
    "WIRE_TYPE",
    "Field",
    "Kind",
    "TypeDef",
    "type_from_wire",
    "type_to_wire",
]

Kind = Literal["array", "slice", "struct", "map", "opaque"]

BOOL, INT, UINT, FLOAT, BYTES, STRING, COMPLEX, INTERFACE = range(1, 9)
"""Basic types. All widths of integers travel as `INT` or `UINT`."""

BASIC: Final = {
    BOOL: "bool",
    INT: "int",
    UINT: "uint",
    FLOAT: "float",
    BYTES: "[]byte",
    STRING: "string",
    COMPLEX: "complex",
    INTERFACE: "interface",
}

WIRE_TYPE = 16
"""The type of a definition."""

FIRST_OWN = 64
"""A stream defines types from this id on."""

MAX_ID = (1 << 31) - 1

_ARRAY, _COMMON, _SLICE, _STRUCT, _FIELD, _FIELDS, _MAP, _OPAQUE = range(17, 25)
# The last one has no id of its own in Go's library: it is only ever met inside WIRE_TYPE.


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct. Its number is its position."""

    name: str
    type: int


@dataclass(frozen=True, slots=True)
class TypeDef:
    """A composite type. Its name is no more than a remark: streams leave most of them empty."""

    id: int
    kind: Kind
    name: str = ""
    elem: int = 0
    """Of slices, arrays and maps."""
    key: int = 0
    """Of maps."""
    length: int = 0
    """Of arrays."""
    fields: tuple[Field, ...] = ()
    """Of structs."""
    codec: str = ""
    """Of opaque ones: which of Go's interfaces made the bytes."""
    inner_id: int = 0
    """What the definition itself says of its id. Go has another one there in opaque types."""


def _struct(id_: int, name: str, **fields: int) -> TypeDef:
    return TypeDef(id_, "struct", name, fields=tuple(Field(k, v) for k, v in fields.items()))


BOOTSTRAP: Final = {
    one.id: one
    for one in (
        _struct(
            WIRE_TYPE,
            "wireType",
            ArrayT=_ARRAY,
            SliceT=_SLICE,
            StructT=_STRUCT,
            MapT=_MAP,
            GobEncoderT=_OPAQUE,
            BinaryMarshalerT=_OPAQUE,
            TextMarshalerT=_OPAQUE,
        ),
        _struct(_ARRAY, "arrayType", CommonType=_COMMON, Elem=INT, Len=INT),
        _struct(_COMMON, "CommonType", Name=STRING, Id=INT),
        _struct(_SLICE, "sliceType", CommonType=_COMMON, Elem=INT),
        _struct(_STRUCT, "structType", CommonType=_COMMON, Field=_FIELDS),
        _struct(_FIELD, "fieldType", Name=STRING, Id=INT),
        TypeDef(_FIELDS, "slice", "[]fieldType", elem=_FIELD),
        _struct(_MAP, "mapType", CommonType=_COMMON, Key=INT, Elem=INT),
        _struct(_OPAQUE, "gobEncoderType", CommonType=_COMMON),
    )
}
"""With these a reader understands definitions."""

_KINDS: Final[dict[str, Kind]] = {
    "ArrayT": "array",
    "SliceT": "slice",
    "StructT": "struct",
    "MapT": "map",
    "GobEncoderT": "opaque",
    "BinaryMarshalerT": "opaque",
    "TextMarshalerT": "opaque",
}


def type_from_wire(id_: int, wire: Mapping[str, dict[str, Any]]) -> TypeDef:
    """A definition as it was decoded by `BOOTSTRAP` -> the type.

    Raises:
        ValueError: It defines nothing, two things, a negative length, or one field twice.
    """
    if len(wire) != 1:
        raise ValueError(f"a type definition has {len(wire)} kinds, not one")
    [(what, body)] = wire.items()
    common = body.get("CommonType", {})
    fields = tuple(Field(raw.get("Name", ""), raw.get("Id", 0)) for raw in body.get("Field", ()))
    length = body.get("Len", 0)
    if length < 0:
        raise ValueError(f"an array has the length {length}")
    if len({field.name for field in fields}) != len(fields):
        raise ValueError("two fields of a struct have the same name")
    kind = _KINDS[what]
    return TypeDef(
        id_,
        kind,
        common.get("Name", ""),
        elem=body.get("Elem", 0),
        key=body.get("Key", 0),
        length=length,
        fields=fields,
        codec=what if kind == "opaque" else "",
        inner_id=common.get("Id", 0),
    )


def type_to_wire(of: TypeDef) -> dict[str, Any]:
    """A type -> its definition, ready for the encoder."""
    body: dict[str, Any] = {"CommonType": {"Name": of.name, "Id": of.inner_id or of.id}}
    if of.kind == "struct":
        body["Field"] = [{"Name": field.name, "Id": field.type} for field in of.fields]
        return {"StructT": body}
    if of.kind == "opaque":
        return {of.codec: body}
    body["Elem"] = of.elem
    if of.kind == "map":
        return {"MapT": body | {"Key": of.key}}
    if of.kind == "array":
        return {"ArrayT": body | {"Len": of.length}}
    return {"SliceT": body}
