"""Results, and the recap of them."""

from __future__ import annotations

from typing import Any

import pytest

from amctl.repl.errors import NothingMatchedError
from amctl.repl.outcome import Verdict
from amctl.repl.playbook.errors import Place
from amctl.repl.playbook.results import Did, PlayReport, Status, TaskResult, recap
from amctl.repl.playbook.templates import UNKNOWN


def result(status: Status, machine: str = "m", **rest: Any) -> TaskResult:
    did = Did(status, "word", "why", {"A": 1, "B": 2}, {"A": 2, "B": 2})
    return TaskResult("p", "t", Place("f.yml", 3, 5), machine, did, **rest)


def report(*results: TaskResult, **rest: Any) -> PlayReport:
    return PlayReport(results, recap(results, {}), **rest)


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ([], Verdict.DONE),
        ([Status.OK, Status.CHANGED, Status.SKIPPED, Status.UNKNOWN], Verdict.DONE),
        ([Status.CANCELED], Verdict.CANCELED),
        ([Status.CANCELED, Status.TIMEOUT], Verdict.TIMED_OUT),
        ([Status.TIMEOUT, Status.FAILED], Verdict.FAILED),
        ([Status.FAILED, Status.UNREACHABLE], Verdict.UNREACHABLE),
    ],
)
def test_the_gravest_result_decides(statuses: list[Status], verdict: Verdict) -> None:
    assert report(*map(result, statuses)).verdict is verdict


def test_ignored_failures_don_t_count_and_interrupts_do() -> None:
    ignored = result(Status.FAILED, ignored=True)
    assert report(ignored).verdict is Verdict.DONE
    assert report(ignored, interrupted=True).verdict is Verdict.INTERRUPTED
    assert report(error=NothingMatchedError("x", [])).verdict is Verdict.NO_MATCH


def test_changes_are_what_moved_or_might() -> None:
    assert not report(result(Status.OK), result(Status.SKIPPED)).has_changes
    assert report(result(Status.CHANGED)).has_changes
    assert report(result(Status.UNKNOWN)).has_changes


def test_the_recap_counts_by_machine_in_order() -> None:
    results = [result(Status.OK, "b"), result(Status.FAILED, "a"), result(Status.OK, "b")]
    rows = recap(results, {"b": (4, 9)})
    assert [(row.machine, row.time_before, row.time_after) for row in rows] == [
        ("b", 4, 9),
        ("a", 3, 4),
    ]
    assert (rows[0].counts[Status.OK], rows[1].counts[Status.FAILED]) == (2, 1)
    assert (rows[0].failed_at, rows[1].failed_at) == ("", "f.yml:3:5")
    assert rows[0].as_data()["time"] == [4, 9]


def test_a_result_as_data_and_as_a_variable() -> None:
    one = result(Status.CHANGED, attempts=2, seconds=0.12345, item="i")
    data = one.as_data()
    assert (data["place"], data["moved"], data["seconds"]) == ("f.yml:3:5", {"A": [1, 2]}, 0.123)
    value = one.as_variable()
    assert (value["changed"], value["failed"], value["after"]["A"]) == (True, False, 2)
    unknown = result(Status.UNKNOWN).as_variable()
    assert unknown["changed"] is unknown["status"] is unknown["result"] is UNKNOWN
