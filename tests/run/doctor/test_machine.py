"""What stands on this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from amctl.run.doctor import machine
from amctl.run.doctor.finding import Finding, Patient, Status
from amctl.run.settings import load_settings
from amctl.run.setup import Need

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path, load_settings("/dev/null", environ={}, home=tmp_path))


def by_name(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_this_python_will_do(patient: Patient) -> None:
    assert by_name(machine.python(patient))["version"].status is Status.OK


def test_an_old_python_is_bad(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "OLDEST", (99, 0))
    found = by_name(machine.python(patient))["version"]
    assert (found.status, found.mend) == (Status.BAD, "install Python 99.0 or newer")


def test_packages_are_compared_with_the_pins(patient: Patient) -> None:
    lines = ["# a comment", "pytest==0.0.1 \\", "    --hash=sha256:00", "no-such-package==1.0 \\"]
    lines += ["only-on-windows==3 ; sys_platform == 'win32' \\", ""]
    (patient.home / "requirements.txt").write_text("\n".join(lines))
    missing, other = machine.packages(patient)
    assert (missing.status, missing.detail) == (Status.BAD, "missing: no-such-package 1.0")
    assert other.status is Status.WARN
    assert "pinned 0.0.1" in other.detail


def test_without_pins_there_is_nothing_to_compare(patient: Patient) -> None:
    (found,) = machine.packages(patient)
    assert found.status is Status.NOTE


def test_a_missing_need_says_how_to_get_it(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = [
        Need("chromium", "runs pages", "", True, True, (), "sudo get chromium"),
        Need("graphviz", "draws", "", False, True, (), "sudo get graphviz"),
    ]
    monkeypatch.setattr(machine, "survey", lambda home: needs)
    found = by_name(machine.programs(patient))
    assert (found["chromium"].status, found["chromium"].mend) == (Status.BAD, "sudo get chromium")
    assert found["graphviz"].status is Status.WARN


def test_a_file_from_the_future_means_a_wrong_clock(patient: Patient) -> None:
    path = patient.home / "config.env"
    path.touch()
    os.utime(path, (1e11, 1e11))
    (found,) = machine.clock(patient)
    assert found.status is Status.BAD
    assert found.detail.startswith("config.env was changed")


def test_the_clock_is_right_as_far_as_one_can_tell(patient: Patient) -> None:
    (found,) = machine.clock(patient)
    assert found.status is Status.OK


def test_a_full_disk_is_told(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_SMALL_DISK", 1 << 62)
    assert by_name(machine.resources(patient))["disk"].status is Status.WARN
