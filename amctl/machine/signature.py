"""How a mutation may be called, for those who offer it to people or programs (ARG-5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CallSignature"]


@dataclass(frozen=True, slots=True)
class CallSignature:
    """One mutation that is meant to be called from outside."""

    states: tuple[str, ...]
    is_remove: bool = False
    name: str = ""
    """What people call it; empty is named after its states."""
    desc: str = ""
    needed: tuple[str, ...] = ()
    """Names of arguments without which it makes no sense."""
    optional: tuple[str, ...] = ()
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """The values that an argument may have, where they are few."""
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """JSON Schema of arguments that aren't plain text."""

    @property
    def label(self) -> str:
        """One line for lists."""
        verb = "Remove" if self.is_remove else "Add"
        text = self.name or f"{verb}: {' '.join(self.states)}"
        return f"{text} [{' '.join(self.needed)}]" if self.needed else text

    def missing(self, args: Mapping[str, object]) -> tuple[str, ...]:
        """Needed arguments that are not there."""
        return tuple(name for name in self.needed if name not in args)
