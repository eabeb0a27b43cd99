"""What a person sees of a run."""

from __future__ import annotations

import asyncio
import sys

import pytest

from amctl.cli.observer import ConsoleObserver
from amctl.cli.options import GlobalOptions
from amctl.telemetry.recorder import Recorder
from amctl.telemetry.snapshot import Node, Run


def a_run() -> Recorder:
    run = Run(id="r", workflow="w", started_at="2026-01-01T00:00:00Z")
    return Recorder(run, lambda: 5, [Node(id="a", thread="local", host="a")])


@pytest.mark.parametrize(
    ("options", "as_json"), [(GlobalOptions(), True), (GlobalOptions(quiet=True), False)]
)
async def test_json_and_quiet_show_no_view(
    options: GlobalOptions, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    await ConsoleObserver(options, as_json=as_json).watch(a_run())
    assert capsys.readouterr() == ("", "")


async def test_with_a_log_on_the_terminal_the_view_is_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = a_run()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    observer = ConsoleObserver(GlobalOptions(verbose=1), as_json=False)
    asyncio.get_running_loop().call_later(3, recorder.close)
    await observer.watch(recorder)
    assert "\x1b[?25l" not in capsys.readouterr().out, "the cursor was hidden"


async def test_else_the_run_is_shown_until_its_recorder_closes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorder = a_run()
    observer = ConsoleObserver(GlobalOptions(), as_json=False)
    asyncio.get_running_loop().call_later(3, recorder.close)
    await observer.watch(recorder)
    out, err = capsys.readouterr()
    assert out
    assert err == ""


def test_words_go_where_the_options_say(capsys: pytest.CaptureFixture[str]) -> None:
    observer = ConsoleObserver(GlobalOptions(verbose=1), as_json=True)
    observer.say("seen", level=1)
    observer.say("unseen", level=2)
    with observer.building() as progress:
        progress("app", 1, 1)
    assert capsys.readouterr() == ("", "seen\ncompiling our code\n")


@pytest.mark.parametrize("tty", [True, False])
def test_on_a_terminal_the_cursor_comes_back(
    tty: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: tty)
    ConsoleObserver(GlobalOptions(), as_json=False).let_go()
    assert capsys.readouterr().out == ("\x1b[?25h" if tty else "")
