"""Findings as data."""

from __future__ import annotations

from amctl.run.doctor.finding import Status, bad, fine, note, warn


def test_each_maker_gives_its_status() -> None:
    made = [fine("a", "n"), note("a", "n", "d"), warn("a", "n", "d"), bad("a", "n", "d", "m")]
    assert [finding.status for finding in made] == list(Status)


def test_a_finding_is_plain_json() -> None:
    assert bad("clock", "time", "late", "set it").to_json() == {
        "area": "clock",
        "name": "time",
        "status": "bad",
        "detail": "late",
        "mend": "set it",
    }
