from __future__ import annotations

import re
from typing import get_args

import pytest

from amctl.vis.theme import (
    STYLE,
    TINTS,
    TOKENS,
    Kind,
    Theme,
    colours,
    css_vars,
    fill_of,
    glyph,
    ink,
    kind_of,
    painted,
)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("Ready", "ready"),
        ("Start", "start"),
        ("Exception", "error"),
        ("ErrNetwork", "error"),
        ("Browser3Exception", "error"),
        ("Browser3ErrNetwork", "error"),
        ("Browser3Ready", "plain"),
        ("Restart", "plain"),
        ("Terror", "plain"),
        ("NewServerErr", "plain"),
    ],
)
def test_a_name_says_what_kind_of_state_it_is(state: str, kind: Kind) -> None:
    assert kind_of(state) == kind


def test_every_token_has_a_sentinel_of_its_own() -> None:
    sentinels = [token.sentinel for token in TOKENS.values()]
    assert len(set(sentinels)) == len(sentinels)
    real = {c for token in TOKENS.values() for c in (token.dark, token.light)}
    assert not real & set(sentinels)


def test_every_pipe_tint_is_a_token() -> None:
    assert all(f"pipe{number}" in TOKENS for number in range(TINTS))


def test_sentinels_become_variables_or_colours() -> None:
    text = f"fill={ink('page')} stroke={ink('rpc')} #123456 #0100ff"
    assert painted(text, None) == "fill=var(--page) stroke=var(--rpc) #123456 #0100ff"
    assert painted(text, "light") == "fill=#ffffff stroke=#a85500 #123456 #0100ff"


def test_lit_and_dark_rows_differ_by_glyph_too() -> None:
    signs = {glyph(kind, lit) for kind in get_args(Kind) for lit in (True, False)}
    assert len(signs) == 2 * len(get_args(Kind))
    assert {fill_of(kind) for kind in get_args(Kind)} <= set(TOKENS)


@pytest.mark.parametrize("theme", get_args(Theme))
def test_styles_use_no_variable_that_a_theme_lacks(theme: Theme) -> None:
    used = set(re.findall(r"var\(--([a-z0-9]+)\)", STYLE))
    assert used <= set(colours(theme))
    assert all(f"--{name}:" in css_vars(theme) for name in used)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", get_args(Theme))
def test_texts_stand_out_from_what_is_behind_them(theme: Theme) -> None:
    of = colours(theme)
    for text in ("text", "muted", "require", "add", "remove", "after"):
        assert contrast(of[text], of["box"]) >= 4.5, text
    for fill in ("active", "ready", "start", "error"):
        assert contrast(of["ontext"], of[fill]) >= 4.5, fill
    assert contrast(of["text"], of["head"]) >= 4.5
