"""Colours."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual.color import Color

from amctl.debugger.face.themes import DARK, LIGHT, ROLES, ink, themes


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.parametrize("dark", [True, False])
def test_every_role_can_be_read(role: str, dark: bool) -> None:
    """At least 3 to 1, on its own ground or the screen's."""
    style = ink(role, dark)
    assert isinstance(style, Style)
    theme = themes()[0 if dark else 1]

    def colour(of: object, other: str | None) -> Color:
        triplet = getattr(of, "triplet", None)
        return Color(*triplet) if triplet is not None else Color.parse(other or "")

    text = colour(style.color, theme.foreground)
    ground = colour(style.bgcolor, theme.background)
    if role == "filled":
        return  # no text stands on it
    assert _ratio(text, ground) >= 3


def _ratio(one: Color, other: Color) -> float:
    lights = sorted(_luminance(c) for c in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: Color) -> float:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4

    r, g, b = (linear(part / 255) for part in (colour.r, colour.g, colour.b))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_there_are_two() -> None:
    assert [theme.name for theme in themes()] == [DARK, LIGHT]
    assert [theme.dark for theme in themes()] == [True, False]


def test_an_unknown_role_is_told() -> None:
    with pytest.raises(KeyError):
        ink("nothing")
