"""Values and bodies to bytes and back, with declared types.

msgspec does the raw work where it is installed, our own codec does elsewhere. One checker stands
behind both, so that a peer can't tell which is in use: what one of them refuses, the other does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, get_type_hints

from . import _purecodec
from .errors import DecodeError, EncodeError
from .limits import MAX_DEPTH
from .messages import ARRAYS, MAPS, Sync

__all__ = [
    "NATIVE",
    "Codec",
    "decode",
    "decode_ints",
    "encode",
    "encode_ints",
    "native_codec",
    "pure_codec",
]

_B = TypeVar("_B", bound=tuple[Any, ...])
_Check = Callable[[Any], bool]

_SCALARS = frozenset((type(None), bool, int, float, str, bytes))
_SENDABLE = _SCALARS | {bytearray}
_KEYS = frozenset((str, int))


class Codec(NamedTuple):
    """Raw msgpack: `pack` raises EncodeError, `unpack` DecodeError, neither anything else."""

    name: str
    pack: Callable[[Any], bytes]
    unpack: Callable[[bytes | memoryview], Any]


def pure_codec() -> Codec:
    """The codec that needs nothing but the standard library."""
    return Codec("pure", _purecodec.dumps, _purecodec.loads)


def native_codec() -> Codec | None:
    """The codec on msgspec, or None where that isn't installed."""
    try:
        from msgspec import DecodeError as RawError
        from msgspec.msgpack import Decoder, Encoder
    except ImportError:
        return None
    raw_pack, raw_unpack = Encoder().encode, Decoder().decode

    def pack(value: Any) -> bytes:
        try:
            return raw_pack(value)
        except (OverflowError, UnicodeEncodeError, TypeError, RecursionError) as err:
            raise EncodeError(f"value can't be encoded: {err}") from None

    def unpack(data: bytes | memoryview) -> Any:
        try:
            return raw_unpack(data)
        except (RawError, RecursionError, ValueError, OverflowError, TypeError) as err:
            raise DecodeError(f"truncated or damaged value: {err}") from None

    return Codec("msgspec", pack, unpack)


# ---- values of any type


def _is_plain(value: Any) -> bool:
    """Whether a decoded value holds nothing but what our own decoder yields (no dates, no ext)."""
    return _is_allowed(value, _SCALARS, frozenset((list,)))


def _is_sendable(value: Any) -> bool:
    return _is_allowed(value, _SENDABLE, frozenset((list, tuple)))


def _is_allowed(value: Any, scalars: frozenset[type], lists: frozenset[type]) -> bool:
    kind = type(value)
    if kind in scalars:
        return True
    level = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is dict:
                if not _KEYS.issuperset(map(type, item)):
                    return False
                inner = item.values()
            elif kind in lists:
                inner = item
            else:
                return False
            if not scalars.issuperset(map(type, inner)):
                deeper += [x for x in inner if type(x) not in scalars]
        if not deeper:
            return True
        level = deeper
    return False


# ---- declared types


def _unsigned(value: Any) -> bool:
    return type(value) is int and value >= 0


def _exactly(kind: type) -> _Check:
    return lambda value: type(value) is kind


def _list_of(kind: type) -> _Check:
    kinds = frozenset((kind,))
    return lambda value: type(value) is list and kinds.issuperset(map(type, value))


def _either(*checks: _Check) -> _Check:
    return lambda value: any(check(value) for check in checks)


_CHECKS: dict[Any, _Check] = {
    Any: _is_plain,
    int: _unsigned,
    bool: _exactly(bool),
    str: _exactly(str),
    bytes: _exactly(bytes),
    float: lambda value: type(value) is float or type(value) is int,
    list[int]: _list_of(int),
    Sequence[int]: _list_of(int),
    Sequence[str]: _list_of(str),
    int | str: _either(_unsigned, _exactly(str)),
    int | list[int]: _either(_unsigned, _list_of(int)),
    list[str] | None: _either(_exactly(type(None)), _list_of(str)),
    tuple[str, ...] | None: _either(_exactly(type(None)), _list_of(str)),
    Sync: _exactly(dict),
}


class _Spec:
    """A body class, taken apart once."""

    __slots__ = ("any_fields", "body", "checks", "defaults", "fields", "required", "type_name")

    def __init__(self, body: Any) -> None:
        hints = get_type_hints(body)
        self.body = body
        self.type_name: str = body.__name__
        self.fields: tuple[str, ...] = body._fields
        self.checks = tuple(_CHECKS[hints[name]] for name in self.fields)
        self.required = len(self.fields) - len(body._field_defaults)
        self.defaults: tuple[Any, ...] = tuple(body._field_defaults.values())
        self.any_fields = tuple(i for i, name in enumerate(self.fields) if hints[name] is Any)


