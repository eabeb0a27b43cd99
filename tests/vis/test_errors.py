from __future__ import annotations

import pytest

from amctl.vis.errors import NoGraphvizError, NothingToDrawError, RenderError, VisError


@pytest.mark.parametrize(
    ("error", "text", "hint"),
    [
        (NoGraphvizError(), "dot (Graphviz) isn't installed", "amctl setup"),
        (NoGraphvizError("neato"), "neato (Graphviz) isn't installed", "amctl setup"),
        (RenderError("dot failed", "syntax error"), "dot failed: syntax error", "--format dot"),
        (RenderError("dot wrote nothing"), "dot wrote nothing", "--format dot"),
        (NothingToDrawError(), "there is nothing to draw: no machine is chosen", "inspect-dump"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_do(error: VisError, text: str, hint: str) -> None:
    assert str(error) == text
    assert hint in error.hint


def test_the_base_has_no_hint() -> None:
    assert VisError().hint == ""


def test_errors_are_what_a_reader_expects() -> None:
    assert issubclass(NoGraphvizError, FileNotFoundError)
    assert issubclass(RenderError, RuntimeError)
    assert issubclass(NothingToDrawError, LookupError)
