"""The table of jobs."""

from __future__ import annotations

from amctl.cli.views.jobs import job_lines
from tests.support.fake_run import FakeRun


def plain(name: str, at: int, width: int, room: int) -> list[str]:
    return [line.plain for line in job_lines(FakeRun(name).advance(at), width, room)]


def test_a_wide_table_says_what_thread_a_job_has() -> None:
    assert "dispatcher" in plain("four", 9150, 110, 4)[2]
    assert "dispatcher" not in "".join(plain("four", 9150, 109, 4))


def test_a_retry_shows_its_attempt_and_the_failures_of_the_run() -> None:
    row = plain("four", 6500, 80, 4)[4]
    assert row.startswith("► browser4 browser2 retrying (2)")
    assert row.endswith("▲1")


def test_a_thread_that_boots_shows_its_step_and_bytes() -> None:
    row = plain("four", 1300, 80, 4)[1]
    assert "Fetching the runtime" in row
    assert row.endswith("6.6 of 9.4 MB")


def test_too_many_jobs_are_counted_and_the_busy_ones_shown() -> None:
    rows = plain("thirty", 9200, 80, 8)
    assert len(rows) == 9
    assert sum("working" in row for row in rows) == 5
    assert rows[-1] == "  and 23 more: ● 18 delivered  ◊ 5 waiting"


def test_a_short_wrong_result_is_cut_like_a_long_one() -> None:
    assert plain("four", 7300, 80, 4)[1].endswith("636f7272…746564")
