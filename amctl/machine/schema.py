"""State definitions: classes of states, schemas, and their clean-up (SCH-*, SET-*)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from amctl.machine.compiled import EXCEPTION, Compiled
from amctl.machine.errors import SchemaError

__all__ = ["EXCEPTION", "Schema", "State", "StateDef", "States", "normalise"]

_RELATIONS = ("add", "require", "remove", "after")


@dataclass(frozen=True, slots=True)
class StateDef:
    """The properties of one state. Relations are ordered lists of state names."""

    auto: bool = False
    multi: bool = False
    require: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    tags: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, raw: StateDef | Mapping[str, Any]) -> StateDef:
        """From a map with the keys of SCH-1, missing ones are false or empty."""
        if isinstance(raw, StateDef):
            return raw
        known: dict[str, Any] = {
            k: (v if isinstance(v, bool) else tuple(v)) for k, v in raw.items()
        }
        return cls(**known)

    def to_dict(self) -> dict[str, Any]:
        """A map with the keys of SCH-1, empty ones left out."""
        out: dict[str, Any] = {k: True for k in ("auto", "multi") if getattr(self, k)}
        for key in ("require", "add", "remove", "after", "tags"):
            if getattr(self, key):
                out[key] = list(getattr(self, key))
        return out


class State:
    """A state of a `States` class; reading the attribute gives the state's name."""

    __slots__ = ("definition", "keeps_place", "name")

    def __init__(
        self,
        *,
        auto: bool = False,
        multi: bool = False,
        require: Iterable[str] = (),
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        after: Iterable[str] = (),
        tags: Iterable[str] = (),
    ) -> None:
        self.definition = StateDef(
            auto, multi, tuple(require), tuple(add), tuple(remove), tuple(after), tuple(tags)
        )
        self.keeps_place = False
        self.name = ""

    @classmethod
    def override(cls, **properties: Any) -> State:
        """Redefines an inherited state, which keeps its inherited place among the names."""
        state = cls(**properties)
        state.keeps_place = True
        return state

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> str:
        return self.name


class States:
    """A set of states, as a class: an attribute for each. Sets are combined by inheritance.

    The order of names, which is the wire's, is: Exception, own states as written, then the bases
    from left to right, depth first; the first place of a name counts (SET-1). Definitions: own
    ones win, then those of the first base. A set with `exception_last` has Exception at its end.
    """

    exception_last: ClassVar[bool] = False
    groups: ClassVar[dict[str, tuple[str, ...]]] = {}

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """All state names in index order."""
        names = dict.fromkeys(cls._listed(cls))
        names.pop(EXCEPTION, None)
        last = cls.__dict__.get("exception_last", False)
        return (*names, EXCEPTION) if last else (EXCEPTION, *names)

    @classmethod
    def schema(cls) -> Schema:
        """The set's schema, not yet cleaned up; made once for a class."""
        cached = cls.__dict__.get("_schema")
        if isinstance(cached, Schema):
            return cached
        found: dict[str, StateDef] = {}
        for base in cls.__mro__:
            for name, state in base.__dict__.items():
                if isinstance(state, State):
                    found.setdefault(name, state.definition)
        schema = Schema(found, cls.names(), cls.all_groups())
        cls._schema = schema  # type: ignore[attr-defined]  # a cache of this very class
        return schema

    @classmethod
    def all_groups(cls) -> dict[str, tuple[str, ...]]:
        """State groups, inherited ones first (SET-4)."""
        out: dict[str, tuple[str, ...]] = {}
        for base in reversed(cls.__mro__):
            out.update(base.__dict__.get("groups", {}))
        return out

    @staticmethod
    def _listed(cls: type) -> Iterator[str]:
        for name, state in cls.__dict__.items():
            if isinstance(state, State) and not state.keeps_place:
                yield name
        for base in cls.__bases__:
            yield from States._listed(base)


