"""A trace as one HTML file that asks nothing of the network: zoom, search, follow causes."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from amctl.traces._page_data import page_data
from amctl.traces.text import clean

if TYPE_CHECKING:
    from amctl.traces.model import Trace

__all__ = ["page"]

_SLOT = re.compile(r"\{\{(\w+)\}\}")
_SCRIPTS = ("model.js", "draw.js", "panel.js", "page.js")


def page(trace: Trace, title: str) -> str:
    """The file. Equal arguments give equal text.

    Args:
        trace: What it shows.
        title: Of the page.
    """
    script = "\n".join(map(_asset, _SCRIPTS))
    parts = {
        "policy": _policy(f"\n{script}\n"),
        "title": html.escape(clean(title)),
        "style": _asset("page.css"),
        "data": _json(page_data(trace)),
        "script": script,
    }
    return _SLOT.sub(lambda match: parts[match[1]], _asset("page.html"))


@cache
def _asset(name: str) -> str:
    text = files("amctl.traces").joinpath("page", name).read_text(encoding="utf-8")
    return text.rstrip("\n")


def _policy(script: str) -> str:
    """Nothing is loaded, and only our own script runs."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _json(data: object) -> str:
    """JSON in which no text can end the script element that it stands in."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
