"""Arguments by name: what people and other programs write, as the types that handlers take.

A text is read as its field's declared type: that is how words of a command line come. Any other
value is only checked, save that inside of lists and maps a text still stands for bytes, since JSON
has none.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from amctl.machine.args import Args, declared_types
from amctl.machine.errors import ArgsError, RemoteError

__all__ = ["fit_field", "named_args"]

_BOOLS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_NONES = ("none", "null", "")
_SHOWN = 60
_NAME = 80
_INTS = range(-(1 << 63), 1 << 64)
"""Those that travel."""


class _MisfitError(Exception):
    """A value isn't of the declared type, and can't be read as it."""


def named_args(
    types: Iterable[type[Args]], named: Mapping[str, Any], who: str = ""
) -> dict[str, Any]:
    """A mutation's map for arguments that were given by name.

    Args:
        types: Those that the machine takes.
        named: `Type.field` names a field of typed arguments; a type's own key stands for its map
            of fields; any other name is taken as it is.
        who: The machine's id, for errors.

    Raises:
        ArgsError: An unknown type or field (the hint has a near match), or a value that its field
            can't have.
    """
    known = list(types)
    by_name, by_key = {t.label(): t for t in known}, {t.key(): t for t in known}
    plain: dict[str, Any] = {}
    fields: dict[type[Args], dict[str, Any]] = {}
    for name, value in named.items():
        label, dot, field = name.partition(".")
        if dot:
            cls = by_name.get(label)
            if cls is None:
                raise _unknown_type(who, name, list(by_name))
            fields.setdefault(cls, {})[field] = value
        elif name in by_key:
            cls = by_key[name]
            if not isinstance(value, Mapping):
                raise ArgsError(cls.label(), "", f"can't be made of {_shown(value)}, only of a map")
            fields.setdefault(cls, {}).update(value)
        else:
            plain[name] = value
    for cls, values in fields.items():
        plain[cls.key()] = _made(cls, values)
    return plain


def _made(cls: type[Args], values: Mapping[Any, Any]) -> Args:
    fitting = {str(name): fit_field(cls, str(name), value) for name, value in values.items()}
    try:
        return cls(**fitting)
    except (TypeError, ValueError) as error:  # a check of its own
        raise ArgsError(cls.label(), "", f"can't be made: {error}") from None


def _unknown_type(who: str, name: str, labels: Sequence[str]) -> ArgsError:
    label = name.partition(".")[0][:_NAME]
    whose = f"machine {who!r} takes" if who else "it takes"
    if not labels:
        return ArgsError(label, "", f"are unknown ({name[:_NAME]})", f"{whose} no typed arguments")
    takes = f"{whose} {', '.join(labels)}"
    return ArgsError(label, "", f"are unknown ({name[:_NAME]})", takes, near=(label, labels))


def fit_field(cls: type[Args], name: str, value: Any) -> Any:
    """A value as the declared type of a field.

    Raises:
        ArgsError: There is no such field, or the value doesn't fit.
    """
    declared = declared_types(cls)
    fields = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]  # subclasses are dataclasses
    if name not in fields:
        has = f"it has {', '.join(fields)}" if fields else "it has no fields"
        name = name[:_NAME]
        problem = "is unknown" if name else "have a field without a name"
        raise ArgsError(cls.label(), name, problem, has, near=(name, fields))
    hint = declared[name]
    try:
        return _read(value, hint) if isinstance(value, str) else _fit(value, hint)
    except _MisfitError:
        problem = f"can't be {_shown(value)}: it should be {_expected(hint)}"
        raise ArgsError(cls.label(), name, problem) from None


def _shown(value: Any) -> str:
    text = repr(value[: _SHOWN + 1] if isinstance(value, str | bytes) else value)
    return f"{text[:_SHOWN]}..." if len(text) > _SHOWN else text


# -- texts


def _read(text: str, hint: Any) -> Any:
    """A text as its declared type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or hint is str or hint is object:
        return text
    if origin in (typing.Union, types.UnionType):
        return _read_any(text, inner)
    if origin is typing.Literal:
        return _read_literal(text, inner)
    kind = origin or hint
    if kind is types.NoneType:
        if text.strip().lower() in _NONES:
            return None
        raise _MisfitError
    if kind is bool:
        if (word := text.strip().lower()) in _BOOLS:
            return _BOOLS[word]
        raise _MisfitError
    if kind in (int, float):
        return _read_number(text, kind)
    if kind is bytes:
        return _read_bytes(text)
    if _is_error(kind):
        return RemoteError(text)
    return _fit(_read_json(text), hint)


