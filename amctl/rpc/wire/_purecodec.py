"""The part of msgpack that the protocol uses, on the standard library alone.

Browsers run this one (msgspec would cost more at start than it saves), tests hold it equal to
msgspec byte for byte. Allowed values: None, bool, int of 64 bits, float, str, bytes, list, and dict
with str or int keys. Nesting is bounded, and a claimed length is never trusted beyond the bytes
that are there.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from .errors import DecodeError, EncodeError
from .limits import MAX_DEPTH

__all__ = ["dumps", "loads"]

_RAW_DEPTH = MAX_DEPTH + 2
"""A body may be a map in a map around a value; `codec` checks the value's own depth."""
_FIX = [bytes((i,)) for i in range(256)]
_INT = frozenset((int,))
_MANY = 6
"""So many items of a list are worth a look at whether they are small numbers."""
_pack = struct.pack


def dumps(value: Any) -> bytes:
    """Encode `value` in the shortest form.

    Raises:
        EncodeError: If a part of it has no place on the wire.
    """
    out = bytearray()
    try:
        _write(value, out, 0)
    except (UnicodeEncodeError, struct.error, RecursionError) as err:
        raise EncodeError(f"value can't be encoded: {err}") from None
    return bytes(out)


def _write(value: Any, out: bytearray, depth: int) -> None:
    kind = type(value)
    if kind is int:
        _write_int(value, out)
    elif kind is str:
        raw = value.encode()
        size = len(raw)
        out += _FIX[0xA0 | size] if size < 32 else _head(size, 0xD9, 0xDA, 0xDB)
        out += raw
    elif kind is list or kind is tuple:
        _deeper(depth)
        size = len(value)
        out += _FIX[0x90 | size] if size < 16 else _head(size, 0, 0xDC, 0xDD)
        if size >= _MANY and _INT.issuperset(map(type, value)):
            _write_ints(value, out)
            return
        for item in value:
            _write(item, out, depth + 1)
    elif value is None:
        out.append(0xC0)
    elif kind is bool:
        out.append(0xC3 if value else 0xC2)
    elif kind is bytes or kind is bytearray:
        out += _head(len(value), 0xC4, 0xC5, 0xC6)
        out += value
    elif kind is float:
        out += _pack(">Bd", 0xCB, value)
    elif kind is dict:
        _deeper(depth)
        size = len(value)
        out += _FIX[0x80 | size] if size < 16 else _head(size, 0, 0xDE, 0xDF)
        for key, item in value.items():
            if type(key) is not str and type(key) is not int:
                raise EncodeError(f"key of type {type(key).__name__} can't be encoded")
            _write(key, out, depth + 1)
            _write(item, out, depth + 1)
    else:
        raise EncodeError(f"value of type {kind.__name__} can't be encoded")


def _deeper(depth: int) -> None:
    if depth >= _RAW_DEPTH:
        raise EncodeError(f"value is nested more than {MAX_DEPTH} levels deep")


def _head(size: int, one: int, two: int, four: int) -> bytes:
    """Marker and length; `one` is 0 where the format has no one-byte length."""
    if one and size < 0x100:
        return _pack(">BB", one, size)
    return _pack(">BH", two, size) if size < 0x10000 else _pack(">BI", four, size)


def _write_ints(values: Sequence[int], out: bytearray) -> None:
    """As each of them would be written, but at once if all of them are small."""
    if min(values) >= -0x20 and max(values) < 0x80:
        out += bytes([value & 0xFF for value in values])
        return
    for value in values:
        _write_int(value, out)


def _write_int(value: int, out: bytearray) -> None:
    if value >= 0:
        if value < 0x80:
            out.append(value)
        elif value < 0x100:
            out += _pack(">BB", 0xCC, value)
        elif value < 0x10000:
            out += _pack(">BH", 0xCD, value)
        elif value < 0x100000000:
            out += _pack(">BI", 0xCE, value)
        else:
            out += _pack(">BQ", 0xCF, value)
    elif value >= -0x20:
        out.append(value & 0xFF)
    elif value >= -0x80:
        out += _pack(">Bb", 0xD0, value)
    elif value >= -0x8000:
        out += _pack(">Bh", 0xD1, value)
    elif value >= -0x80000000:
        out += _pack(">Bi", 0xD2, value)
    else:
        out += _pack(">Bq", 0xD3, value)


