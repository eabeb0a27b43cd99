"""Typed arguments of mutations (ARG-1..4): dataclasses locally, plain maps on the wire."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from amctl.machine.errors import ArgsError, RemoteError
from amctl.machine.signals import Signal

__all__ = [
    "ERROR_KEY",
    "LOGGED",
    "ACheck",
    "AException",
    "Args",
    "ArgsLike",
    "as_args",
    "declared_types",
    "loggable",
    "parse_args",
]

A = TypeVar("A", bound="Args")
_hints: dict[type, dict[str, Any]] = {}


class Args:
    """Base of typed arguments. Subclass it as a frozen dataclass named `A<State>`.

    Every field needs a default, since a handler that gets no such arguments sees the default
    object. Fields may be of JSON's types and bytes, or anything while they stay in the process.
    """

    prefix: ClassVar[str] = "am"

    @classmethod
    def key(cls) -> str:
        """The key under which the object stands in a mutation's map: `<prefix>__<State>`."""
        return f"{cls.prefix}__{cls.label()}"

    @classmethod
    def label(cls) -> str:
        """What people call it: `Start` for AStart."""
        name = cls.__name__
        return name[1:] if name[:1] == "A" else name

    def to_wire(self) -> dict[str, Any]:
        """The fields as a plain map, defaults left out."""
        out = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # subclasses are dataclasses
            value = getattr(self, field.name)
            if value != field.default:
                out[field.name] = _plain(value)
        return out

    @classmethod
    def from_wire(cls: type[A], data: Mapping[str, Any]) -> A:
        """The typed object for a map that came over the wire. Unknown fields are ignored.

        Raises:
            ArgsError: A value's type is not the declared one.
        """
        if not isinstance(data, Mapping):
            raise ArgsError(cls.__name__, "", f"can't be made of {data!r:.60}")
        declared = declared_types(cls)
        known = {}
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]  # see to_wire
            if field.name in data:
                try:
                    known[field.name] = _fit(data[field.name], declared[field.name])
                except TypeError:
                    problem = f"can't be {data[field.name]!r:.60}"
                    raise ArgsError(cls.__name__, field.name, problem) from None
        return cls(**known)


def declared_types(cls: type[Args]) -> Mapping[str, Any]:
    """The types that annotations name, by field."""
    return _hints.get(cls) or _hints.setdefault(cls, typing.get_type_hints(cls))


def _plain(value: Any) -> Any:
    if isinstance(value, Args):
        return value.to_wire()
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _fit(value: Any, hint: Any) -> Any:
    """The value as its declared type; raises TypeError when it is another one."""
    if hint is Any:
        return value
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _fit_any(value, inner)
    if origin is typing.Literal:
        if value in inner:
            return value
        raise TypeError
    kind = origin or hint
    if kind is tuple and isinstance(value, list | tuple):
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(_fit(v, inner[0]) for v in value)
        if inner and len(inner) != len(value):
            raise TypeError
        return tuple(map(_fit, value, inner)) if inner else tuple(value)
    if kind in (list, Sequence) and isinstance(value, list | tuple):
        return [_fit(v, inner[0]) for v in value] if inner else list(value)
    if kind in (dict, Mapping) and isinstance(value, Mapping):
        if not inner:
            return value
        return {_fit(k, inner[0]): _fit(v, inner[1]) for k, v in value.items()}
    return _fit_one(value, kind)


def _fit_any(value: Any, options: tuple[Any, ...]) -> Any:
    for option in options:
        try:
            return _fit(value, option)
        except TypeError:
            continue
    raise TypeError


def _fit_one(value: Any, kind: Any) -> Any:
    if kind is None or kind is types.NoneType:
        fits = value is None
    elif kind in (int, float):
        fits = type(value) is int or (kind is float and type(value) is float)
    elif isinstance(kind, type) and issubclass(kind, Args) and isinstance(value, Mapping):
        return kind.from_wire(value)
    else:
        fits = not isinstance(kind, type) or isinstance(value, kind)
    if not fits:
        raise TypeError
    return value


ArgsLike = Args | Sequence[Args] | Mapping[str, Any] | None


def as_args(args: ArgsLike) -> Mapping[str, Any]:
    """One map for whatever a caller passes; typed objects stand under their keys."""
    if args is None:
        return {}
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
    return cls() if value is None else cls.from_wire(value)


