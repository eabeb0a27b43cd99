"""The command line as a whole: help, speed, errors, exit codes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from amctl.cli import main as room
from amctl.cli.exitcodes import ExitCode
from amctl.cli.main import COMMANDS, app, run

TOOL_ROOMS = (
    "relay",
    "rpc",
    "run",
    "bundle",
    "insight",
    "telemetry",
    "dump",
    "graph",
    "vis",
    "bench",
    "cli.views",
    "cli.start",
    "states",
)
HEAVY = ("starlette", "uvicorn", "websockets", "msgspec", "sqlite3", "brotli", "graphviz")


def test_help_ends_with_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out, err = capsys.readouterr()
    lines = [line.strip() for line in out.splitlines() if line.strip()]
    assert lines[-1] == "130  Ctrl-C"
    assert [f"{code:d}" for code in ExitCode] == [
        line.split()[0] for line in lines[lines.index("Exit codes:") + 1 :]
    ]
    assert err == ""


def test_no_words_at_all_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Usage: amctl" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"Example: amctl {name}" in out
    command: Any = typer.main.get_command(app)
    for inner in getattr(command.resolve_command(None, [name])[1], "commands", {}):
        assert run([name, inner, "--help"]) == 0
        words = " ".join(capsys.readouterr().out.replace("│", " ").split())
        assert re.search(rf"Example: amctl {name} .*{inner}", words), f"{name} {inner}"


@pytest.mark.slow
@pytest.mark.realtime
def test_help_imports_no_tool() -> None:
    program = "import sys; from amctl.cli.main import run; run(['--help']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert [f"amctl.{room_}" for room_ in TOOL_ROOMS if f"amctl.{room_}" in loaded] == []
    assert [name for name in HEAVY if name in loaded] == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("amctl 0.")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["strat"], ["error: No such command 'strat'", "'start'"]),
        (["start", "--nope"], ["error: No such option: --nope", "hint: amctl start --help"]),
        (["start", "--nodes", "mars"], ["error:", "'mars'", "hint: amctl start --help"]),
        (["start", "--timeout", "soon"], ["error:", "duration 'soon'"]),
        (["start", "--set", "SUCCESS_RATE=0"], ["error: --set: SUCCESS_RATE can't be '0'", "hint"]),
        (["start", "--set", "SUCESS_RATE=3"], ["did you mean SUCCESS_RATE"]),
        (["start", "-c", "nowhere.env"], ["error: nowhere.env: can't be read"]),
    ],
)
def test_usage_errors_are_two_lines_on_stderr_and_exit_2(
    argv: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == ExitCode.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 2
    for word in words:
        assert word in err


def broken(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command raise `error`."""

    class Command:
        def main(self, *_: object, **__: object) -> None:
            raise error

    monkeypatch.setattr(room.typer.main, "get_command", lambda _: Command())


def test_a_bug_of_ours_writes_a_report_and_exits_70(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    broken(ZeroDivisionError("oh"), monkeypatch)
    assert run(["start", "--json"]) == ExitCode.BUG
    (report,) = tmp_path.iterdir()
    text = report.read_text(encoding="utf-8")
    assert "command: amctl start --json" in text
    assert "ZeroDivisionError: oh" in text
    out, err = capsys.readouterr()
    assert out == ""
    assert report.name in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    broken(ZeroDivisionError("oh"), monkeypatch)
    assert run(["start", "--debug"]) == ExitCode.BUG
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(KeyboardInterrupt(), monkeypatch)
    assert run(["start"]) == ExitCode.INTERRUPTED


@pytest.mark.realtime
def test_other_signals_end_a_command_as_ctrl_c_does(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}

    def command(argv: list[str]) -> int:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGHUP)
        return 7

    monkeypatch.setattr(room, "run", command)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with pytest.raises(SystemExit) as caught:
            room.main()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert caught.value.code == 7


@pytest.mark.slow
@pytest.mark.realtime
def test_the_console_script_runs() -> None:
    program = Path(sys.executable).parent / "amctl"
    done = subprocess.run([program, "no-such"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
