"""What people read when a file of traces is bad."""

from __future__ import annotations

import pytest

from amctl.cli.errors import describe, exit_code_of
from amctl.cli.exitcodes import ExitCode
from amctl.traces.errors import (
    NoSpanError,
    TraceFormatError,
    TraceNotFoundError,
    TraceOutputError,
    TracesError,
    UnknownTraceError,
)


@pytest.mark.parametrize(
    ("error", "code", "text", "hint"),
    [
        (TraceNotFoundError("f"), ExitCode.BAD_INPUT, "traces f: there is no such file", "amctl"),
        (TraceFormatError("f", "it is no"), ExitCode.BAD_INPUT, "traces f: it is no", "OTLP"),
        (
            UnknownTraceError("f", "abc", ["abc1", "abc2"], fits=True),
            ExitCode.NOTHING_MATCHED,
            "traces f: 2 traces begin with 'abc'",
            "abc1, abc2",
        ),
        (
            UnknownTraceError("f", "abcdef1", ["abcdef2"]),
            ExitCode.NOTHING_MATCHED,
            "traces f: no trace begins with 'abcdef1'",
            "did you mean abcdef2?",
        ),
        (
            UnknownTraceError("f", "zz", ["abcdef2"]),
            ExitCode.NOTHING_MATCHED,
            "traces f: no trace begins with 'zz'",
            "amctl traces list",
        ),
        (
            UnknownTraceError("f", "", []),
            ExitCode.NOTHING_MATCHED,
            "traces f: there is no span in it",
            "wait",
        ),
        (
            NoSpanError("t", "--errors"),
            ExitCode.NOTHING_MATCHED,
            "trace t: no span fits --errors",
            "leave a filter out",
        ),
        (TraceOutputError("o", "full"), ExitCode.FAILED, "o can't be written: full", "-o"),
    ],
)
def test_errors_say_what_where_and_what_next(
    error: TracesError, code: ExitCode, text: str, hint: str
) -> None:
    assert exit_code_of(error) is code
    assert str(error) == text
    assert hint in describe(error)[1]
