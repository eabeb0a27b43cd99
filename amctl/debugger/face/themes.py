"""Colours: one table of roles for a dark screen, one for a light one."""

from __future__ import annotations

from functools import cache
from typing import Final

from rich.style import Style
from textual.theme import Theme

__all__ = ["DARK", "LIGHT", "ROLES", "ink", "themes"]

DARK: Final = "amctl-dark"
LIGHT: Final = "amctl-light"

ROLES: Final[dict[str, tuple[str, str]]] = {
    "text": ("", ""),
    "bold": ("bold", "bold"),
    "dim": ("#7a7a7a", "#6c6c6c"),
    "heading": ("#d7af1a", "#8a5a00"),
    "link": ("underline", "underline"),
    # states
    "active": ("#d7af1a", "#8a5a00"),
    "inactive": ("#2bb52b", "#187a18"),
    "multi": ("#adff2f", "#4f7a00"),
    "error": ("#ff5555", "#c00000"),
    "recent": ("#ff9fc0", "#b0407a"),
    "called": ("bold underline", "bold underline"),
    "touched": ("bold", "bold"),
    "removed": ("#9a9a9a underline", "#6c6c6c underline"),
    "canceled": ("#ff5555", "#c00000"),
    "queued": ("#d7af1a", "#8a5a00"),
    "executed": ("#4fb81a", "#2e7d0e"),
    "empty": ("#6c6c6c", "#8a8a8a"),
    # log
    "tag": ("#d7d700", "#7a6a00"),
    "state": ("bold", "bold"),
    "key": ("#7a7a7a", "#6c6c6c"),
    "value": ("#2bb52b", "#187a18"),
    "external": ("#9a9a9a", "#5f5f5f"),
    "trace": ("#7a7a7a", "#6c6c6c"),
    "time": ("#5fafd7", "#005f87"),
    # rows and bars
    "chosen": ("on #2f4f4f", "on #c5dada"),
    "current": ("#000000 on #b0b0b0", "#ffffff on #5f5f5f"),
    "cursor": ("on #4a4a4a", "on #c8c8c8"),
    "mark": ("#ffffff on #2f4f4f", "#000000 on #c5dada"),
    "filter": ("#ffffff on #c43c3c", "#ffffff on #b03030"),
    "filled": ("on #d0d0d0", "on #5f5f5f"),
    "button": ("#000000 on #d0d0d0", "#ffffff on #5f5f5f"),
    "source": ("#2bb52b bold", "#187a18 bold"),
    "target": ("#ff5555 bold", "#c00000 bold"),
}
"""Role -> its style on a dark and on a light screen, in Rich's words."""


@cache
def ink(role: str, dark: bool = True) -> Style:
    """The style of a role.

    Raises:
        KeyError: There is no such role.
    """
    return Style.parse(ROLES[role][0 if dark else 1])


def themes() -> tuple[Theme, Theme]:
    """The dark one and the light one."""
    common = {"block-cursor-text-style": "none"}
    dark = Theme(
        DARK,
        primary="#d7af1a",
        secondary="#2f4f4f",
        warning="#d7af1a",
        error="#ff5555",
        success="#2bb52b",
        accent="#5fafd7",
        foreground="#e4e4e4",
        background="#000000",
        surface="#000000",
        panel="#1c1c1c",
        dark=True,
        variables={"scrollbar": "#6c6c6c", "scrollbar-background": "#262626", **common},
    )
    light = Theme(
        LIGHT,
        primary="#8a5a00",
        secondary="#c5dada",
        warning="#8a5a00",
        error="#c00000",
        success="#187a18",
        accent="#005f87",
        foreground="#1c1c1c",
        background="#fafafa",
        surface="#fafafa",
        panel="#e8e8e8",
        dark=False,
        variables={"scrollbar": "#8a8a8a", "scrollbar-background": "#dadada", **common},
    )
    return dark, light