_ARRAYS: dict[Any, _Spec] = {body: _Spec(body) for body in ARRAYS}
_MAPS: dict[Any, _Spec] = {body: _Spec(body) for body in MAPS}


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))


def _trimmed(spec: _Spec, body: tuple[Any, ...]) -> tuple[Any, ...]:
    """The body's fields without those at its end that equal their defaults."""
    end, required, defaults = len(body), spec.required, spec.defaults
    while end > required:
        value, default = body[end - 1], defaults[end - 1 - required]
        if value is not default and not _same(value, default):
            break
        end -= 1
    return body[:end]


def _as_map(spec: _Spec, body: tuple[Any, ...]) -> dict[str, Any]:
    fields = zip(spec.fields, body, spec.defaults, strict=True)
    kept = {name: value for name, value, default in fields if not _same(value, default)}
    return {k: _as_map(_MAPS[Sync], v) if type(v) is Sync else v for k, v in kept.items()}


def encode(value: Any) -> bytes:
    """Encode a body of `messages`, or any sendable value.

    Raises:
        EncodeError: If a part of it has no place on the wire.
    """
    kind = type(value)
    spec = _ARRAYS.get(kind)
    if spec is not None:
        for i in spec.any_fields:
            _require_sendable(value[i])
        return _pack(_trimmed(spec, value))
    spec = _MAPS.get(kind)
    if spec is not None:
        return _pack(_as_map(spec, value))
    _require_sendable(value)
    return _pack(value)


def _require_sendable(value: Any) -> None:
    if not _is_sendable(value):
        _purecodec.dumps(value)  # finds the part that is wrong, and says so
        raise EncodeError(f"value is nested more than {MAX_DEPTH} levels deep")


def decode(data: bytes | memoryview, body: type[_B]) -> _B:
    """Decode one body of `messages`, every field of its declared type.

    Raises:
        DecodeError: If the bytes are anything else.
    """
    raw = _unpack(data)
    spec = _ARRAYS.get(body)
    result: _B = _from_array(spec, raw) if spec is not None else _from_map(_MAPS[body], raw)
    return result


def _from_array(spec: _Spec, raw: Any) -> Any:
    if type(raw) is not list or len(raw) < spec.required:
        raise DecodeError(f"{spec.type_name} isn't an array of {spec.required} fields or more")
    for check, value in zip(spec.checks, raw, strict=False):
        # the commonest check, without a call
        if type(value) is int and check is _unsigned:
            if value < 0:
                raise _wrong(spec, raw)
        elif not check(value):
            raise _wrong(spec, raw)
    known = len(spec.fields)
    if len(raw) > known:
        if not all(map(_is_plain, raw[known:])):
            raise DecodeError(f"{spec.type_name} has a field that nobody could have sent")
        raw = raw[:known]
    return spec.body(*raw)


def _wrong(spec: _Spec, raw: list[Any]) -> DecodeError:
    name = next(n for n, c, v in zip(spec.fields, spec.checks, raw, strict=False) if not c(v))
    return DecodeError(f"{spec.type_name}.{name} is of a wrong type")


def _from_map(spec: _Spec, raw: Any) -> Any:
    if type(raw) is not dict:
        raise DecodeError(f"{spec.type_name} isn't a map")
    found = {}
    for name, check in zip(spec.fields, spec.checks, strict=True):
        if name in raw:
            value = raw[name]
            if not check(value):
                raise DecodeError(f"{spec.type_name}.{name} is of a wrong type")
            found[name] = value
    for name, value in raw.items():
        if name not in spec.fields and not (type(name) in _KEYS and _is_plain(value)):
            raise DecodeError(f"{spec.type_name} has a field that nobody could have sent")
    if spec.body is Sync:
        for name in ("allowed", "skipped"):
            if found.get(name) is not None:
                found[name] = tuple(found[name])
    elif "sync" in found:
        found["sync"] = _from_map(_MAPS[Sync], found["sync"])
    return spec.body(**found)


_is_ints = _list_of(int)


def encode_ints(values: Sequence[int | list[int]]) -> bytes:
    """Encode a list of integers, the body of DIFF and STEP, or of lists of them. Nothing is
    checked."""
    return _pack(values)


def decode_ints(data: bytes | memoryview) -> list[int]:
    """Decode a flat list of integers, the body of DIFF and STEP."""
    raw = _unpack(data)
    if not _is_ints(raw):
        raise DecodeError("expected a list of integers")
    ints: list[int] = raw
    return ints


NATIVE = native_codec()
_codec = NATIVE or pure_codec()
_pack, _unpack = _codec.pack, _codec.unpack


def _use(codec: Codec) -> None:
    """For tests: switch the raw codec of this process."""
    global _codec, _pack, _unpack
    _codec, _pack, _unpack = codec, codec.pack, codec.unpack
