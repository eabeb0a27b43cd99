"""Answers on stdout and stderr, and their exit codes."""

from __future__ import annotations

import json

import pytest

from amctl.cli.exitcodes import ExitCode
from amctl.cli.outcomes import CODES, document, show
from amctl.repl.outcome import Outcome, Verdict

Capture = pytest.CaptureFixture[str]


def test_every_verdict_has_a_code() -> None:
    assert set(CODES) == set(Verdict)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.DONE, 0),
        (Verdict.FAILED, 1),
        (Verdict.USAGE, 2),
        (Verdict.BAD_INPUT, 7),
        (Verdict.NO_MATCH, 3),
        (Verdict.UNREACHABLE, 4),
        (Verdict.CANCELED, 5),
        (Verdict.TIMED_OUT, 6),
        (Verdict.INTERRUPTED, 130),
    ],
)
def test_the_codes_are_those_of_the_command_line(verdict: Verdict, code: int) -> None:
    assert show(Outcome(verdict)) == code == ExitCode(code)


def test_lines_go_to_stdout_and_problems_to_stderr(capsys: Capture) -> None:
    show(Outcome(Verdict.CANCELED, ("a", "b"), [1], ("no\nway",), "try c"))
    assert capsys.readouterr() == ("a\nb\n", "error: no way\nhint: try c\n")


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome(lines=("x",), data=[]), "[]"),
        (Outcome(lines=("x",), data={"é": 1}), '{\n  "é": 1\n}'),
        (Outcome(), "null"),
        (Outcome(Verdict.CANCELED, ("x",), [1]), "[\n  1\n]"),
    ],
)
def test_json_is_the_data_alone(capsys: Capture, outcome: Outcome, text: str) -> None:
    show(outcome, as_json=True)
    assert capsys.readouterr().out == f"{text}\n"


def test_an_error_without_data_prints_no_document(capsys: Capture) -> None:
    show(Outcome(Verdict.USAGE, problems=("bad",)), as_json=True)
    assert capsys.readouterr() == ("", "error: bad\n")


def test_nothing_steers_the_terminal(capsys: Capture) -> None:
    show(Outcome(Verdict.FAILED, ("a\x1b[2Jb\tc",), problems=("x\x07",), hint="\x9by"))
    assert capsys.readouterr() == ("a\ufffd[2Jb\tc\n", "error: x\ufffd\nhint: \ufffdy\n")


def test_what_json_has_no_word_for_becomes_text() -> None:
    assert json.loads(document({"verdict": Verdict.DONE, "raw": b"x"})) == {
        "verdict": "done",
        "raw": "b'x'",
    }


def test_a_terminal_gets_rows_that_fit(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    long = Outcome(lines=("one two three four five six",))
    monkeypatch.setenv("COLUMNS", "20")
    show(long)
    assert capsys.readouterr().out == "one two three four five six\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show(long)
    assert capsys.readouterr().out == "one two three four\n    five six\n"
