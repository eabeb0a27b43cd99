"""Progress of a build."""

from __future__ import annotations

import pytest

from amctl.cli.options import GlobalOptions
from amctl.cli.progress import steps


@pytest.mark.parametrize(("quiet", "lines"), [(False, 2), (True, 0)])
def test_without_a_terminal_each_step_is_one_line_on_stderr(
    capsys: pytest.CaptureFixture[str], quiet: bool, lines: int
) -> None:
    with steps(GlobalOptions(quiet=quiet)) as show:
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
    with steps(GlobalOptions()) as show:
        show("stdlib", 5, 5)
        show("unheard of", 1, 2)
    err = capsys.readouterr().err
    assert "compiling Python's library" in err
    assert "unheard of" in err
