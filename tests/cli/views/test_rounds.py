"""Rounds as lines and lanes."""

from __future__ import annotations

from amctl.cli.views.rounds import lanes, round_line, took
from tests.support.fake_run import FakeRun


def test_a_round_shows_as_much_of_its_attempts_as_fits() -> None:
    snap = FakeRun().advance()
    assert round_line(snap, snap.rounds[0], 120).plain.endswith(
        "× browser1  ● browser2  ▲ browser4  ø browser3  ● browser4"  # noqa: RUF001
    )
    assert round_line(snap, snap.rounds[0], 60).plain.endswith("× ● ▲ ø ●")  # noqa: RUF001
    assert round_line(snap, snap.rounds[0], 40).plain.endswith("× 1  ● 2  ▲ 1  ø 1")  # noqa: RUF001


def test_a_round_whose_attempts_are_forgotten_shows_its_counts() -> None:
    run = FakeRun(boots=False)
    run.advance(900)
    for _ in range(14):
        run.recorder.begin_round()
    snap = run.recorder.snapshot()
    assert "2 executions, 0 failed" in round_line(snap, snap.rounds[0], 80).plain


def test_a_round_that_runs_takes_until_now() -> None:
    run = FakeRun(boots=False)
    snap = run.advance(500)
    assert took(snap, snap.rounds[0]) == 500 - snap.rounds[0].started_ms


def test_lanes_are_as_wide_as_asked_and_share_a_scale() -> None:
    snap = FakeRun().advance()
    for past in snap.rounds:
        drawn = lanes(snap, past, 100)
        assert len(drawn) == len(snap.nodes) + 1
        assert {line.cell_len for line in drawn} == {99}
        assert drawn[-1].plain.strip() == "3.0 s"
    assert "▲/////" in lanes(snap, snap.rounds[0], 100)[3].plain
