"""Which transitions and machines are shown, and how many that is (debugger_ui.md 2.8).

Nothing is ever hidden in silence: `Shown` says how many of how many, and what was never recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from amctl.debugger._columns import below

if TYPE_CHECKING:
    from collections.abc import Collection

    from amctl.debugger.index import MachineIndex
    from amctl.telemetry.messages import SchemaMsg

__all__ = ["ALL", "NAMES", "Auto", "Filters", "Shown", "group_states", "groups_of", "is_shown"]

ALL: Final = "all"
"""The group of all states."""
_RPC_TAGS: Final = ("rpc-client", "rpc-server", "rpc-mux", "rpc-netmach", "relay")
NAMES: Final = (
    "canceled",
    "queued",
    "auto",
    "empty",
    "health",
    "outgroup",
    "disconn",
    "checks",
    "rpc",
)
"""What `Filters.toggled` takes."""


class Auto(StrEnum):
    """What is hidden of auto transitions."""

    SHOW = "show"
    HIDE_CANCELED = "hide canceled"
    HIDE = "hide"


@dataclass(frozen=True, slots=True)
class Filters:
    """What is hidden. As it is made, it is what a debugger starts with."""

    auto: Auto = Auto.HIDE_CANCELED
    canceled: bool = False
    queued: bool = False
    empty: bool = False
    """Accepted ones that moved no clock."""
    health: bool = True
    checks: bool = True
    outgroup: bool = True
    """Those that call no state of the selected group."""
    disconn: bool = False
    """Machines that are gone."""
    rpc: bool = False
    """Machines of connections: servers, clients, mirrors, muxes, relays."""

    @classmethod
    def none(cls) -> Filters:
        """Nothing is hidden."""
        return cls(Auto.SHOW, health=False, checks=False, outgroup=False)

    def toggled(self, name: str) -> Filters:
        """The other way round; `auto` goes through its three.

        Showing canceled or queued ones again shows empty ones, too.

        Raises:
            KeyError: There is no such filter.
        """
        if name not in NAMES:
            raise KeyError(name)
        if name == "auto":
            order = [*Auto]
            return replace(self, auto=order[(order.index(self.auto) + 1) % len(order)])
        hidden = not getattr(self, name)
        values: dict[str, Any] = {name: hidden}
        made = replace(self, **values)
        if name in ("canceled", "queued") and not hidden:
            made = replace(made, empty=False)
        return made

    def hidden(self, machine: MachineIndex, group: Collection[str] | None = None) -> int:
        """Cursors of a machine that are hidden.

        Args:
            machine: As far as its index is built.
            group: States of the selected group; None is no group.
        """
        found = 0
        if self.auto is Auto.HIDE:
            found |= machine.auto.value
        if self.auto is not Auto.SHOW:
            found |= machine.auto_canceled.value
        for is_on, bits in (
            (self.canceled, machine.canceled),
            (self.queued, machine.queued),
            (self.empty, machine.empty),
            (self.health, machine.health),
            (self.checks, machine.checks),
        ):
            if is_on:
                found |= bits.value
        if self.outgroup and group is not None:
            inside = 0
            for name in group:
                track = machine.tracks.get(name)
                inside |= track.called_bits.value if track is not None else 0
            found |= machine.everything & ~inside
        return found

    def visible(
        self, machine: MachineIndex | None, size: int, group: Collection[str] | None = None
    ) -> int:
        """Cursors that are shown; what the index doesn't know yet is.

        Args:
            machine: Its index; None if there is none yet.
            size: Transitions that it has in the recording.
            group: As of `hidden`.
        """
        everything = below(size + 1) & ~1
        return everything if machine is None else everything & ~self.hidden(machine, group)


@dataclass(frozen=True, slots=True)
class Shown:
    """How many transitions of a machine are shown."""

    visible: int
    total: int
    dropped: int = 0
    """Messages that are known to be missing in the recording."""
    indexed: float = 1.0
    """How much of the recording the filters have seen."""

    def __str__(self) -> str:
        text = f"showing {self.visible} of {self.total}, {self.dropped} dropped"
        return text if self.indexed >= 1 else f"{text} ({self.indexed:.0%} looked at)"


def is_shown(schema: SchemaMsg, *, is_gone: bool, filters: Filters) -> bool:
    """Whether a machine is in the list."""
    if filters.disconn and is_gone:
        return False
    return not (filters.rpc and any(tag.partition(":")[0] in _RPC_TAGS for tag in schema.tags))


# -- groups (dbg.md 4.3)


def groups_of(schema: SchemaMsg) -> dict[str, tuple[str, ...]]:
    """Label -> states: `all`, then the machine's own groups, then those it inherits."""
    found = {ALL: schema.names}
    order = [*schema.groups_order, *(n for n in schema.groups if n not in schema.groups_order)]
    is_inherited = False
    for name in order:
        label = "- self" if name == "self" else name.removesuffix("StatesDef")
        if is_inherited:
            label = f"- {label}"
        is_inherited = is_inherited or name == "self"
        states = tuple(
            schema.names[i] for i in schema.groups.get(name, ()) if 0 <= i < len(schema.names)
        )
        if states:
            found[label] = states
    return found


def group_states(schema: SchemaMsg, name: str) -> tuple[str, ...] | None:
    """States of a group, whose name is compared loosely; None for `all`, and if there is none."""
    wanted = _loose(name)
    if not wanted or wanted == ALL:
        return None
    for label, states in groups_of(schema).items():
        if _loose(label) == wanted:
            return states
    return None


def _loose(name: str) -> str:
    return name.partition(":")[0].replace("-", "").replace(" ", "").removesuffix("StatesDef")