class Schema(Mapping[str, StateDef]):
    """An immutable map of state names to definitions, in index order."""

    __slots__ = ("_compiled", "_states", "groups", "names")

    def __init__(
        self,
        states: Mapping[str, StateDef | Mapping[str, Any]],
        names: Iterable[str] | None = None,
        groups: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Args:
        states: Definitions, or maps as in SCH-1.
        names: The index order; None is alphabetical. Names that `states` lacks are kept for
            `Exception` only, which every machine has.
        groups: Named lists of states.
        """
        self.names = tuple(dict.fromkeys(sorted(states) if names is None else names))
        self._states = {name: StateDef.of(raw) for name, raw in states.items()}
        self.groups = dict(groups or {})
        self._compiled: tuple[Compiled, list[SchemaError]] | None = None

    def __getitem__(self, name: str) -> StateDef:
        return self._states[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any], names: Iterable[str] | None = None) -> Schema:
        """The schema that `to_dict` wrote."""
        return cls(raw, names)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Plain maps with the keys of SCH-1, in the order of definition."""
        return {name: state.to_dict() for name, state in self._states.items()}

    def merge(self, *others: Mapping[str, StateDef]) -> Schema:
        """A new schema in which a later definition replaces an earlier one whole (SCH-3)."""
        states, names = dict(self._states), list(self.names)
        groups = dict(self.groups)
        for other in others:
            states.update(other)
            names += other.names if isinstance(other, Schema) else list(other)
            groups.update(other.groups if isinstance(other, Schema) else {})
        return Schema(states, dict.fromkeys(names), groups)

    def prefix(self, prefix: str, *, skip: Iterable[str] = (), relations: bool = True) -> Schema:
        """Every name with a prefix, in relations too (SCH-11).

        Args:
            prefix: Put before each name.
            skip: Unprefixed names to leave out.
            relations: False makes states without relations: a mirror accepts what it is told.
        """
        leave = set(skip)
        states = {}
        for name, state in self._states.items():
            if name in leave:
                continue
            renamed: dict[str, Any] = {
                k: tuple(prefix + o for o in getattr(state, k)) for k in _RELATIONS
            }
            if not relations:
                renamed = dict.fromkeys(_RELATIONS, ())
            states[prefix + name] = replace(state, **renamed)
        return Schema(states, [prefix + n for n in self.names if n not in leave])

    def with_state(self, name: str, state: StateDef) -> Schema:
        """A new schema with one more state, or with another definition of a known one."""
        return self.merge(Schema({name: state}, [name]))

    def compiled(self, mach_id: str = "") -> tuple[Compiled, list[SchemaError]]:
        """The form the engine computes with, made once; and the conflicts that were found.

        Raises:
            UnknownStateError: `names` and the definitions don't agree.
        """
        if self._compiled is None:
            clean, errors = normalise(self)
            names = self.names if EXCEPTION in self.names else (*self.names, EXCEPTION)
            self._compiled = Compiled(clean, names, mach_id), errors
        return self._compiled

    @property
    def hash(self) -> str:
        """Six hex digits that differ when any property or relation does (HLP-11)."""
        states = normalise(self)[0]
        text = []
        for name in sorted(states):
            state = states[name]
            text.append(f"{name}:" + "a," * state.auto + "m," * state.multi)
            for names in (state.after, state.remove, state.add, state.require):
                text.append("".join(f"{other}," for other in sorted(names)) + ";")  # noqa: PERF401  # clearer than extend
        return hashlib.md5("".join(text).encode(), usedforsecurity=False).hexdigest()[:6]


def _without_first(items: tuple[str, ...], name: str) -> tuple[str, ...]:
    if name not in items:
        return items
    at = items.index(name)
    return items[:at] + items[at + 1 :]


def normalise(
    schema: Mapping[str, StateDef | Mapping[str, Any]],
) -> tuple[dict[str, StateDef], list[SchemaError]]:
    """SCH-4: the cleaned schema (plus Exception, SCH-2) and the conflicts found in it."""
    states = {name: StateDef.of(raw) for name, raw in schema.items()}
    errors: list[SchemaError] = []
    clean: dict[str, StateDef] = {}
    for name, state in states.items():
        remove = _without_first(state.remove, name)
        after = _without_first(state.after, name)
        add = []
        for other in state.add:
            if other in remove:
                remove = _without_first(remove, other)
            elif other not in states:
                continue
            add.append(other)
        errors += [
            SchemaError(f"schema error: require-remove conflict for {name} to {other}")
            for other in state.require
            if other in remove
        ]
        clean[name] = replace(
            state,
            add=tuple(add),
            remove=tuple(o for o in remove if o in states),
            after=tuple(o for o in after if o in states),
        )
    clean.setdefault(EXCEPTION, StateDef(multi=True))
    return clean, errors
