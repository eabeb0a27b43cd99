"""Typed arguments of mutations (ARG-1..4): dataclasses locally, plain maps on the wire."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from amctl.machine.errors import ArgsError

__all__ = ["Args", "ArgsLike", "as_args", "parse_args"]

A = TypeVar("A", bound="Args")
_NO_ARGS: Mapping[str, Any] = types.MappingProxyType({})


class Args:
    """Base of typed arguments. Subclass it as a frozen dataclass named `A<State>`.

    Every field needs a default, since a handler that gets no such arguments sees the default
    object. Fields are of JSON's types and bytes, or anything while they stay in the process.
    """

    prefix: ClassVar[str] = "am"

    @classmethod
    def key(cls) -> str:
        """The key under which the object stands in a mutation's map: `<prefix>__<State>`."""
        name = cls.__name__
        return f"{cls.prefix}__{name[1:] if name[:1] == 'A' else name}"

    def to_wire(self) -> dict[str, Any]:
        """The fields as a plain map, defaults left out."""
        out = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # subclasses are dataclasses
            value = getattr(self, field.name)
            if value != field.default:
                out[field.name] = value
        return out

    @classmethod
    def from_wire(cls: type[A], data: Mapping[str, Any]) -> A:
        """The typed object for a map that came over the wire. Unknown fields are ignored.

        Raises:
            ArgsError: A value's type is not the declared one.
        """
        declared = typing.get_type_hints(cls)
        known = {}
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]  # see to_wire
            if field.name in data:
                value = data[field.name]
                if not _fits(value, declared[field.name]):
                    raise ArgsError(cls.__name__, field.name, f"can't be {value!r:.60}")
                known[field.name] = value
        return cls(**known)


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, option) for option in typing.get_args(hint))
    kind = origin or hint
    if kind is None or kind is types.NoneType:
        return value is None
    if kind is float and type(value) is int:
        return True
    if kind is int and type(value) is bool:
        return False
    return isinstance(value, kind) if isinstance(kind, type) else True


ArgsLike = Args | Sequence[Args] | Mapping[str, Any] | None


def as_args(args: ArgsLike) -> Mapping[str, Any]:
    """One map for whatever a caller passes; typed objects stand under their keys."""
    if args is None:
        return _NO_ARGS
    if isinstance(args, Args):
        return {args.key(): args}
    if isinstance(args, Mapping):
        return args
    return {item.key(): item for item in args}


def parse_args(cls: type[A], args: Mapping[str, Any]) -> A:
    """The object of one type in a mutation's map; the default object if there is none."""
    value = args.get(cls.key())
    if isinstance(value, cls):
        return value
    return cls.from_wire(value) if isinstance(value, Mapping) else cls()
