"""The options that every command shares."""

from __future__ import annotations

import sys

import pytest

from amctl.cli.options import GlobalOptions


@pytest.mark.parametrize(
    ("options", "level", "shown"),
    [
        (GlobalOptions(), 0, True),
        (GlobalOptions(), 1, False),
        (GlobalOptions(verbose=1), 1, True),
        (GlobalOptions(verbose=1), 2, False),
        (GlobalOptions(quiet=True), 0, False),
        (GlobalOptions(quiet=True, verbose=1), 1, True),
    ],
)
def test_words_for_people_go_to_stderr_by_verbosity(
    options: GlobalOptions, level: int, shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    options.say("hello", level=level)
    assert capsys.readouterr() == ("", "hello\n" if shown else "")


@pytest.mark.parametrize(
    ("tty", "term", "interactive"),
    [(True, "xterm", True), (True, "dumb", False), (False, "xterm", False)],
)
def test_only_a_terminal_that_can_move_its_cursor_gets_moving_pictures(
    tty: bool, term: str, interactive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: tty)
    assert GlobalOptions().stdout().is_interactive is interactive


def test_no_color_reaches_both_consoles() -> None:
    plain = GlobalOptions(color=False)
    assert plain.stdout().no_color
    assert plain.stderr().no_color
    assert plain.stderr().stderr
    assert not plain.stdout().stderr
