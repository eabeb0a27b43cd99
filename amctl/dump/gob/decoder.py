"""Reads a gob stream of any types into plain Python values.

Structs become dicts by field name in which zero fields are absent; slices and arrays lists; maps
dicts (lists of pairs where keys are composite); opaque types their bytes; interface values
`Iface`. The room's docstring explains the format.

The bytes may come from anywhere. So a declared count is never believed beyond the bytes that are
left (each element takes at least one), values nest to a limited depth, and their number is
limited: what is in memory stays within a small multiple of the stream.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from amctl.dump.gob.types import (
    BASIC,
    BOOL,
    BOOTSTRAP,
    BYTES,
    COMPLEX,
    FIRST_OWN,
    FLOAT,
    INT,
    INTERFACE,
    MAX_ID,
    STRING,
    UINT,
    WIRE_TYPE,
    TypeDef,
    type_from_wire,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Decoder", "GobError", "Iface", "Limits"]

_KEYS: Final = frozenset({BOOL, INT, UINT, FLOAT, BYTES, STRING})
"""Types of keys that make a dict. The hashes of others could be made to collide."""

_ANY_FILE = 4_000_000
"""Values that the smallest file may have; 200 MB at most."""

_NAME_MAX = 1024
"""Bytes in the name of an interface's type, as in Go's library."""


class GobError(ValueError):
    """The stream is damaged, or asks for more than the limits allow."""

    def __init__(self, problem: str, offset: int) -> None:
        super().__init__(problem, offset)
        self.problem, self.offset = problem, offset

    def __str__(self) -> str:
        return f"gob: {self.problem} at byte {self.offset}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a stream may ask for."""

    size: int = 1 << 30
    """Bytes of the stream, when it comes out of a compressed one."""
    depth: int = 100
    """Levels of values within values."""
    values: int = 64_000_000
    """Values in all. In memory, one has at most some sixty bytes."""
    ratio: int = 1000
    """Values for each byte of a compressed file, beyond those that any file may have. Real ones
    have up to fifty, ones that repeat a single byte a million."""

    def for_file(self, size: int) -> Limits:
        """The limits of a compressed file of `size` bytes."""
        return replace(self, values=min(self.values, max(_ANY_FILE, size * self.ratio)))


@dataclass(frozen=True, slots=True)
class Iface:
    """A value that stood behind an interface."""

    type_name: str
    value: Any


