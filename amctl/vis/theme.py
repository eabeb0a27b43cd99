"""Colours, glyphs and styles: one layout serves every theme.

While Graphviz lays a picture out, a colour is a *sentinel*, a near-black that nothing else uses.
Afterwards sentinels become `var(--token)` in SVG, or the theme's real colours in PNG and PDF.
Nothing is told by colour alone: lit rows are bold with a solid glyph, lines differ in dash and
head.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

__all__ = [
    "FAMILY",
    "FONT",
    "STYLE",
    "TINTS",
    "TOKENS",
    "Choice",
    "Kind",
    "Theme",
    "Token",
    "colours",
    "css_vars",
    "fill_of",
    "glyph",
    "ink",
    "kind_of",
    "painted",
    "themed",
]

Theme = Literal["dark", "light"]
Choice = Literal["auto", "dark", "light"]
"""What is asked for: `auto` is the viewer's, and light where a file can hold but one."""
Kind = Literal["plain", "ready", "start", "error"]

FONT = "Arial"
"""What Graphviz measures with. Helvetica and Liberation Sans have the same metrics, but Graphviz
takes "Helvetica" for a PostScript font, and may put a wider one in its place."""
FAMILY = "Helvetica,Arial,'Liberation Sans',sans-serif"
TINTS = 4
"""Inks of pipes, one per source machine of a target."""


@dataclass(frozen=True, slots=True)
class Token:
    """A colour by what it is for."""

    sentinel: str
    dark: str
    light: str


_COLOURS = {
    "page": ("#14161a", "#ffffff"),
    "box": ("#1f232a", "#f7f8fa"),
    "nest1": ("#191d23", "#eef1f5"),
    "nest2": ("#20252d", "#e4e9f0"),
    "head": ("#343c4a", "#d5dce6"),
    "line": ("#566173", "#9aa5b4"),
    "text": ("#e8ebf0", "#14181f"),
    "muted": ("#9da8b8", "#596474"),
    "active": ("#f0e442", "#ffe14d"),
    "ready": ("#56b4e9", "#8fd0f5"),
    "start": ("#2fbf8f", "#6fd9b4"),
    "error": ("#ff7043", "#ff9d80"),
    "ontext": ("#000000", "#000000"),
    "require": ("#8fd3ff", "#0072b2"),
    "add": ("#f2a43a", "#a85a00"),
    "remove": ("#e070b0", "#8a1c66"),
    "after": ("#9da8b8", "#596474"),
    "pipe": ("#c9d1dc", "#475569"),
    "pipe0": ("#c9d1dc", "#475569"),
    "pipe1": ("#8fd6cf", "#0f6b63"),
    "pipe2": ("#e3c98a", "#7a5b00"),
    "pipe3": ("#b8b4f0", "#4b46a3"),
    "rpc": ("#f0a030", "#a85500"),
    "parent": ("#6f7d96", "#93a0b3"),
    "focus": ("#ffd24d", "#c98a00"),
}

TOKENS = {
    name: Token(f"#0100{number:02x}", *pair)
    for number, (name, pair) in enumerate(_COLOURS.items(), start=1)
}
"""Name -> colours. Names are the CSS variables too: `page` is `--page`."""

_SENTINEL = re.compile(r"#0100[0-9a-f]{2}")
_INKS: dict[Theme | None, dict[str, str]] = {
    None: {token.sentinel: f"var(--{name})" for name, token in TOKENS.items()},
    "dark": {token.sentinel: token.dark for token in TOKENS.values()},
    "light": {token.sentinel: token.light for token in TOKENS.values()},
}
"""What stands for a sentinel in the end; in an SVG, which has no theme of its own, a variable."""
_GLYPHS: dict[Kind, tuple[str, str]] = {
    "plain": ("●", "○"),
    "ready": ("♦", "◊"),
    "start": ("►", "▷"),
    "error": ("▲", "△"),
}
_FILLS: dict[Kind, str] = {"plain": "active", "ready": "ready", "start": "start", "error": "error"}
_ERROR = re.compile(r"Exception$|Err|.*\d(?:Exception$|Err[A-Z])", re.ASCII)

_ROW = ":is(.row,.lamp)"
STYLE = (
    f"svg.amvis text{{font-family:{FAMILY}}}svg.amvis{{background:var(--page)}}"
    f"{_ROW} .bg{{fill:var(--box)}}{_ROW} .nm{{fill:var(--text);font-weight:normal}}"
    f"{_ROW} .gl,.row .fl{{fill:var(--muted)}}.row.inh .nm{{fill:var(--muted)}}"
    f"{_ROW}.on .nm{{font-weight:bold}}{_ROW}.on :is(.nm,.gl,.fl){{fill:var(--ontext)}}"
    + "".join(f"{_ROW}.on.{kind} .bg{{fill:var(--{_FILLS[kind]})}}" for kind in get_args(Kind))
)
"""What the classes of a finished SVG look like, in terms of the tokens."""


def ink(token: str) -> str:
    """The sentinel that stands for a token's colour."""
    return TOKENS[token].sentinel


def kind_of(state: str) -> Kind:
    """What a state's name says about it, also behind a prefix with a number (`Browser3ErrRpc`)."""
    if state == "Ready":
        return "ready"
    if state == "Start":
        return "start"
    return "error" if _ERROR.match(state) else "plain"


def glyph(kind: Kind, lit: bool) -> str:
    """The sign before a state's name: solid when it is active."""
    return _GLYPHS[kind][0 if lit else 1]


def fill_of(kind: Kind) -> str:
    """The token that fills the row of an active state."""
    return _FILLS[kind]


def colours(theme: Theme) -> dict[str, str]:
    """Token name -> colour."""
    return {name: getattr(token, theme) for name, token in TOKENS.items()}


def css_vars(theme: Theme) -> str:
    """Declarations of all tokens: `--page:#14161a;...`."""
    return "".join(f"--{name}:{colour};" for name, colour in colours(theme).items())


def themed(selector: str) -> str:
    """Rules with the tokens of the theme that the viewer's system has; printed, it is light."""
    light = f"{selector}{{{css_vars('light')}}}"
    return (
        f"{selector}{{{css_vars('dark')}}}"
        f"@media(prefers-color-scheme:light){{{light}}}@media print{{{light}}}"
    )


def painted(text: str, theme: Theme | None) -> str:
    """`text` with real colours for its sentinels; without a theme, with `var(--token)`."""
    inks = _INKS[theme]
    return _SENTINEL.sub(lambda match: inks.get(match[0], match[0]), text)
