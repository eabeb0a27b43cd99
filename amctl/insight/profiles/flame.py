"""A profile as a flame graph: one HTML file that asks nothing of the network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amctl.insight.profiles.model import Profile

__all__ = ["flame_page", "tree"]


def tree(profile: Profile) -> list[Any]:
    """The stacks as one tree: `[frame, microseconds, [children]]`, children by name.

    The root's frame is -1. Equal profiles give equal trees.
    """
    root: dict[int, Any] = {}
    total = 0
    for stack in profile.stacks:
        total += stack.microseconds
        level = root
        for index in stack.frames:
            node = level.setdefault(index, [0, {}])
            node[0] += stack.microseconds
            level = node[1]
    return [-1, total, _children(root, profile)]


def _children(level: dict[int, Any], profile: Profile) -> list[Any]:
    order = sorted(level, key=lambda index: profile.frames[index])
    return [[index, level[index][0], _children(level[index][1], profile)] for index in order]


def flame_page(profile: Profile) -> str:
    """The page: handlers over time, flames with search and zoom, tables of both."""
    data = {
        "frames": [list(frame) for frame in profile.frames],
        "tree": tree(profile),
        "weights": [
            [profile.frames.index(w.frame), w.own, w.total] for w in profile.weights()[:200]
        ],
        "spans": [[s.name, s.begin, s.microseconds, int(s.waits)] for s in profile.spans],
        "spans_left_out": profile.spans_left_out,
        "target": profile.target,
        "how": profile.how,
        "seconds": profile.seconds,
        "idle": profile.idle,
        "about": profile.about,
    }
    script = _asset("flame.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    page = _asset("flame.html")
    for slot, text in (
        ("policy", policy),
        ("title", html.escape(f"{profile.target}: where the time went")),
        ("style", _asset("flame.css")),
        ("data", _json(data)),
        ("script", script),
    ):
        page = page.replace("{{" + slot + "}}", text, 1)
    return page


def _asset(name: str) -> str:
    return files("amctl.insight.profiles").joinpath("assets", name).read_text(encoding="utf-8")


def _json(data: object) -> str:
    """JSON in which no text can end the script element that it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
