"""A report of `amctl why`, for people."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["told"]

_NARROWEST = 40


def told(lines: Sequence[str], width: int | None = None) -> str:
    """The lines as text; folded, each at its own depth, if they go to a terminal.

    Args:
        lines: Of a report.
        width: Columns; None folds as the terminal is, and not at all without one.
    """
    if width is None:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    safe = map(_printable, lines)
    return "\n".join(_folded(safe, max(width, _NARROWEST)) if width else safe)


def _folded(lines: Iterator[str], width: int) -> Iterator[str]:
    for line in lines:
        # a deep tree must not end in a column of single words
        pad = min(len(line) - len(line.lstrip()), width // 2)
        yield from textwrap.wrap(
            line.strip(),
            width,
            initial_indent=" " * pad,
            subsequent_indent=" " * (pad + 4),
            break_on_hyphens=False,
        ) or [""]


def _printable(text: str) -> str:
    """Without what would steer a terminal: ids and errors come from elsewhere."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
