"""All that the doctor looks at, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.run.doctor import machine, project
from amctl.run.doctor.finding import Finding, Patient, Status, bad
from amctl.run.errors import ConfigFileError, SettingsError
from amctl.run.settings import load_settings, project_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["EXAMINATIONS", "examine", "patient_of"]


EXAMINATIONS: tuple[tuple[str, Callable[[Patient], Iterable[Finding]]], ...] = (
    ("python", machine.python),
    ("python", machine.packages),
    ("programs", machine.programs),
    ("bundle", project.bundle),
    ("settings", project.settings),
    ("folder", project.folder),
    ("network", project.network),
    ("network", project.isolation),
    ("resources", machine.resources),
    ("clock", machine.clock),
)
"""Area -> what looks at it."""


def patient_of(
    config: str | None = None, sets: Sequence[str] = (), home: Path | None = None
) -> tuple[Patient, list[Finding]]:
    """The project with its settings. Settings that can't be read are findings, not errors."""
    home = home or project_home()
    try:
        return Patient(home, load_settings(config, sets, home=home)), []
    except (SettingsError, ConfigFileError) as error:
        nothing = load_settings("/dev/null", environ={}, home=home)
        finding = bad("settings", "config", str(error), error.hint or "correct that value")
        return Patient(home, nothing), [finding]


def examine(
    patient: Patient,
    examinations: Sequence[tuple[str, Callable[[Patient], Iterable[Finding]]]] = EXAMINATIONS,
) -> Iterator[Finding]:
    """Look at everything; changes nothing. Each finding is yielded as soon as it is known.

    An examination that fails is a finding itself: the others still count.
    """
    for area, look in examinations:
        try:
            yield from look(patient)
        except Exception as error:
            text = f"couldn't be looked at: {type(error).__name__}: {error}"
            yield Finding(area, look.__name__, Status.WARN, text, "please report this")
