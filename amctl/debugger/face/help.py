"""The help: keys as they are bound, and what colours and letters mean."""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from amctl.debugger.face.keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.debugger.face.dialogs import Page
    from amctl.debugger.face.keys import Key

__all__ = ["help_page", "key_text"]

_LEGENDS: Final = (
    (
        "tree",
        ("state", "active", "active"),
        ("state", "multi", "active, multi"),
        ("state", "inactive", "not active"),
        ("state", "error", "active error"),
        ("+", "bold", "activated, by the steps so far"),
        ("-", "bold", "deactivated"),
        ("*", "bold", "a handler ran"),
        ("!", "bold", "canceled; red at the last step"),
        ("bold", "touched", "touched by a step"),
        ("underline", "called", "called"),
        ("|", "source", "a relation begins here"),
        ("|", "target", "and leads here"),
    ),
    (
        "machines",
        ("id", "active", "connected"),
        ("id", "dim", "gone, or from a file"),
        ("id", "error", "error now"),
        ("id", "recent", "error within 100 transitions"),
        ("id", "called", "selected"),
        ("E S R", "text", "Exception, Start, Ready active"),
        ("|12+", "text", "transition at the moment, more follow"),
        ("T123", "text", "time of all machines"),
    ),
    (
        "log",
        ("█", "executed", "executed"),
        ("█", "queued", "queued"),
        ("█", "canceled", "canceled"),
        ("█", "empty", "moved nothing"),
    ),
    (
        "timeline",
        ("▁", "error", "an error is among these"),
        ("▁", "queued", "a canceled one is"),
    ),
    (
        "rain",
        ("1", "active", "active"),
        ("2", "active", "active and touched"),
        ("|", "removed", "deactivated now"),
        ("c", "canceled", "called, but canceled"),
        ("*", "text", "touched"),
        (".", "dim", "none of these"),
        ("1", "filter", "active error"),
    ),
    (
        "matrix",
        ("row 1", "text", "called states"),
        ("row 3", "text", "ticks of each"),
        ("row 5 on", "text", "column: source, row: target, sum of step types"),
    ),
    (
        "toolbar",
        ("[X]", "bold", "such ones are shown"),
        ("[*]auto", "bold", "shown but for canceled ones"),
        ("red row", "filter", "something may be hidden"),
    ),
)
"""Title, then sample, its role, what it means."""
_LISTS: Final = (
    ("up, down, j, k", "move in lists"),
    ("enter", "select, open, press"),
    ("letters", "in lists: go to what begins so"),
    ("backspace", "in the list of machines: take it out"),
    ("mouse", "select text; ctrl+c copies it"),
)


def key_text(key: Key) -> str:
    """A line's keys for people: `alt+left, alt+h`."""
    return key.shown or ", ".join(key.keys.split(","))


def help_page(about: Sequence[tuple[str, str]], width: int) -> Page:
    """Legends and keys, side by side where there is room.

    Args:
        about: What is said of the program: name and value.
        width: Columns there are.
    """
    keys: Page = [[("keys", "heading")]]
    for shown, text in (*((key_text(key), key.text) for key in KEYS), *_LISTS):
        keys.append([(f"{shown:<22}", "bold"), (f" {text}", "")])
    keys += [[], [("about", "heading")]]
    for name, value in (*about, ("memory", f"{_memory_mb()} MB at most so far")):
        keys.append([(f"{name:<22}", "bold"), (f" {value}", "")])
    legends: Page = []
    for title, *rows in _LEGENDS:
        legends.append([(str(title), "heading")])
        for sample, role, text in rows:
            legends.append([(sample, role), (" " * (10 - len(sample)), ""), (text, "")])
        legends.append([])
    if width < 110:
        return [*keys, [], *legends]
    room = max(sum(cell_len(word) for word, _ in line) for line in legends) + 3
    page: Page = []
    for at in range(max(len(keys), len(legends))):
        left = legends[at] if at < len(legends) else []
        used = sum(cell_len(word) for word, _ in left)
        right = keys[at] if at < len(keys) else []
        page.append([*left, (" " * (room - used), ""), *right])
    return page


def _memory_mb() -> int:
    """The most that this process ever held."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (1024 * 1024) if sys.platform == "darwin" else most // 1024
