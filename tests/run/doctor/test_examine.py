"""All examinations together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.run.doctor.examine import EXAMINATIONS, examine, patient_of
from amctl.run.doctor.finding import Finding, Patient, Status, fine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_an_examination_that_fails_is_a_finding_and_the_others_count(tmp_path: Path) -> None:
    def broken(patient: Patient) -> Iterator[Finding]:
        yield fine("a", "before")
        raise OSError("no such thing")

    def whole(patient: Patient) -> Iterator[Finding]:
        yield fine("b", "after")

    patient, problems = patient_of("/dev/null", home=tmp_path)
    found = list(examine(patient, [("a", broken), ("b", whole)]))
    assert problems == []
    assert [finding.name for finding in found] == ["before", "broken", "after"]
    assert found[1].status is Status.WARN
    assert "OSError: no such thing" in found[1].detail


def test_settings_that_cant_be_read_are_a_finding(tmp_path: Path) -> None:
    config = tmp_path / "c.env"
    config.write_text("\nHASH_ITERATIONS=many\n")
    patient, (found,) = patient_of(str(config), home=tmp_path)
    assert (found.status, "c.env:2" in found.detail) == (Status.BAD, True)
    assert patient.settings["HASH_ITERATIONS"] == "10000"


def test_every_area_of_the_issue_is_looked_at() -> None:
    areas = {area for area, _ in EXAMINATIONS}
    assert areas >= {"python", "programs", "bundle", "settings", "network", "folder", "clock"}