def loads(data: bytes | memoryview) -> Any:
    """Decode exactly one value.

    Raises:
        DecodeError: If the bytes are not one allowed value, whatever is wrong with them.
    """
    raw = bytes(data)
    try:
        value, end = _read(raw, 0, 0)
    except (IndexError, struct.error, UnicodeDecodeError, RecursionError):
        raise DecodeError("truncated or damaged value") from None
    if end != len(raw):
        raise DecodeError("bytes left over after a value")
    return value


def _read(raw: bytes, pos: int, depth: int) -> tuple[Any, int]:
    mark = raw[pos]
    pos += 1
    if mark < 0x80:
        return mark, pos
    if mark >= 0xE0:
        return mark - 0x100, pos
    if mark < 0x90:
        return _read_dict(raw, pos, mark & 15, depth)
    if mark < 0xA0:
        return _read_list(raw, pos, mark & 15, depth)
    if mark < 0xC0:
        return _read_str(raw, pos, mark & 31)
    reader = _READERS.get(mark)
    if reader is None:
        raise DecodeError(f"marker {mark:#x} isn't allowed")
    return reader(raw, pos, depth)


def _read_bytes(raw: bytes, pos: int, size: int) -> tuple[bytes, int]:
    end = pos + size
    if end > len(raw):
        raise IndexError
    return raw[pos:end], end


def _read_str(raw: bytes, pos: int, size: int) -> tuple[str, int]:
    text, end = _read_bytes(raw, pos, size)
    return text.decode(), end


def _read_list(raw: bytes, pos: int, size: int, depth: int) -> tuple[list[Any], int]:
    if depth >= _RAW_DEPTH or size > len(raw) - pos:
        raise IndexError
    items = []
    for _ in range(size):
        item, pos = _read(raw, pos, depth + 1)
        items.append(item)
    return items, pos


def _read_dict(raw: bytes, pos: int, size: int, depth: int) -> tuple[dict[Any, Any], int]:
    if depth >= _RAW_DEPTH or size * 2 > len(raw) - pos:
        raise IndexError
    items = {}
    for _ in range(size):
        key, pos = _read(raw, pos, depth + 1)
        if type(key) is not str and type(key) is not int:
            raise DecodeError(f"key of type {type(key).__name__} isn't allowed")
        items[key], pos = _read(raw, pos, depth + 1)
    return items, pos


_Reader = Callable[[bytes, int, int], tuple[Any, int]]


def _number(form: str) -> _Reader:
    shape = struct.Struct(form)
    size, read = shape.size, shape.unpack_from
    return lambda raw, pos, depth: (read(raw, pos)[0], pos + size)


def _sized(form: str, body: Callable[[bytes, int, int], tuple[Any, int]]) -> _Reader:
    shape = struct.Struct(form)
    size, read = shape.size, shape.unpack_from
    return lambda raw, pos, depth: body(raw, pos + size, read(raw, pos)[0])


def _nested(form: str, body: Callable[[bytes, int, int, int], tuple[Any, int]]) -> _Reader:
    shape = struct.Struct(form)
    size, read = shape.size, shape.unpack_from
    return lambda raw, pos, depth: body(raw, pos + size, read(raw, pos)[0], depth)


_READERS: dict[int, _Reader] = {
    0xC0: lambda raw, pos, depth: (None, pos),
    0xC2: lambda raw, pos, depth: (False, pos),
    0xC3: lambda raw, pos, depth: (True, pos),
    0xC4: _sized(">B", _read_bytes),
    0xC5: _sized(">H", _read_bytes),
    0xC6: _sized(">I", _read_bytes),
    0xCA: _number(">f"),
    0xCB: _number(">d"),
    0xCC: _number(">B"),
    0xCD: _number(">H"),
    0xCE: _number(">I"),
    0xCF: _number(">Q"),
    0xD0: _number(">b"),
    0xD1: _number(">h"),
    0xD2: _number(">i"),
    0xD3: _number(">q"),
    0xD9: _sized(">B", _read_str),
    0xDA: _sized(">H", _read_str),
    0xDB: _sized(">I", _read_str),
    0xDC: _nested(">H", _read_list),
    0xDD: _nested(">I", _read_list),
    0xDE: _nested(">H", _read_dict),
    0xDF: _nested(">I", _read_dict),
}
