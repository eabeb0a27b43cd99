"""The help (debugger_ui.md 3)."""

from __future__ import annotations

import pytest

from amctl.debugger.face.help import help_page, key_text
from amctl.debugger.face.keys import KEYS
from amctl.debugger.face.themes import ROLES


@pytest.mark.parametrize("width", [60, 160])
def test_all_keys_and_legends_are_told(width: int) -> None:
    page = help_page([("recording", "x.sqlite")], width)
    text = "\n".join("".join(word for word, _ in line) for line in page)
    for key in KEYS:
        assert key_text(key) in text
        assert key.text in text
    for word in ("tree", "machines", "log", "rain", "matrix", "about", "x.sqlite", " MB "):
        assert word in text


def test_roles_are_known() -> None:
    roles = {role for line in help_page([], 60) for _, role in line}
    assert roles - {""} <= ROLES.keys()
