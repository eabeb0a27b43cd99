"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.run.settings import Settings

__all__ = ["Finding", "Patient", "Status", "bad", "fine", "note", "warn"]


class Status(StrEnum):
    """How it is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, nothing to do."""
    WARN = "warn"
    """Something works less well, or not at all, that not everybody needs."""
    BAD = "bad"
    """A run will fail, or won't be what it should."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    area: str
    """`python`, `programs`, `bundle`, `settings`, `network`, `folder`, `clock`, ..."""
    name: str
    status: Status
    detail: str = ""
    mend: str = ""
    """A command to type, or one sentence; empty if nothing is to be done."""

    def to_json(self) -> dict[str, Any]:
        """The finding as plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Patient:
    """Whose health it is."""

    home: Path
    settings: Settings
    """Of a project whose settings can't be read: what holds without its file and environment."""


def fine(area: str, name: str, detail: str = "") -> Finding:
    """All is well."""
    return Finding(area, name, Status.OK, detail)


def note(area: str, name: str, detail: str) -> Finding:
    """Something that a person or a bug report may want to know."""
    return Finding(area, name, Status.NOTE, detail)


def warn(area: str, name: str, detail: str, mend: str = "") -> Finding:
    """Something optional is missing or odd."""
    return Finding(area, name, Status.WARN, detail, mend)


def bad(area: str, name: str, detail: str, mend: str) -> Finding:
    """Something that has to be mended."""
    return Finding(area, name, Status.BAD, detail, mend)
