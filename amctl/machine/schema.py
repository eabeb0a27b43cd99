"""State definitions: schemas, and their clean-up (SCH-*)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from amctl.machine.errors import SchemaError

if TYPE_CHECKING:
    from amctl.machine.compiled import Compiled

__all__ = ["EXCEPTION", "Schema", "StateDef", "normalise"]

EXCEPTION = "Exception"
_LISTS = ("require", "add", "remove", "after", "tags")
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
        """From a map with the keys of SCH-1; missing ones are false or empty.

        Raises:
            SchemaError: Unknown keys, or a string where a list belongs.
        """
        if isinstance(raw, StateDef):
            return raw
        known: dict[str, Any] = {}
        for key, value in raw.items():
            if key in ("auto", "multi"):
                known[key] = bool(value)
            elif key in _LISTS and not isinstance(value, str):
                known[key] = tuple(value)
            else:
                raise SchemaError(f"state property {key!r} can't be {value!r:.60}")
        return cls(**known)

    def extended(self, overlay: StateDef | Mapping[str, Any]) -> StateDef:
        """With what another one adds: its lists behind one's own, auto and multi of either.

        Tags stay (SCH-9).
        """
        more = StateDef.of(overlay)
        lists = {k: dict.fromkeys((*getattr(self, k), *getattr(more, k))) for k in _RELATIONS}
        return replace(
            self,
            auto=self.auto or more.auto,
            multi=self.multi or more.multi,
            **{k: tuple(names) for k, names in lists.items()},
        )

    def replaced(
        self,
        overlay: StateDef | Mapping[str, Any],
        *,
        auto: bool | None = None,
        multi: bool | None = None,
    ) -> StateDef:
        """With the relations of another one instead of its own (SCH-9). Tags stay.

        Args:
            overlay: Of a map, the lists that are in it count, empty ones too; of a definition,
                those that aren't empty.
            auto: None keeps the present one.
            multi: None keeps the present one.
        """
        given = StateDef.of(overlay)
        there = overlay if isinstance(overlay, Mapping) else given.to_dict()
        return replace(
            self,
            auto=self.auto if auto is None else auto,
            multi=self.multi if multi is None else multi,
            **{key: getattr(given, key) for key in _RELATIONS if key in there},
        )

    @property
    def adjacent(self) -> tuple[str, ...]:
        """Every state that a relation names, maybe several times (SCH-12)."""
        return (*self.add, *self.after, *self.require, *self.remove)

    def to_dict(self) -> dict[str, Any]:
        """A map with the keys of SCH-1, empty ones left out."""
        out: dict[str, Any] = {k: True for k in ("auto", "multi") if getattr(self, k)}
        for key in _LISTS:
            if getattr(self, key):
                out[key] = list(getattr(self, key))
        return out


class Schema(Mapping[str, StateDef]):
    """An immutable map of state names to definitions, as they were written.

    A machine works with its `effective` form: cleaned up, and with `Exception`. The raw form keeps
    references to states of other sets, so that sets can be merged before they are cleaned up.

    Args:
        states: Definitions, or maps as in SCH-1.
        names: The index order; None is alphabetical (NAM-1). `Exception`, which every machine has,
            may stand there without a definition; left out, it comes last.
        groups: Named lists of states, for tools.

    Raises:
        SchemaError: `names` and `states` differ in their names.
    """

    __slots__ = ("_compiled", "_effective", "_hash", "_order", "_states", "groups")

    def __init__(
        self,
        states: Mapping[str, StateDef | Mapping[str, Any]],
        names: Iterable[str] | None = None,
        groups: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._order = tuple(dict.fromkeys(sorted({*states, EXCEPTION}) if names is None else names))
        self._states = {name: StateDef.of(raw) for name, raw in states.items()}
        self.groups = dict(groups or {})
        self._effective: tuple[Schema, list[SchemaError]] | None = None
        self._compiled: Compiled | None = None
        self._hash = ""
        if names is not None:
            self._verify()

    def _verify(self) -> None:
        """NAM-2."""
        given = {*self._order, EXCEPTION}
        unknown = [n for n in self._order if n not in self._states and n != EXCEPTION]
        missing = [n for n in self._states if n not in given]
        if unknown:
            raise SchemaError(f"names unknown to the schema: {' '.join(unknown)}")
        if missing:
            raise SchemaError(f"states missing in the list of names: {' '.join(missing)}")

    @property
    def names(self) -> tuple[str, ...]:
        """All the names in index order, `Exception` among them."""
        return self._order if EXCEPTION in self._order else (*self._order, EXCEPTION)

    def __getitem__(self, name: str) -> StateDef:
        return self._states[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.names if name in self._states)

    def __len__(self) -> int:
        return len(self._states)

    def __repr__(self) -> str:
        return f"Schema({' '.join(self)})"

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any], names: Iterable[str] | None = None) -> Schema:
        """The schema that `to_dict` wrote."""
        return cls(raw, names)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Plain maps with the keys of SCH-1, in index order."""
        return {name: self._states[name].to_dict() for name in self}

    def merge(self, *others: Mapping[str, StateDef]) -> Schema:
        """A new schema in which a later definition replaces an earlier one whole (SCH-3)."""
        states, names = dict(self._states), list(self._order)
        groups = dict(self.groups)
        for other in others:
            states.update(other)
            names += other._order if isinstance(other, Schema) else list(other)
            groups.update(other.groups if isinstance(other, Schema) else {})
        return Schema(states, dict.fromkeys(names), groups)

    def prefix(
        self,
        prefix: str,
        *,
        allow: Iterable[str] = (),
        skip: Iterable[str] = (),
        relations: bool = True,
        remove_dups: bool = False,
    ) -> Schema:
        """Every name with a prefix, in relations too (SCH-11).

        Args:
            prefix: Put before each name.
            allow: Unprefixed names to keep, and no others; empty keeps all.
            skip: Unprefixed names to leave out; of no account when `allow` is given.
            relations: False makes states without relations: a mirror accepts what it is told.
            remove_dups: A state whose name starts with the prefix already stays as it is.
        """
        keep, leave = set(allow), set(skip)
        states: dict[str, StateDef] = {}
        for name in self:
            if name not in keep if keep else name in leave:
                continue
            put = "" if remove_dups and name.startswith(prefix) else prefix
            state = self._states[name]
            bare = StateDef(state.auto, state.multi, tags=state.tags)
            states[put + name] = _renamed(state, put) if relations else bare
        return Schema(states, list(states))

    def with_state(self, name: str, state: StateDef) -> Schema:
        """A new schema with one more state, or with another definition of a known one."""
        return self.merge({name: state})

    def filter_by_tag(self, tag: str) -> Schema:
        """The states that have exactly this tag, as they are."""
        found = {name: self._states[name] for name in self if tag in self._states[name].tags}
        return Schema(found, list(found))

    def tagged(self, tag: str) -> tuple[str, ...]:
        """Names of the states with this tag, or with `tag:...`."""
        start = f"{tag}:"
        return tuple(
            n for n in self if any(t == tag or t.startswith(start) for t in self._states[n].tags)
        )

    def relations_of(self, name: str) -> tuple[str, ...]:
        """Which relations a state has: of `add`, `require`, `remove`, `after`, in this order.

        Raises:
            SchemaError: There is no such state. So do the other two.
        """
        state = self._known(name)
        return tuple(key for key in _RELATIONS if getattr(state, key))

    def relations_between(self, name: str, other: str) -> tuple[str, ...]:
        """By which relations one state names another one."""
        state, _ = self._known(name), self._known(other)
        return tuple(key for key in _RELATIONS if other in getattr(state, key))

    def inbound_relations_of(self, name: str) -> tuple[str, ...]:
        """The states that name this one, once for each relation that does."""
        self._known(name)
        return tuple(other for other in self for _ in self.relations_between(other, name))

    def _known(self, name: str) -> StateDef:
        if name not in self._states:
            raise SchemaError(f"the schema has no state {name!r}")
        return self._states[name]

    @property
    def effective(self) -> tuple[Schema, list[SchemaError]]:
        """What a machine works with, and the conflicts found in it (SCH-4, SCH-8)."""
        if self._effective is None:
            states, errors = normalise(self._states)
            self._effective = Schema(states, self.names, self.groups), errors
        return self._effective

    def compiled(self) -> Compiled:
        """The effective schema in the form that the engine computes with; made once."""
        if self._compiled is None:
            from amctl.machine.compiled import Compiled

            self._compiled = Compiled(self.effective[0])
        return self._compiled

    @property
    def hash(self) -> str:
        """Six hex digits that differ when any property or relation does (HLP-11)."""
        if not self._hash:
            self._hash = _hash(self.effective[0])
        return self._hash


def _renamed(state: StateDef, prefix: str) -> StateDef:
    def put(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(prefix + name for name in names)

    return replace(
        state,
        require=put(state.require),
        add=put(state.add),
        remove=put(state.remove),
        after=put(state.after),
    )


def _hash(schema: Schema) -> str:
    import hashlib

    text = []
    for name in sorted(schema):
        state = schema[name]
        text.append(f"{name}:" + "a," * state.auto + "m," * state.multi)
        for key in ("after", "remove", "add", "require"):
            text += [f"{other}," for other in sorted(getattr(state, key))]
            text.append(";")
    return hashlib.md5("".join(text).encode(), usedforsecurity=False).hexdigest()[:6]


def _without_first(items: tuple[str, ...], name: str) -> tuple[str, ...]:
    if name not in items:
        return items
    at = items.index(name)
    return items[:at] + items[at + 1 :]


def normalise(states: Mapping[str, StateDef]) -> tuple[dict[str, StateDef], list[SchemaError]]:
    """SCH-4: the cleaned states (plus Exception, SCH-2) and the conflicts found among them."""
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
