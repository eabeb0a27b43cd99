"""Sets of states as classes (SET-*): a state's name is an attribute, so a typo is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amctl.machine.schema import EXCEPTION, Schema, StateDef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["State", "States"]


class State:
    """A state of a `States` class; reading the attribute gives the state's name.

    Args:
        auto: Activated by the machine itself as soon as relations allow it.
        multi: Each call counts, also while it is active already.
        require: States without which it can't be active.
        add: States that it activates along with itself.
        remove: States that it deactivates, and keeps out.
        after: States whose handlers run before its own.
        tags: Labels for tools.
    """

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
        """Redefine an inherited state, which keeps its inherited place among the names."""
        state = cls(**properties)
        state.keeps_place = True
        return state

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> str:
        return self.name


class States:
    """A set of states, as a class: an attribute for each. Sets are combined by inheritance.

    The order of names, which is the wire's: Exception, own states as written, then the bases from
    left to right, depth first; the first place of a name counts (SET-1). Definitions: own ones
    win, then those of the first base. A set with `exception_last` names Exception at its end.
    """

    exception_last: ClassVar[bool] = False
    groups: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Named lists of states; a class has its bases' groups too (SET-4)."""
    _schema: ClassVar[Schema | None] = None

    def __init_subclass__(cls) -> None:
        cls._schema = None
        own = cls.__dict__.get("groups", {})
        cls.groups = {}
        for base in cls.__bases__:
            cls.groups.update(getattr(base, "groups", {}))
        cls.groups.update(own)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """All state names in index order."""
        names = dict.fromkeys(n for n, state in _walk(cls) if not state.keeps_place)
        names.update(dict.fromkeys(n for n, _ in _walk(cls)))
        names.pop(EXCEPTION, None)
        last = cls.__dict__.get("exception_last", False)
        return (*names, EXCEPTION) if last else (EXCEPTION, *names)

    @classmethod
    def schema(cls) -> Schema:
        """The set's schema, not cleaned up yet; made once for a class."""
        if cls._schema is None:
            found: dict[str, StateDef] = {}
            for name, state in _walk(cls):
                found.setdefault(name, state.definition)
            cls._schema = Schema(found, cls.names(), cls.groups)
        return cls._schema

    @classmethod
    def tree(cls) -> dict[str, tuple[str, ...]]:
        """The set's own new names under `self`, then those of each inherited set (SET-2)."""
        out: dict[str, tuple[str, ...]] = {}
        seen = {EXCEPTION}
        for owner, own in _walk_sets(cls):
            names = tuple(n for n in own if n not in seen)
            seen.update(names)
            out.setdefault("self" if owner is cls else owner.__name__, names)
        return out


def _walk_sets(cls: type) -> Iterator[tuple[type, dict[str, State]]]:
    """Each class with its own states: the class itself, then its bases, depth first."""
    if cls is States or not issubclass(cls, States):
        return
    yield cls, {n: s for n, s in cls.__dict__.items() if isinstance(s, State)}
    for base in cls.__bases__:
        yield from _walk_sets(base)


def _walk(cls: type) -> Iterator[tuple[str, State]]:
    for _, own in _walk_sets(cls):
        yield from own.items()
