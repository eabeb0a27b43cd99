"""What is said at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.cli.views.summary import summary
from tests.cli.views.screens import screen
from tests.support.fake_run import FakeRun

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("file", "name", "fails"),
    [
        ("summary_four", "four", False),
        ("summary_failed", "four", True),
        ("summary_thirty", "thirty", False),
    ],
)
def test_summaries_look_as_reviewed(
    golden: Callable[[str, str], None], file: str, name: str, fails: bool
) -> None:
    text = screen(summary(FakeRun(name, fails=fails).advance()))
    assert max(map(len, text.splitlines())) <= 80
    golden(f"views/{file}.txt", text)


def test_every_hash_is_whole() -> None:
    run = FakeRun()
    text = screen(summary(run.advance()))
    for leaf in run.leaves:
        digest = run.honest(leaf).hex()
        assert digest[:64] in text
        assert digest[64:] in text


def test_a_run_that_was_stopped_says_what_is_missing() -> None:
    run = FakeRun()
    run.advance(5800)
    run.recorder.finish("stopped", "Ctrl-C")
    text = screen(summary(run.recorder.snapshot()))
    assert text.startswith(" ○ Stopped  Ctrl-C")
    assert "interrupted" in text
    assert "◊ browser3   no result" in text


def test_many_rounds_show_the_last_six_and_count_the_rest() -> None:
    run = FakeRun(boots=False)
    run.advance(0)
    for _ in range(9):
        run.recorder.begin_round()
    text = screen(summary(run.recorder.snapshot()))
    assert "and 3 rounds before" in text
    assert text.count("round   ") == 6
