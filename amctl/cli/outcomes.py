"""From what a command on machines answered to lines, or one JSON document, and an exit code."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from amctl.cli.exitcodes import ExitCode
from amctl.repl.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amctl.repl.outcome import Outcome

__all__ = ["CODES", "document", "show"]

CODES = {
    Verdict.DONE: ExitCode.DONE,
    Verdict.FAILED: ExitCode.FAILED,
    Verdict.USAGE: ExitCode.USAGE,
    Verdict.BAD_INPUT: ExitCode.BAD_INPUT,
    Verdict.NO_MATCH: ExitCode.NOTHING_MATCHED,
    Verdict.UNREACHABLE: ExitCode.UNREACHABLE,
    Verdict.CANCELED: ExitCode.CANCELED,
    Verdict.TIMED_OUT: ExitCode.TIMED_OUT,
    Verdict.INTERRUPTED: ExitCode.INTERRUPTED,
}
"""How a command ended -> exit code."""


def show(outcome: Outcome, *, as_json: bool = False) -> int:
    """Print an answer: data on stdout, problems and the hint on stderr. Returns the exit code.

    Args:
        outcome: What a command answered.
        as_json: Print the data as one document; nothing where there is none for an error.
    """
    if not as_json:
        for line in _rows(outcome.lines):
            print(line)
    elif outcome.ok or outcome.data is not None:
        print(document(outcome.data))
    sys.stdout.flush()
    for problem in outcome.problems:
        print(f"error: {_printable(' '.join(problem.split()))}", file=sys.stderr)
    if outcome.hint:
        print(f"hint: {_printable(outcome.hint)}", file=sys.stderr)
    sys.stderr.flush()
    return int(CODES[outcome.verdict])


def _rows(lines: Iterable[str]) -> Iterator[str]:
    """The lines; on a terminal as wide as it is."""
    if not sys.stdout.isatty():
        yield from map(_printable, lines)
        return
    from shutil import get_terminal_size

    from amctl.repl.rendering import folded

    width = get_terminal_size().columns
    for line in lines:
        yield from folded(_printable(line), width)


def document(data: Any) -> str:
    """Data as JSON text."""
    return json.dumps(data, indent=2, ensure_ascii=False, default=str)


def _printable(text: str) -> str:
    """The text without what would steer a terminal: ids and errors come from elsewhere."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
