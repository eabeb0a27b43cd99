"""docs/debugger.md says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from amctl.debugger.exporting import ENDINGS
from amctl.debugger.face.help import key_text
from amctl.debugger.face.keys import KEYS
from amctl.debugger.face.toolbar import TOOLS

TEXT = (Path(__file__).parents[3] / "docs" / "debugger.md").read_text(encoding="utf-8")


def test_all_keys_are_in_the_manual_as_they_are_bound() -> None:
    part = TEXT.split("## Keys\n")[1].split("## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", part, re.MULTILINE)
    assert rows[1:] == [(key_text(key), key.text) for key in KEYS]


def test_all_tools_are_in_the_manual() -> None:
    part = TEXT.split("## Tools\n")[1].split("## ")[0]
    words = {"mach": "machine", "tx": "transition"}
    for row in TOOLS:
        for tool in row:
            assert words.get(tool.label, tool.label) in part


def test_all_formats_are_in_the_manual() -> None:
    for ending in ENDINGS:
        assert f"`{ending[1:]}`" in TEXT


def test_no_line_but_of_a_table_is_too_long() -> None:
    long = [line for line in TEXT.splitlines() if len(line) > 110 and not line.startswith("|")]
    assert long == []
