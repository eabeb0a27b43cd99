"""What a console of a given width makes of a view."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["screen"]


def screen(view: RenderableType, width: int = 80, *, styled: bool = False) -> str:
    """The text that is printed, with its escape codes if `styled`."""
    file = io.StringIO()
    Console(
        file=file,
        width=width,
        force_terminal=styled,
        color_system="standard" if styled else None,
        legacy_windows=False,
        _environ={},
    ).print(view)
    return file.getvalue()