LOGGED = frozenset(("name", "id", "port", "addr", "err", "path", "url", "uri"))
"""What logs and tools are shown of arguments, unless they ask for more (LOG-4)."""


def loggable(args: Mapping[str, Any], more: Iterable[str] = ()) -> dict[str, str]:
    """The arguments that may be shown, as texts on one line (HLP-5).

    Args:
        args: Of a mutation: plain values by name, and typed arguments under their keys; those that
            came over the wire as maps are told by such a key.
        more: Names to show besides `LOGGED`. Everything else may be a secret, or long.

    Returns:
        Text by name, uncut. Zero values are left out, as a field's default is.
    """
    if not args:
        return {}
    names = LOGGED.union(more)
    out: dict[str, str] = {}
    for key, value in args.items():
        if isinstance(value, Args):
            fields = {n: getattr(value, n, None) for n in _field_names(type(value)) if n in names}
        elif "__" in key and isinstance(value, Mapping):
            fields = {n: v for n, v in value.items() if n in names}
        elif key == ERROR_KEY:
            fields = {"err": value}
        else:
            fields = {key: value} if key in names else {}
        out.update((name, _text(field)) for name, field in fields.items() if not _is_zero(field))
    return out


def _is_zero(value: Any) -> bool:
    if isinstance(value, int | float):
        return value == 0  # a Result refuses to be a truth value
    return value is None or (isinstance(value, str | bytes | Sequence | Mapping) and not value)


def _field_names(cls: type[Args]) -> tuple[str, ...]:
    return tuple(getattr(cls, "__dataclass_fields__", ()))


def _text(value: Any) -> str:
    if isinstance(value, BaseException):
        text = str(value) or type(value).__name__
    elif isinstance(value, list | tuple):
        text = ", ".join(f'"{item}"' if isinstance(item, str) else str(item) for item in value)
    elif isinstance(value, bytes):
        text = f"{len(value)} bytes"
    else:
        try:
            text = str(value)
        except Exception:  # whatever it is, logs must not fail for it
            text = f"<{type(value).__name__}>"
    return " ".join(text.splitlines()) if "\n" in text or "\r" in text else text


@dataclasses.dataclass(frozen=True)
class AException(Args):
    """What comes with the state Exception (ERR-4)."""

    prefix: ClassVar[str] = "_am"

    err: BaseException | None = None
    """The error itself; across the network a RemoteError with its text."""
    handler: str = ""
    """The handler that failed, if one did."""
    called: tuple[str, ...] = ()
    """What that handler's mutation called."""
    targets: tuple[str, ...] = ()
    """What it would have activated."""

    @property
    def trace(self) -> str:
        """The error's traceback as text."""
        import traceback

        return "".join(traceback.format_exception(self.err)) if self.err is not None else ""

    def to_wire(self) -> dict[str, Any]:
        """As any arguments, with the error as its text."""
        out = dict(super().to_wire())
        if self.err is not None:
            out["err"] = f"{type(self.err).__name__}: {self.err}"
        return out

    @classmethod
    def from_wire(cls, data: Mapping[str, Any] | str | BaseException) -> AException:
        """See Args.from_wire. An error alone, or its text, will do, too."""
        if isinstance(data, BaseException):
            return cls(data)
        if isinstance(data, str):
            return cls(RemoteError(data))
        text = data.get("err") if isinstance(data, Mapping) else None
        rest = super().from_wire({**data, "err": None} if text is not None else data)
        return dataclasses.replace(rest, err=None if text is None else RemoteError(str(text)))


ERROR_KEY = AException.key()
"""Where the error stands among the arguments of Exception."""


class ACheck(Args):
    """Takes the answer of a Can* question that was asked while the machine was busy (CAN-2).

    Pass a new one with the question. It is always answered, also when the machine refuses to ask.
    # differs from Go: `canceled` holds the truth (CAN-3).
    """

    prefix: ClassVar[str] = "_am"

    def __init__(self) -> None:
        self.done: Signal = Signal(what="check")
        """Closes with the answer."""
        self.canceled: bool | None = None
        """The answer; None while there is none."""

    @classmethod
    def key(cls) -> str:
        """The original's key."""
        return "_am__Any"

    def answer(self, canceled: bool) -> None:
        """For the machine: give the answer. Only the first one counts."""
        if self.canceled is None:
            self.canceled = canceled
            self.done.close()
