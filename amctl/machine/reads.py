"""Reading a clock: what a local machine and the mirror of a remote one have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from amctl.machine.errors import UnknownStateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amctl.machine.compiled import Compiled
    from amctl.machine.plan import ActiveSet
    from amctl.machine.schema import Schema

__all__ = ["Reads", "StatesLike"]

StatesLike = str | Iterable[str]
"""One state's name, or several."""


class Reads:
    """Queries over the attributes below, which the owner keeps up to date.

    Once `is_disposed`, everything reads as empty, inactive and 0 (DSP-3).
    """

    # What is hot has a slot: an instance with many attributes keeps them in a slower dictionary.
    __slots__ = (
        "_bits",
        "_clock",
        "_compiled",
        "_config",
        "_gone",
        "id",
        "machine_tick",
        "queue_tick",
    )

    id: str
    queue_tick: int
    """Starts with 1; grows when a queued mutation is taken off, whatever its outcome (CLK-10)."""
    machine_tick: int
    """How often the machine was imported, i.e. restarted."""
    _gone: bool
    _compiled: Compiled
    _bits: dict[str, int]
    _clock: list[int]
    _config: ActiveSet

    @property
    def is_disposed(self) -> bool:
        """Whether it is over, and nothing can happen any more."""
        return self._gone

    @property
    def names(self) -> tuple[str, ...]:
        """State names in index order."""
        return self._compiled.names

    @property
    def schema(self) -> Schema:
        """The effective schema: cleaned up, with Exception."""
        return self._compiled.schema

    @property
    def time_sum(self) -> int:
        """Sum of all ticks, the machine time."""
        return 0 if self._gone else sum(self._clock)

    @property
    def active(self) -> list[str]:
        """Active states, in target order of the last transition; not in index order (NAM-4)."""
        names = self._compiled.names
        return [] if self._gone else [names[i] for i in self._config.order]

    def has(self, states: StatesLike) -> bool:
        """Whether the schema has all of these."""
        names = (states,) if isinstance(states, str) else states
        return not self._gone and all(name in self._bits for name in names)

    def is_(self, states: StatesLike) -> bool:
        """Whether all of these are active; unknown ones never are."""
        if isinstance(states, str):
            bit = self._bits.get(states)
            return self._config.mask & bit != 0 if bit is not None else self._not_found(states)
        mask, complete = self._known(states)
        return complete and not self._gone and not mask & ~self._config.mask

    def not_(self, states: StatesLike) -> bool:
        """Whether all of these are inactive.

        Raises:
            UnknownStateError: A name isn't in the schema.
        """
        if self._gone:
            return False
        return not self._mask_of(states)[1] & self._config.mask

    def any_(self, *states: StatesLike) -> bool:
        """Whether at least one of these is active."""
        return any(self._known(s)[0] & self._config.mask for s in states)

    def is_err(self) -> bool:
        """Whether Exception is active."""
        return self._config.mask & self._compiled.exception != 0

    def switch(self, *groups: Iterable[str]) -> str:
        """The first active state of these lists, or "" (STR-3)."""
        return next((s for group in groups for s in group if self.is_(s)), "")

    def index(self, state: str) -> int:
        """A state's place in clocks; -1 for an unknown one."""
        return -1 if self._gone else self._compiled.index.get(state, -1)

    def indexes(self, states: Iterable[str]) -> list[int]:
        """The places of several states; see `index`."""
        return [self.index(state) for state in states]

    def names_at(self, indexes: Iterable[int]) -> list[str]:
        """The names at these places; `unknown<index>` where there is none (NAM-5)."""
        names = self.names
        return [names[i] if 0 <= i < len(names) else f"unknown{i}" for i in indexes]

    def known(self, states: Iterable[str]) -> list[str]:
        """Those of the names that the machine has, each once, in order (NAM-7).

        # differs from Go, where repeated names let unknown ones through.
        """
        return [] if self._gone else [n for n in dict.fromkeys(states) if n in self._compiled.index]

    def tick(self, state: str) -> int:
        """The state's tick: odd is active. 0 for an unknown one."""
        i = self._compiled.index.get(state)
        return 0 if i is None or self._gone else self._clock[i]

    def time(self, states: Iterable[str] | None = None) -> list[int]:
        """Ticks in index order, or of the given states in their order."""
        if self._gone:
            return []
        return list(self._clock) if states is None else [self.tick(s) for s in states]

    def clock(self, states: Iterable[str] | None = None) -> dict[str, int]:
        """Ticks by state name."""
        if self._gone:
            return {}
        return {s: self.tick(s) for s in (self.names if states is None else states)}

    def is_clock(self, clock: Mapping[str, int]) -> bool:
        """Whether all of these ticks are the present ones (CLK-8)."""
        return not self._gone and all(self.tick(s) == t for s, t in clock.items())

    def was_clock(self, clock: Mapping[str, int]) -> bool:
        """Whether all of these ticks are reached or past."""
        return not self._gone and all(self.tick(s) >= t for s, t in clock.items())

    def __str__(self) -> str:
        """STR-1: active states with their ticks, in index order."""
        return "" if self._gone else "(" + " ".join(self._listed(True)) + ")"

    def string_all(self) -> str:
        """STR-2: active, then inactive states with their ticks."""
        return "" if self._gone else f"{self} [" + " ".join(self._listed(False)) + "]"

    def inspect(self, states: Iterable[str] | None = None) -> str:
        """STR-4: states with their ticks and properties, several lines each."""
        if self._gone:
            return ""
        lines = []
        for name in self.names if states is None else states:
            state = self.schema[name]
            lines.append(f"{int(self.is_(name))} {name}")
            lines.append(f"    |Tick     {self.tick(name)}")
            lines += [f"    |{k.title():<9}true" for k in ("auto", "multi") if getattr(state, k)]
            for key in ("add", "require", "remove", "after"):
                if getattr(state, key):
                    lines.append(f"    |{key.title():<9}{' '.join(getattr(state, key))}")
        return "\n".join(lines) + "\n"

    def _listed(self, active: bool) -> Iterator[str]:
        mask = self._config.mask if active else ~self._config.mask
        for i, name in enumerate(self._compiled.names):
            if mask >> i & 1:
                yield f"{name}:{self._clock[i]}"

    def _known(self, states: StatesLike) -> tuple[int, bool]:
        """The known ones as a mask, and whether all are known."""
        mask, complete, bits = 0, True, self._bits
        for name in (states,) if isinstance(states, str) else states:
            bit = bits.get(name)
            if bit is None:
                complete = self._not_found(name)
            else:
                mask |= bit
        return mask, complete

    def _not_found(self, state: str) -> bool:
        """For subclasses: somebody asked for a state that there isn't. False, always."""
        return False

    def _mask_of(self, states: StatesLike) -> tuple[tuple[int, ...], int]:
        """The states' indexes in their order, and their mask; raises on an unknown one (NAM-6)."""
        names = (states,) if isinstance(states, str) else tuple(dict.fromkeys(states))
        index = self._compiled.index
        unknown = [n for n in names if n not in index]
        if unknown:
            raise UnknownStateError(self.id, unknown, self._compiled.names)
        order = tuple(index[n] for n in names)
        return order, sum(1 << i for i in order)