def _read_any(text: str, options: tuple[Any, ...]) -> Any:
    """The first that fits; a text stays one if it may, and None is tried last."""
    if str in options:
        return text
    for option in sorted(options, key=lambda o: o is types.NoneType):
        try:
            return _read(text, option)
        except _MisfitError:
            continue
    raise _MisfitError


def _read_literal(text: str, options: tuple[Any, ...]) -> Any:
    if text in options:
        return text
    for option in options:
        if not isinstance(option, str) and text.strip() == str(option):
            return option
    raise _MisfitError


def _read_number(text: str, kind: Any) -> Any:
    word = text.strip()
    try:
        if kind is float:
            return float(word)
        number = int(word, 16) if word.lower().startswith(("0x", "-0x")) else int(word)
    except ValueError:
        raise _MisfitError from None
    _require(number in _INTS)
    return number


def _read_bytes(text: str) -> bytes:
    word = text.strip()
    try:
        if word[:2].lower() == "0x":
            return bytes.fromhex(word[2:])
        return base64.b64decode(word, validate=True)
    except (ValueError, binascii.Error):
        raise _MisfitError from None


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _MisfitError from None


# -- values


def _fit(value: Any, hint: Any) -> Any:
    """A value of its declared type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or hint is object:
        return value
    if origin in (typing.Union, types.UnionType):
        for option in inner:
            try:
                return _fit(value, option)
            except _MisfitError:
                continue
        raise _MisfitError
    if origin is typing.Literal:
        if any(value == option and type(value) is type(option) for option in inner):
            return value
        raise _MisfitError
    kind = origin or hint
    if kind is tuple:
        return _fit_tuple(value, inner)
    if kind in (list, Sequence, Iterable):
        _require(isinstance(value, list | tuple))
        return [_fit(one, inner[0]) for one in value] if inner else list(value)
    if kind in (dict, Mapping):
        _require(isinstance(value, Mapping))
        if not inner:
            return dict(value)
        return {_fit_key(k, inner[0]): _fit(v, inner[1]) for k, v in value.items()}
    return _fit_one(value, kind)


def _fit_tuple(value: Any, inner: tuple[Any, ...]) -> tuple[Any, ...]:
    _require(isinstance(value, list | tuple))
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_fit(one, inner[0]) for one in value)
    if not inner:
        return tuple(value)
    _require(len(value) == len(inner))
    return tuple(map(_fit, value, inner))


def _fit_key(key: Any, hint: Any) -> Any:
    """JSON's keys are texts, whatever they stand for."""
    return _read(key, hint) if isinstance(key, str) else _fit(key, hint)


def _fit_one(value: Any, kind: Any) -> Any:
    if kind in (bytes, bytearray) and isinstance(value, str):
        return _read_bytes(value)
    if kind is float and type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise _MisfitError from None
    if kind in (int, float):
        _require(type(value) is kind and (kind is float or value in _INTS))
    elif kind is None or kind is types.NoneType:
        _require(value is None)
    elif isinstance(kind, type) and issubclass(kind, Args):
        _require(isinstance(value, Mapping))
        return _made(kind, value)
    elif _is_error(kind) and isinstance(value, str):
        return RemoteError(value)
    else:
        _require(not isinstance(kind, type) or isinstance(value, kind))
    return value


def _require(fits: bool) -> None:
    if not fits:
        raise _MisfitError


def _is_error(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseException)


# -- what people are told


_WORDS: dict[Any, str] = {
    Any: "anything",
    object: "anything",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    bytes: "bytes: base64, or hex digits after 0x",
    types.NoneType: "none",
}


def _expected(hint: Any) -> str:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(map(_expected, inner))
    if origin is typing.Literal:
        return " or ".join(map(repr, inner))
    kind = origin or hint
    if kind in _WORDS:
        return _WORDS[kind]
    if kind is tuple and inner and inner[-1] is not Ellipsis:
        return f"a JSON list of {', '.join(map(_expected, inner))}"
    if kind in (tuple, list, Sequence, Iterable):
        return f"a JSON list, each {_expected(inner[0])}" if inner else "a JSON list"
    if kind in (dict, Mapping):
        return f"a JSON map, each {_expected(inner[1])}" if inner else "a JSON map"
    if _is_error(kind):
        return "an error's text"
    if isinstance(kind, type) and issubclass(kind, Args):
        return f"a JSON map of {', '.join(f.name for f in dataclasses.fields(kind))}"  # type: ignore[arg-type]  # subclasses are dataclasses
    return getattr(kind, "__name__", str(kind))
