"""Writes plain Python values as a gob stream, by a table of types that is given.

It takes what the decoder yields: dicts by field name for structs, sequences, dicts for maps,
bytes for opaque types, `Iface` with a string or an integer for interfaces. Maps are written in
the order of their dict. Equal values make equal bytes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from amctl.dump.gob.types import (
    BASIC,
    BOOL,
    BOOTSTRAP,
    BYTES,
    COMPLEX,
    FLOAT,
    INT,
    INTERFACE,
    STRING,
    UINT,
    WIRE_TYPE,
    TypeDef,
    type_to_wire,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amctl.dump.gob.decoder import Iface

    Writer = Callable[[bytearray, Any], None]

__all__ = ["GobValueError", "ValueWriter", "encode_stream"]


class GobValueError(ValueError):
    """A value doesn't fit its type."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.field = ""
        """The innermost field that it stands in."""

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}" if self.field else self.problem


def encode_stream(value: Any, type_id: int, types: Mapping[int, TypeDef]) -> bytearray:
    """A stream of one value, with the definitions of `types` before it, in the table's order.

    Raises:
        GobValueError: A value can't be of the type that it should be.
    """
    encoder = _Encoder(types)
    out = bytearray()
    for of in types.values():
        message = bytearray()
        _put_int(message, -of.id)
        encoder.writer(WIRE_TYPE)(message, type_to_wire(of))
        _put_message(out, message)
    message = bytearray()
    _put_int(message, type_id)
    encoder.put_top(message, type_id, value)
    _put_message(out, message)
    return out


class ValueWriter:
    """A stream that goes on: each type is defined once, before the first value that needs it.

    Args:
        types: Those that values may have, in the order in which they are defined.
    """

    def __init__(self, types: Mapping[int, TypeDef]) -> None:
        self._types = types
        self._encoder = _Encoder(types)
        self._defined: set[int] = set()

    def value(self, type_id: int, value: Any) -> bytes:
        """The bytes that come next: definitions that are missing, and the value.

        Raises:
            GobValueError: It can't be of that type; the stream goes on as if it was never asked.
        """
        out, message = bytearray(), bytearray()
        needed = self._needed(type_id)
        for of in (of for id_, of in self._types.items() if id_ in needed):
            part = bytearray()
            _put_int(part, -of.id)
            self._encoder.writer(WIRE_TYPE)(part, type_to_wire(of))
            _put_message(out, part)
        _put_int(message, type_id)
        self._encoder.put_top(message, type_id, value)
        _put_message(out, message)
        self._defined |= needed
        return bytes(out)

    def _needed(self, type_id: int) -> set[int]:
        """The type and its parts, if they aren't defined yet."""
        found: set[int] = set()
        waiting = [type_id]
        while waiting:
            one = waiting.pop()
            if one in self._types and one not in found and one not in self._defined:
                found.add(one)
                of = self._types[one]
                waiting += (of.elem, of.key, *(field.type for field in of.fields))
        return found


def _put_message(out: bytearray, message: bytearray) -> None:
    _put_uint(out, len(message))
    out += message


def _put_uint(out: bytearray, value: int) -> None:
    if 0 <= value < 0x80:
        out.append(value)
        return
    size = (value.bit_length() + 7) >> 3
    if value < 0 or size > 8:
        raise GobValueError(f"{value} where an unsigned integer of 64 bits should be")
    out.append(0x100 - size)
    out += value.to_bytes(size, "big")


def _put_int(out: bytearray, value: int) -> None:
    if not -1 << 63 <= value < 1 << 63:
        raise GobValueError(f"{value} where an integer of 64 bits should be")
    _put_uint(out, ~value << 1 | 1 if value < 0 else value << 1)


def _put_bool(out: bytearray, value: bool) -> None:
    out.append(1 if value else 0)


def _put_float(out: bytearray, value: float) -> None:
    _put_uint(out, int.from_bytes(struct.pack("<d", value), "big"))


def _put_complex(out: bytearray, value: complex) -> None:
    _put_float(out, value.real)
    _put_float(out, value.imag)


def _put_bytes(out: bytearray, value: bytes | bytearray) -> None:
    _put_uint(out, len(value))
    out += value


def _put_string(out: bytearray, value: str) -> None:
    _put_bytes(out, value.encode("utf-8", "backslashreplace"))


_PUT: dict[int, Writer] = {
    BOOL: _put_bool,
    INT: _put_int,
    UINT: _put_uint,
    FLOAT: _put_float,
    BYTES: _put_bytes,
    STRING: _put_string,
    COMPLEX: _put_complex,
}


def _put_iface(out: bytearray, value: Iface | None) -> None:
    if value is None:
        out.append(0)
        return
    type_id = STRING if isinstance(value.value, str) else INT
    inner = bytearray(b"\0")
    _PUT[type_id](inner, value.value)
    _put_string(out, value.type_name)
    _put_int(out, type_id)
    _put_bytes(out, inner)


class _Encoder:
    """Makes a writer for each type, once."""

    def __init__(self, types: Mapping[int, TypeDef]) -> None:
        self._types = types
        self._writers: dict[int, Writer] = {**_PUT, INTERFACE: _put_iface}

    def put_top(self, out: bytearray, type_id: int, value: Any) -> None:
        """A value that is no field: a zero byte stands before all but structs."""
        if type_id in BASIC or self._types[type_id].kind != "struct":
            out.append(0)
        self.writer(type_id)(out, value)

    def writer(self, type_id: int) -> Writer:
        """What writes values of a type. Types may refer to themselves."""
        found = self._writers.get(type_id)
        if found is None:
            of = BOOTSTRAP.get(type_id) or self._types[type_id]
            found = self._writers[type_id] = self._make(of)
        return found

    def _make(self, of: TypeDef) -> Writer:
        match of.kind:
            case "struct":
                return self._struct_writer(of)
            case "map":
                return self._map_writer(of)
            case "opaque":
                return _put_bytes
            case _:
                return self._list_writer(of)

    def _struct_writer(self, of: TypeDef) -> Writer:
        fields = [(number, field.name, field.type) for number, field in enumerate(of.fields)]

        def put(out: bytearray, value: Mapping[str, Any]) -> None:
            last = -1
            for number, name, type_id in fields:
                part = value.get(name)
                # Only fields that are zero are left out, never elements. A struct within a
                # struct is a pointer in Go, and so not zero if it is there.
                if not part and not (isinstance(part, dict) and self._is_struct(type_id)):
                    continue
                _put_uint(out, number - last)
                try:
                    self.writer(type_id)(out, part)
                except GobValueError as error:
                    error.field = error.field or name
                    raise
                last = number
            out.append(0)

        return put

    def _is_struct(self, type_id: int) -> bool:
        return (
            type_id not in BASIC
            and (BOOTSTRAP.get(type_id) or self._types[type_id]).kind == "struct"
        )

    def _list_writer(self, of: TypeDef) -> Writer:
        def put(out: bytearray, value: Any) -> None:
            _put_uint(out, len(value))
            write = self.writer(of.elem)
            for element in value:
                write(out, element)

        return put

    def _map_writer(self, of: TypeDef) -> Writer:
        def put(out: bytearray, value: Mapping[Any, Any]) -> None:
            _put_uint(out, len(value))
            write_key, write = self.writer(of.key), self.writer(of.elem)
            for key, element in value.items():
                write_key(out, key)
                write(out, element)

        return put
