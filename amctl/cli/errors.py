"""From an exception to an exit code and two lines on stderr.

The rooms raise their own errors and know no exit codes; the table below is the only place that
does. It names types by text, so that printing an error imports no room.
"""

from __future__ import annotations

import errno
import platform
import sys
import traceback
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from amctl.cli.exitcodes import ExitCode

__all__ = ["describe", "exit_code_of", "is_expected", "write_report"]

_CODES = {
    "amctl.run.errors.SettingsError": ExitCode.USAGE,
    "amctl.run.errors.ConfigFileError": ExitCode.USAGE,
    "amctl.run.errors.WorkflowLoadError": ExitCode.BAD_INPUT,
    "amctl.run.errors.RunError": ExitCode.FAILED,
    "amctl.bundle.errors.BundleError": ExitCode.FAILED,
    "amctl.relay.errors.RelayError": ExitCode.FAILED,
    "amctl.dump.errors.DumpFormatError": ExitCode.BAD_INPUT,
    "amctl.dump.errors.DumpVersionError": ExitCode.BAD_INPUT,
    "amctl.dump.errors.DumpNotFoundError": ExitCode.BAD_INPUT,
    "amctl.dump.errors.UnknownFormatError": ExitCode.USAGE,
    "amctl.dump.errors.UnknownMachineError": ExitCode.NOTHING_MATCHED,
    "amctl.dump.errors.UnknownTransitionError": ExitCode.NOTHING_MATCHED,
    "amctl.dump.errors.DumpError": ExitCode.FAILED,
    "amctl.traces.errors.TraceNotFoundError": ExitCode.BAD_INPUT,
    "amctl.traces.errors.TraceFormatError": ExitCode.BAD_INPUT,
    "amctl.traces.errors.UnknownTraceError": ExitCode.NOTHING_MATCHED,
    "amctl.traces.errors.NoSpanError": ExitCode.NOTHING_MATCHED,
    "amctl.traces.errors.TracesError": ExitCode.FAILED,
    "amctl.bench.errors.BenchError": ExitCode.FAILED,
    "amctl.graph.errors.UnknownMachineError": ExitCode.NOTHING_MATCHED,
    "amctl.graph.errors.MachUrlError": ExitCode.USAGE,
    "amctl.graph.errors.PatternError": ExitCode.USAGE,
    "amctl.graph.errors.UnknownMomentError": ExitCode.NOTHING_MATCHED,
    "amctl.graph.errors.UnknownStateError": ExitCode.NOTHING_MATCHED,
    "amctl.graph.errors.GraphError": ExitCode.BAD_INPUT,
    "amctl.vis.errors.UnknownGroupError": ExitCode.NOTHING_MATCHED,
    "amctl.vis.errors.NothingRunsError": ExitCode.UNREACHABLE,
    "amctl.vis.errors.VisError": ExitCode.FAILED,
    "amctl.debugger.errors.PredicateError": ExitCode.USAGE,
    "amctl.debugger.errors.UnknownStateError": ExitCode.NOTHING_MATCHED,
    "amctl.debugger.errors.DebuggerError": ExitCode.FAILED,
    "amctl.insight.errors.NotImportedError": ExitCode.NOTHING_MATCHED,
    "amctl.insight.errors.BadProfileError": ExitCode.BAD_INPUT,
    "amctl.insight.errors.InsightError": ExitCode.FAILED,
    "amctl.rpc.errors.NotConnectedError": ExitCode.UNREACHABLE,
    "amctl.rpc.errors.RefusedByServerError": ExitCode.UNREACHABLE,
    "amctl.rpc.errors.CallTimeoutError": ExitCode.TIMED_OUT,
    "amctl.rpc.errors.RpcError": ExitCode.FAILED,
    "amctl.repl.errors.NothingRunsError": ExitCode.UNREACHABLE,
    "amctl.repl.errors.NothingMatchedError": ExitCode.NOTHING_MATCHED,
    "amctl.repl.errors.UnreachableError": ExitCode.UNREACHABLE,
    "amctl.repl.errors.UsageError": ExitCode.USAGE,
    "amctl.repl.playbook.errors.PlaybookError": ExitCode.BAD_INPUT,
    "amctl.repl.errors.ReplError": ExitCode.FAILED,
    "amctl.cli._linting.ModuleError": ExitCode.BAD_INPUT,
    "amctl.cli._linting.NoSuchSetError": ExitCode.NOTHING_MATCHED,
    "builtins.BrokenPipeError": ExitCode.FAILED,
    "builtins.KeyboardInterrupt": ExitCode.INTERRUPTED,
    "builtins.TimeoutError": ExitCode.TIMED_OUT,
}
"""By qualified name of a class; the nearest class in an error's MRO decides."""


_FULL = {errno.ENOSPC, errno.EDQUOT}


def _is_full(error: BaseException) -> bool:
    """Whether there is no room left, wherever it was that something was written to."""
    return isinstance(error, OSError) and error.errno in _FULL


def _row(error: BaseException) -> ExitCode | None:
    for kind in type(error).__mro__:
        code = _CODES.get(f"{kind.__module__}.{kind.__qualname__}")
        if code is not None:
            return code
    return ExitCode.FAILED if _is_full(error) else None


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code for an error; one that nobody foresaw is a bug of ours."""
    return _row(error) or ExitCode.BUG


def is_expected(error: BaseException) -> bool:
    """Whether a person can act on it; else it is a bug, which deserves a report."""
    return _row(error) is not None


def describe(error: BaseException) -> list[str]:
    """The lines for stderr: `error: ...`, and `hint: ...` if the error has one."""
    words = " ".join(str(error).split())
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)
    text = text or type(error).__name__
    lines = [f"error: {text}"]
    hint = getattr(error, "hint", "free some space" if _is_full(error) else "")
    if hint:
        lines.append(f"hint: {hint}")
    return lines


def write_report(error: BaseException, argv: list[str]) -> Path | None:
    """Write a file to send with a bug report; None if it can't be written anywhere here.

    It holds versions, the command line and the traceback; no environment, no settings: those may
    hold secrets.
    """
    now = datetime.now(UTC)
    path = Path(f"amctl-bug-{now:%Y%m%d-%H%M%S}.txt")
    try:
        own = version("amctl")
    except PackageNotFoundError:
        own = "unknown"
    head = (
        f"amctl {own}, Python {sys.version.split()[0]}, {platform.platform()}\n"
        f"{now.isoformat()}\ncommand: amctl {' '.join(argv)}\n\n"
    )
    try:
        path.write_text(head + "".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError:
        return None
    return path
