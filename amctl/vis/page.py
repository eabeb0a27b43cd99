"""A picture as one HTML file that asks nothing of the network: pan, search, move through time.

The SVG is the finished one; scripts only set classes on it. What they need to know stands in a
block of JSON, where names are indexes: `_page_data` tells its form.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from amctl.vis._page_data import page_data
from amctl.vis._page_legend import legend
from amctl.vis.render import render
from amctl.vis.text import clean
from amctl.vis.theme import css_vars

if TYPE_CHECKING:
    from amctl.vis.drawing import Drawing
    from amctl.vis.history import History
    from amctl.vis.theme import Choice
    from amctl.vis.view import View

__all__ = ["page"]

_SLOT = re.compile(r"\{\{(\w+)\}\}")
_THEMED = re.compile(r'(<svg\b[^>]*?) data-theme="\w+"')


def page(view: View, drawing: Drawing, history: History, title: str, theme: Choice = "auto") -> str:
    """The file. Equal arguments give equal text.

    Args:
        view: What is drawn.
        drawing: Its picture: bird, map or single.
        history: Of the drawn machines; without moments, the page has no slider.
        title: Of the page.
        theme: Which colours hold until somebody chooses; `auto` is as the viewer's system has it.

    Raises:
        NoGraphvizError: Graphviz isn't installed.
        RenderError: It failed.
    """
    script = f"{_asset('vis.js')}\n{_asset('panels.js')}"
    picture = _THEMED.sub(r"\1", render(drawing, "svg").decode(), count=1)
    parts = {
        "theme": "" if theme == "auto" else f' data-theme="{theme}"',
        "policy": _policy(f"\n{script}\n"),
        "title": html.escape(clean(title)),
        "style": f"{_colours()}\n{_asset('vis.css')}",
        "picture": picture,
        "legend": legend(),
        "data": _json(page_data(view, history)),
        "script": script,
    }
    return _SLOT.sub(lambda match: parts[match[1]], _asset("vis.html"))


@cache
def _asset(name: str) -> str:
    text = files("amctl.vis").joinpath("assets", name).read_text(encoding="utf-8")
    return text.rstrip("\n")


def _colours() -> str:
    """The tokens of both themes: as the system has it, unless somebody chose; print is light."""
    dark = f"color-scheme:dark;{css_vars('dark')}"
    light = f"color-scheme:light;{css_vars('light')}"
    return (
        f":root{{{dark}}}@media(prefers-color-scheme:light){{:root{{{light}}}}}"
        f":root[data-theme=dark]{{{dark}}}:root[data-theme=light]{{{light}}}"
        f"@media print{{:root:root{{{light}}}}}"
    )


def _policy(script: str) -> str:
    """Nothing is loaded, and only our own script runs. The picture has styles in its attributes."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _json(data: object) -> str:
    """JSON in which no text can end the script element that it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
