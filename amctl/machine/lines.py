"""Lines of a machine's log (section 21)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LogLine"]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a machine's log, without the machine's id in front."""

    level: int
    """1 user messages, 2 changes, 3 operations, 4 decisions, 5 everything."""
    text: str
