"""What belongs to the project."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from amctl.run.doctor import project
from amctl.run.doctor.finding import Finding, Patient, Status
from amctl.run.folder import own_folder
from amctl.run.settings import load_settings
from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def patient_at(home: Path, *sets: str) -> Patient:
    return Patient(home, load_settings("/dev/null", sets, environ={}, home=home))


def by_name(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_unknown_keys_are_told(tmp_path: Path) -> None:
    config = tmp_path / "c.env"
    config.write_text("RELAY_ADR=localhost:1\n")
    patient = Patient(tmp_path, load_settings(str(config), environ={}, home=tmp_path))
    found = by_name(project.settings(patient))["unknown key"]
    assert (found.status, "did you mean RELAY_ADDR?" in found.detail) == (Status.WARN, True)


def test_a_bundle_that_was_never_built_is_stale(tmp_path: Path) -> None:
    (found,) = project.bundle(patient_at(tmp_path))
    assert found.status is Status.WARN
    assert found.detail.startswith("stale: ")


def test_a_folder_that_isnt_there_will_be_made(tmp_path: Path) -> None:
    (found,) = project.folder(patient_at(tmp_path))
    assert (found.status, found.name) == (Status.OK, "tmp")


def test_leftovers_of_a_killed_run_are_told(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "a.addr").write_text("localhost:1")
    found = by_name(project.folder(patient_at(tmp_path)))["address files"]
    assert (found.status, found.mend) == (Status.WARN, "rm tmp/*.addr tmp/token")


def test_address_files_of_a_run_that_is_up_are_no_leftovers(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    with own_folder(folder):
        (folder / "a.addr").write_text("localhost:1")
        found = by_name(project.folder(patient_at(tmp_path)))
    assert found["tmp"].status is Status.NOTE
    assert "address files" not in found


def test_a_token_that_others_can_read_is_bad(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "token").write_text("secret")
    (tmp_path / "tmp" / "token").chmod(0o644)
    found = by_name(project.folder(patient_at(tmp_path)))["token"]
    assert (found.status, found.mend) == (Status.BAD, "chmod 600 tmp/token")
    assert "secret" not in str(found)


@pytest.mark.realtime
def test_a_port_in_use_is_bad_and_a_free_one_is_fine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        patient = patient_at(tmp_path, f"RELAY_ADDR=127.0.0.1:{port}")
        found = by_name(project.network(patient))["RELAY_ADDR"]
        assert found.status is Status.BAD
        assert found.mend.endswith("--set RELAY_ADDR=127.0.0.1:0")
    assert by_name(project.network(patient))["RELAY_ADDR"].status is Status.OK


@pytest.mark.realtime
def test_a_port_that_our_own_run_holds_is_no_harm(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, own_folder(tmp_path / "tmp"):
        patient = patient_at(tmp_path, f"RELAY_ADDR=127.0.0.1:{taken.getsockname()[1]}")
        assert by_name(project.network(patient))["RELAY_ADDR"].status is Status.NOTE


def test_an_address_beyond_loopback_is_told(tmp_path: Path) -> None:
    found = list(project.network(patient_at(tmp_path, "RELAY_ADDR=0.0.0.0:0")))
    assert [finding.status for finding in found] == [Status.WARN]


@pytest.mark.realtime
def test_page_and_workers_are_isolated() -> None:
    (found,) = project.isolation(patient_at(ROOT))
    assert (found.name, found.status) == ("isolation", Status.OK)


@pytest.mark.realtime
def test_a_page_that_is_missing_is_bad(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    found = by_name(project.isolation(patient_at(tmp_path)))
    assert found["/worker.js"].status is Status.BAD
