"""Progress of what takes a while."""

from __future__ import annotations

import sys

import pytest

from amctl.cli.options import GlobalOptions
from amctl.cli.progress import share, steps


@pytest.mark.parametrize(("verbose", "lines"), [(0, 0), (1, 2)])
def test_without_a_terminal_steps_are_told_only_if_asked_for(
    capsys: pytest.CaptureFixture[str], verbose: int, lines: int
) -> None:
    with steps(GlobalOptions(verbose=verbose)) as show:
        for done in range(5):
            show("stdlib", done, 5)
        show("app", 1, 1)
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == lines


def test_on_a_terminal_bars_are_shown_and_go(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with steps(GlobalOptions()) as show:
        show("stdlib", 1, 5)
        show("unheard of", 1, 2)
    err = capsys.readouterr().err
    assert "100 %" in err.partition("unheard of")[2], "what came before is over"
    assert "compiling Python's library" in err
    assert "unheard of" in err


@pytest.mark.parametrize(("verbose", "err"), [(0, ""), (1, "sampling\n")])
def test_a_share_is_told_without_a_terminal_only_if_asked_for(
    capsys: pytest.CaptureFixture[str], verbose: int, err: str
) -> None:
    with share(GlobalOptions(verbose=verbose), "sampling") as show:
        show(0.5)
    assert capsys.readouterr() == ("", err)


def test_a_share_is_a_bar_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with share(GlobalOptions(), "sampling") as show:
        show(0.5)
    out, err = capsys.readouterr()
    assert out == ""
    assert "sampling" in err
    assert "50%" in err
