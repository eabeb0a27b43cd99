"""What the exit codes mean. One module, so that no command invents its own."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["EXIT_CODES_HELP", "ExitCode"]


class ExitCode(IntEnum):
    """Exit code of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOTHING_MATCHED = 3
    UNREACHABLE = 4
    CANCELED = 5
    TIMED_OUT = 6
    BAD_INPUT = 7
    CHANGES_PENDING = 10
    BUG = 70
    INTERRUPTED = 130


_MEANINGS = {
    ExitCode.DONE: "done, or the condition is true",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "usage, or a bad setting",
    ExitCode.NOTHING_MATCHED: "nothing matched",
    ExitCode.UNREACHABLE: "unreachable",
    ExitCode.CANCELED: "canceled by relations or negotiation",
    ExitCode.TIMED_OUT: "timed out waiting",
    ExitCode.BAD_INPUT: "bad input file",
    ExitCode.CHANGES_PENDING: "changes pending (only --detailed-exitcode)",
    ExitCode.BUG: "a bug of ours (report written)",
    ExitCode.INTERRUPTED: "Ctrl-C",
}

EXIT_CODES_HELP = "\n".join(
    ["Exit codes:", *(f"{code:>4}  {meaning}" for code, meaning in _MEANINGS.items())]
)
"""Closes `amctl --help`."""
