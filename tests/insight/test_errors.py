"""What the errors say."""

from __future__ import annotations

import pytest

from amctl.insight.errors import (
    InsightError,
    NoEntryError,
    NoGraphvizError,
    NotImportedError,
    RenderError,
)


@pytest.mark.parametrize(
    ("error", "text", "hint"),
    [
        (InsightError("x"), "x", ""),
        (NoEntryError("browser", "a.b"), "browser: its entry 'a.b' isn't", "NODES_PACKAGE"),
        (
            NotImportedError("amctl", "starlet", ["starlette"]),
            "amctl imports no 'starlet'",
            "did you mean 'starlette'?",
        ),
        (NotImportedError("amctl", "zzz", ["starlette"]), "no 'zzz'", "amctl deps list amctl"),
        (NoGraphvizError(), "dot (Graphviz) isn't installed", "amctl setup"),
        (RenderError("dot failed", "line 1"), "dot failed: line 1", "--format dot"),
        (RenderError("dot wrote nothing"), "dot wrote nothing", "--format dot"),
    ],
)
def test_each_says_what_is_wrong_and_what_to_do(error: InsightError, text: str, hint: str) -> None:
    assert text in str(error)
    assert hint in error.hint
