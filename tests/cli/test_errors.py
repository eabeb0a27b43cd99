"""From errors to exit codes and lines."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from amctl.bundle.errors import NodeMissingError
from amctl.cli.errors import describe, exit_code_of, is_expected, write_report
from amctl.cli.exitcodes import ExitCode
from amctl.dump import errors as dump_errors
from amctl.insight import errors as insight_errors
from amctl.relay.errors import PortInUseError
from amctl.run import errors as run_errors
from amctl.run.errors import (
    AddressError,
    BrowserDiedError,
    ConfigFileError,
    DevToolsError,
    ExposedAddressError,
    FolderTakenError,
    JaegerError,
    NoBrowserError,
    NoDoorError,
    NoJaegerError,
    PortTakenError,
    RunFolderError,
    SettingsError,
    WorkflowLoadError,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("f:1", "K", "v", "x"), ExitCode.USAGE),
        (ConfigFileError("f", "x"), ExitCode.USAGE),
        (WorkflowLoadError("w", "x"), ExitCode.BAD_INPUT),
        (PortTakenError("h", 1), ExitCode.FAILED),
        (AddressError("h", "x"), ExitCode.FAILED),
        (PortInUseError("h", 1), ExitCode.FAILED),
        (NoBrowserError("a"), ExitCode.FAILED),
        (JaegerError("jaeger", "x"), ExitCode.FAILED),
        (DevToolsError("browser", "x"), ExitCode.FAILED),
        (NoDoorError("x"), ExitCode.FAILED),
        (NoJaegerError(), ExitCode.FAILED),
        (NodeMissingError(), ExitCode.FAILED),
        (BrowserDiedError("c", 1), ExitCode.FAILED),
        (RunFolderError("f", "x"), ExitCode.FAILED),
        (FolderTakenError("f"), ExitCode.FAILED),
        (dump_errors.DumpFormatError("d", "x", 3), ExitCode.BAD_INPUT),
        (dump_errors.DumpVersionError("d", 9, 1), ExitCode.BAD_INPUT),
        (dump_errors.DumpNotFoundError("d"), ExitCode.BAD_INPUT),
        (dump_errors.DumpBusyError("d"), ExitCode.FAILED),
        (dump_errors.DumpFullError("d", "x"), ExitCode.FAILED),
        (dump_errors.UnknownFormatError("d.x", ["md"]), ExitCode.USAGE),
        (dump_errors.DumpPlaceError("d", "x"), ExitCode.FAILED),
        (dump_errors.UnknownMachineError("d", "m", ["n"]), ExitCode.NOTHING_MATCHED),
        (dump_errors.UnknownTransitionError("d", "m", "t"), ExitCode.NOTHING_MATCHED),
        (insight_errors.NotImportedError("browser", "x", []), ExitCode.NOTHING_MATCHED),
        (insight_errors.NoGraphvizError(), ExitCode.FAILED),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (ZeroDivisionError(), ExitCode.BUG),
        (OSError("disk"), ExitCode.BUG),
        (OSError(errno.ENOSPC, "No space left on device"), ExitCode.FAILED),
        (OSError(errno.EIO, "x"), ExitCode.BUG),
    ],
)
def test_each_error_has_its_code(error: BaseException, code: ExitCode) -> None:
    assert exit_code_of(error) == code
    assert is_expected(error) is (code is not ExitCode.BUG)


def test_an_error_is_one_line_and_its_hint_another() -> None:
    assert describe(PortTakenError("localhost", 14050)) == [
        "error: localhost:14050 is in use by another program",
        "hint: end the other program, or take another port: "
        "amctl start --set RELAY_ADDR=localhost:14051",
    ]
    assert describe(ValueError("a\n  b")) == ["error: a b"]
    assert describe(ValueError()) == ["error: ValueError"]
    assert describe(OSError(errno.ENOSPC, "No space"))[1] == "hint: free some space"


def test_an_error_moves_no_cursor() -> None:
    """What a file or a server says stands in errors, too."""
    assert describe(ValueError("a\x1b[2J\x9b1m \u202eb")) == ["error: a\ufffd[2J\ufffd1m \ufffdb"]


SAMPLES = [
    AddressError("RELAY_ADDR x:1", "no such host"),
    BrowserDiedError("chromium", 133, "tmp/browser.log"),
    ConfigFileError("f", "x"),
    ExposedAddressError("0.0.0.0:1"),
    FolderTakenError("tmp"),
    JaegerError("jaeger", "ended with code 1"),
    DevToolsError("Profiler.start", "it has gone"),
    NoDoorError("this run's browser has no debugging door"),
    NoBrowserError("none found"),
    NoJaegerError(),
    PortTakenError("h", 1),
    RunFolderError("tmp/token", "can't be written"),
    SettingsError("f:1", "K", "v", "x"),
    WorkflowLoadError("w", "x"),
]


@pytest.mark.parametrize("error", SAMPLES, ids=lambda e: type(e).__name__)
def test_every_run_error_says_what_and_what_to_do(error: run_errors.RunError) -> None:
    text, hint = str(error), error.hint
    assert text
    assert not text.endswith(".")
    assert hint


@pytest.mark.parametrize(
    ("code", "fate"),
    [(1, "ended with code 1"), (-9, "was ended by SIGKILL"), (-99, "was ended by signal 99")],
)
def test_a_browsers_end_is_told_in_words(code: int, fate: str) -> None:
    assert str(BrowserDiedError("chromium", code)) == f"chromium {fate} before the work was done"


def test_a_page_may_end_before_its_browser() -> None:
    assert str(BrowserDiedError("chromium", None)).startswith("the page in chromium has ended")
    assert "headless" not in BrowserDiedError("chromium", 1).hint
    assert "headless" in BrowserDiedError("chromium", 1, windowed=True).hint


def test_no_run_error_lacks_a_sample() -> None:
    names = set(run_errors.__all__) - {"RunError"}
    assert names == {type(error).__name__ for error in SAMPLES}


def test_a_report_holds_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMCTL_TOKEN", "very-secret")
    path = write_report(ValueError("x"), ["start"])
    assert path is not None
    assert "very-secret" not in path.read_text(encoding="utf-8")


def test_a_report_that_cant_be_written_is_no_second_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert write_report(ValueError("x"), []) is None
