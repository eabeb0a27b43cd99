"""How a report is folded."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from amctl.cli.views.why import told

if TYPE_CHECKING:
    import pytest

LINES = ("m A: not active", "  blame: " + "word " * 20, "      because it is so, and nothing else")


def test_into_a_pipe_lines_stay_whole() -> None:
    assert told(LINES) == "\n".join(LINES)


def test_for_a_terminal_lines_are_folded_at_their_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((44, 20)))
    text = told(LINES).splitlines()
    assert max(map(len, text)) <= 44
    assert text[1].startswith("  blame: word")
    assert text[2].startswith("      word")
    assert text[-1] == "      because it is so, and nothing else"


def test_a_deep_tree_leaves_room_for_words() -> None:
    text = told([" " * 70 + "because of a long chain of many causes"], 40).splitlines()
    assert text[0].startswith(" " * 20 + "because")
    assert max(map(len, text)) <= 40


def test_what_would_steer_a_terminal_is_shown_as_nothing() -> None:
    assert told(["\x1b[2J"], 40) == "\N{REPLACEMENT CHARACTER}[2J"
    assert told([""], 40) == ""