class Decoder:
    """Decodes the values of one stream, one after the other.

    Args:
        data: The whole stream.
        limits: What it may ask for.
    """

    def __init__(self, data: bytes | bytearray, limits: Limits | None = None) -> None:
        self.types: dict[int, TypeDef] = {}
        """What the stream has defined so far."""
        self.pos = 0
        """Where the decoder stands, from the start of the stream."""
        self.messages = 0
        self._data = data
        self._end = 0  # of the current message, which is the start of the next one
        self._size = len(data)
        self._limits = limits or Limits()
        self._values = self._limits.values
        self._depth = self._limits.depth
        self._readers: dict[int, Callable[[], Any]] = {
            BOOL: lambda: self._uint() != 0,
            INT: self._int,
            UINT: self._uint,
            FLOAT: self._float,
            BYTES: self._blob,
            STRING: self._string,
            COMPLEX: lambda: complex(self._float(), self._float()),
            INTERFACE: self._iface,
        }

    # -- the stream ------------------------------------------------------------

    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._end >= self._size and self.pos >= self._end

    def decode(self) -> Any:
        """The next value of the stream.

        Raises:
            GobError: There is none, or it is damaged.
        """
        value = self._top(self._next_value())
        self._finish_message()
        return value

    def top_type(self) -> int:
        """Read up to the next value, and say what type it has. Go on with `elements`."""
        return self._next_value()

    def elements(self, type_id: int) -> Iterator[Any]:
        """The elements of the next value, a slice, without ever holding them all.

        Args:
            type_id: What `top_type` has just said.

        Raises:
            GobError: It is no slice, or damaged.
        """
        of = self.types.get(type_id)
        if of is None or of.kind != "slice":
            found = of.kind if of else BASIC.get(type_id, f"type {type_id}")
            raise self._error(f"a value of {found} where a slice should be")
        self._skip_zero()
        count = self._count()
        self._depth -= 1
        read = self._reader(of.elem)
        for _ in range(count):
            yield read()
        self._depth += 1
        self._finish_message()

    def charge(self, values: int) -> None:
        """Count values that the caller makes out of what it got.

        Raises:
            GobError: There are too many.
        """
        self._spend(values)

    def _next_value(self) -> int:
        """Take in definitions until a value comes. The id of its type."""
        while True:
            if self.at_end():
                raise self._error("no value in the stream")
            self._next_message()
            type_id = self._int()
            if type_id >= 0:
                return type_id
            self._define(-type_id)
            self._finish_message()

    def _next_message(self) -> None:
        self.pos = start = self._end
        self._end = self._size  # the length stands between messages
        length = self._uint()
        self._end = self.pos + length
        if self._end > self._size:
            self._end = self._size
            raise GobError(f"a message of {length} bytes, {self._size - self.pos} are left", start)
        self.messages += 1

    def _finish_message(self) -> None:
        if self.pos != self._end:
            raise self._error(f"{self._end - self.pos} bytes too many in a message")

    def _define(self, type_id: int) -> None:
        start = self.pos
        if not FIRST_OWN <= type_id <= MAX_ID:
            raise self._error(f"a definition of type {type_id}, which is reserved")
        if type_id in self.types:
            raise self._error(f"a second definition of type {type_id}")
        try:
            self.types[type_id] = type_from_wire(type_id, self._reader(WIRE_TYPE)())
        except GobError:
            raise
        except ValueError as error:
            raise GobError(str(error), start) from None

    def _top(self, type_id: int) -> Any:
        """A value that is no field: a zero byte stands before all but structs."""
        of = self.types.get(type_id)
        if of is None or of.kind != "struct":
            self._skip_zero()
        return self._reader(type_id)()

    def _skip_zero(self) -> None:
        if self._uint() != 0:
            raise self._error("no zero byte before a value")

    # -- primitives ------------------------------------------------------------

    def _error(self, problem: str) -> GobError:
        return GobError(problem, self.pos)

    def _uint(self) -> int:
        pos = self.pos
        if pos >= self._end:
            raise GobError("the data ends in the middle of a value", pos)
        first = self._data[pos]
        if first < 0x80:
            self.pos = pos + 1
            return first
        size = 0x100 - first
        after = pos + 1 + size
        if size > 8:
            raise GobError(f"an integer of {size} bytes", pos)
        if after > self._end:
            raise GobError("the data ends in the middle of a value", pos)
        self.pos = after
        return int.from_bytes(self._data[pos + 1 : after], "big")

    def _int(self) -> int:
        raw = self._uint()
        return ~(raw >> 1) if raw & 1 else raw >> 1

    def _float(self) -> float:
        value: float = struct.unpack("<d", self._uint().to_bytes(8, "big"))[0]
        return value

    def _blob(self) -> bytes:
        size = self._uint()
        pos = self.pos
        if size > self._end - pos:
            raise GobError(f"{size} bytes of text or data, {self._end - pos} are left", pos)
        self.pos = pos + size
        return bytes(self._data[pos : pos + size])

    def _string(self) -> str:
        # Bytes that are no UTF-8 turn into \xNN, which every other format can hold, and which
        # comes out the same when it is written and read again.
        return self._blob().decode("utf-8", "backslashreplace")

    def _count(self) -> int:
        """Of elements. A value may go on in later messages, so all that is left counts."""
        count = self._uint()
        if count > self._size - self.pos:
            raise self._error(f"{count} elements in {self._size - self.pos} bytes")
        self._spend(count + 1)
        return count

    def _spend(self, values: int) -> None:
        self._values -= values
        if self._values < 0:
            raise self._error(f"more than {self._limits.values} values")

    def _deeper(self) -> None:
        self._depth -= 1
        if self._depth < 0:
            raise self._error(f"more than {self._limits.depth} levels")

    # -- composites ------------------------------------------------------------

    def _reader(self, type_id: int) -> Callable[[], Any]:
        """What reads values of a type. It looks up its parts when it is first called.

        So a type may refer to itself, and to others that are defined after it.
        """
        found = self._readers.get(type_id)
        if found is None:
            of = self.types.get(type_id) or BOOTSTRAP.get(type_id)
            if of is None:
                raise self._error(f"a value of type {type_id}, which isn't defined")
            found = self._readers[type_id] = self._make_reader(of)
        return found

    def _make_reader(self, of: TypeDef) -> Callable[[], Any]:
        match of.kind:
            case "struct":
                return self._struct_reader(of)
            case "map":
                return self._map_reader(of)
            case "opaque":
                return self._blob
            case _:
                return self._list_reader(of)

    def _struct_reader(self, of: TypeDef) -> Callable[[], dict[str, Any]]:
        fields: list[tuple[str, int, Callable[[], Any] | None]]
        fields = [(field.name, field.type, self._readers.get(field.type)) for field in of.fields]
        uint = self._uint

        def read() -> dict[str, Any]:
            self._deeper()
            out: dict[str, Any] = {}
            number = -1
            while delta := uint():
                number += delta
                if number >= len(fields):
                    raise self._error(f"field {number} of a struct that has {len(fields)}")
                name, type_id, reader = fields[number]
                if reader is None:
                    reader = self._reader(type_id)
                    fields[number] = name, type_id, reader
                out[name] = reader()
            self._spend(len(out) + 1)
            self._depth += 1
            return out

        return read

    def _list_reader(self, of: TypeDef) -> Callable[[], list[Any]]:
        def read() -> list[Any]:
            self._deeper()
            count = self._count()
            if of.kind == "array" and count != of.length:
                raise self._error(f"{count} elements in an array of {of.length}")
            reader = self._reader(of.elem)
            out = [reader() for _ in range(count)]
            self._depth += 1
            return out

        return read

    def _map_reader(self, of: TypeDef) -> Callable[[], Any]:
        def read() -> Any:
            self._deeper()
            count = self._count()
            read_key, read_value = self._reader(of.key), self._reader(of.elem)
            pairs = [(read_key(), read_value()) for _ in range(count)]
            self._depth += 1
            return dict(pairs) if of.key in _KEYS else pairs

        return read

    def _iface(self) -> Iface | None:
        """A value with its type in front, and maybe that type's definitions too.

        The definitions end the current message: the value goes on in the next one. The byte count
        before the value covers only the first part then, so nothing can be made of it.
        """
        name = self._blob()
        if not name:
            return None
        if len(name) > _NAME_MAX:
            raise self._error(f"a type name of {len(name)} bytes")
        self._deeper()
        while True:
            if self.pos >= self._end:
                self._next_message()
            type_id = self._int()
            if type_id >= 0:
                break
            self._define(-type_id)
            if self.pos < self._end:
                self._uint()
        self._uint()
        value = self._top(type_id)
        self._depth += 1
        return Iface(name.decode("utf-8", "backslashreplace"), value)
