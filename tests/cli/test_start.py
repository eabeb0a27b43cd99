"""`amctl start`: flags become options and settings, endings become exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from amctl.cli.main import run
from amctl.run import start as run_start
from amctl.run.report import Report
from amctl.telemetry.recorder import Recorder
from amctl.telemetry.snapshot import Node, Run
from tests.support.fake_nodes import FakeOutcome

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.run.report import Ending, StartOptions
    from amctl.run.settings import Settings


class Started:
    """What `start` was called with; ends as it is told."""

    ending: Ending = "verified"

    def __init__(self) -> None:
        self.settings: Settings
        self.options: StartOptions

    def __call__(self, settings: Settings, options: StartOptions, observer: Any) -> Report:
        self.settings, self.options = settings, options
        made = Run(id="r", workflow="w", started_at="2026-01-01T00:00:00Z")
        recorder = Recorder(made, lambda: 5, [Node(id="a", thread="local", host="a")])
        return Report(
            self.ending, recorder.snapshot(), 1, 2, FakeOutcome(self.ending == "verified")
        )


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Started:
    made = Started()
    monkeypatch.setattr(run_start, "start", made)
    monkeypatch.chdir(tmp_path)
    for key in ("FAULT_SEED", "EXIT_ON_COMPLETED"):
        monkeypatch.delenv(key, raising=False)
    (tmp_path / "config.env").write_text("EXIT_ON_COMPLETED=1\nNOT_A_KEY=1\n")
    return made


@pytest.mark.parametrize(
    ("ending", "code"), [("verified", 0), ("gave_up", 1), ("timeout", 6), ("interrupted", 130)]
)
def test_each_ending_has_its_exit_code(started: Started, ending: Ending, code: int) -> None:
    started.ending = ending
    assert run(["start"]) == code


@pytest.mark.parametrize(
    ("ending", "words"), [("verified", ""), ("gave_up", "error: "), ("interrupted", "")]
)
def test_a_quiet_run_tells_only_why_it_failed(
    started: Started, ending: Ending, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    started.ending = ending
    run(["start", "-q"])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(words)
    assert bool(err) is bool(words)


def test_flags_become_options(started: Started) -> None:
    run(["start", "--browser", "headless", "--nodes", "local", "--timeout", "2m", "-v"])
    options = started.options
    assert (options.browser, options.nodes) == ("headless", "local")
    assert (options.timeout, options.verbose) == (120, 1)
    assert options.began > 0


def test_defaults(started: Started) -> None:
    run(["start"])
    options = started.options
    assert (options.browser, options.nodes, options.timeout) == (None, "browser", None)
    assert started.settings.get_bool("EXIT_ON_COMPLETED")


def test_some_flags_are_settings(started: Started) -> None:
    run(["start", "--seed", "7", "--stay", "--set", "MAX_ROUNDS=3", "--set", "FAULT_SEED=1"])
    assert started.settings.fault_seed == 7
    assert started.settings.get_int("MAX_ROUNDS") == 3
    assert not started.settings.get_bool("EXIT_ON_COMPLETED")


def test_json_is_one_document_and_warnings_stay_off_stdout(
    started: Started, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["start", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["ok"] is True
    assert "warning: config.env:2: unknown key NOT_A_KEY" in err
