"""The live view: its exact size, and golden screens."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from amctl.cli.views.live import live
from tests.cli.views.screens import screen
from tests.support.fake_run import FakeRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.telemetry.snapshot import Snapshot

MOMENTS = (0, 1300, 4200, 5800, 7300, 9150, 10**9)
SIZES = [(60, 19), (80, 23), (80, 24), (80, 33), (81, 34), (100, 30), (120, 39), (200, 59)]


@cache
def moment(name: str, at: int) -> Snapshot:
    return FakeRun(name).advance(at)


@pytest.mark.parametrize("name", ["four", "seven", "thirty"])
@pytest.mark.parametrize("at", MOMENTS)
def test_the_screen_has_exactly_its_height_and_never_more_than_its_width(
    name: str, at: int
) -> None:
    snap = moment(name, at)
    for width, height in SIZES:
        text = screen(live(snap, width, height), width)
        assert text.count("\n") == height, (width, height)
        assert max(cell_len(line) for line in text.splitlines()) <= width, (width, height)


@pytest.mark.parametrize(("width", "height"), [(20, 5), (40, 10), (1, 1)])
def test_a_screen_too_small_for_the_view_is_cut_and_not_broken(width: int, height: int) -> None:
    text = screen(live(moment("four", 9150), width, height), width)
    assert text.count("\n") == height


@pytest.mark.parametrize(
    ("file", "name", "at", "width", "height"),
    [
        ("live_loading_80x23", "four", 1300, 80, 23),
        ("live_running_80x23", "four", 9150, 80, 23),
        ("live_running_120x39", "four", 9150, 120, 39),
        ("live_restarting_100x30", "seven", 8600, 100, 30),
        ("live_thirty_80x23", "thirty", 9200, 80, 23),
        ("live_verified_80x23", "four", 10**9, 80, 23),
    ],
)
def test_screens_look_as_reviewed(
    golden: Callable[[str, str], None], file: str, name: str, at: int, width: int, height: int
) -> None:
    golden(f"views/{file}.txt", screen(live(moment(name, at), width, height), width))


def test_a_lost_node_and_an_interrupted_round_are_shown() -> None:
    run = FakeRun(boots=False)
    run.advance(900)
    run.recorder.lost("browser3")
    text = screen(live(run.recorder.snapshot(), 80, 23))
    assert "◊ Joining  browser3 is gone; waiting for it to come back" in text
    assert "△ browser3 browser1 connection lost" in text
    assert "interrupted" in text
    assert "△ browser3 connection lost" in text


def test_only_the_time_of_an_event_is_muted() -> None:
    text = screen(live(moment("four", 9150), 80, 23), styled=True)
    assert "round 2 begins" in text
    assert "\x1b[36m♦ \x1b[0mround 2 begins" in text
