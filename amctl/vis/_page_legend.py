"""The legend and the keys of a page, as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from amctl.vis.theme import Kind, glyph

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["legend"]

_STATES: dict[Kind, str] = {
    "plain": "an active state",
    "ready": "Ready",
    "start": "Start",
    "error": "Exception, Err…",
}
_SIGNS = (
    ("A M", "", "auto state, multi state"),
    ("◄ X", "require", "requires X"),
    ("+ X", "add", "adds X"),
    ("× X", "remove", "removes X"),  # noqa: RUF001  # the sign that the picture has
)
_LINES = (
    ("pipe", 1.4, "5 2", "M66 3l10 4-10 4z", "pipe: adds and removes"),
    ("add", 1.4, "5 2", "", "pipe: only adds"),
    ("remove", 1.4, "5 2", "M66 7l5-4 5 4-5 4z", "pipe: only removes"),
    ("pipe", 4, "", "M66 2l10 5-10 5z", "bundle: a block of states mirrored"),
    ("rpc", 3, "", "M66 2l10 5-10 5z", "RPC, client to server"),
    ("parent", 4, "", "", "child and parent"),
)
_KEYS = (
    ("/", "search; Enter goes to the next hit"),
    (", .", "a moment back, on"),
    ("space", "play"),
    ("+ - 0 1", "zoom in, out, all, real size"),
    ("← ↑ → ↓", "move the picture"),
    ("Enter", "go to its states; then ↑ ↓ walk through them, ← → along pipes"),
    ("m t ?", "machines, theme, this"),
    ("Esc", "let go"),
)


def legend() -> str:
    """What signs and keys mean."""
    return "".join(
        (
            "<h2>Legend</h2>",
            _table(_states()),
            _table(_sign(*row) for row in _SIGNS),
            _table(_line(*row) for row in _LINES),
            "<h3>Keys</h3>",
            _table(_row(f"<kbd>{key}</kbd>", text) for key, text in _KEYS),
        )
    )


def _table(rows: Iterable[str]) -> str:
    return f"<table>{''.join(rows)}</table>"


def _row(sample: str, text: str) -> str:
    return f"<tr><td>{sample}</td><td>{text}</td></tr>"


def _states() -> Iterable[str]:
    for kind in get_args(Kind):
        lamp = glyph(kind, True)
        yield _row(f'<span class="sample on {kind}">{lamp} active</span>', _STATES[kind])
    yield _row(f'<span class="sample">{glyph("plain", False)} quiet</span>', "an inactive state")
    sample = f'<span class="sample inh">{glyph("plain", False)} Disposed</span>'
    yield _row(sample, "of a standard set")


def _sign(sign: str, style: str, text: str) -> str:
    return _row(f'<span class="{style}">{sign}</span>', text)


def _line(token: str, width: float, dash: str, head: str, text: str) -> str:
    colour = f"var(--{token})"
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    line = f'<path d="M2 7h{64 if head else 72}" stroke="{colour}" stroke-width="{width}"{dashes}/>'
    tip = f'<path d="{head}" fill="{colour}"/>' if head else ""
    if token == "add":
        tip = f'<path d="M66 3l9 4-9 4z" fill="var(--box)" stroke="{colour}"/>'
    if token == "parent":
        tip = f'<circle cx="73" cy="7" r="3.5" fill="var(--box)" stroke="{colour}" />'
    svg = f'<svg width="80" height="14" viewBox="0 0 80 14" aria-hidden="true">{line}{tip}</svg>'
    return _row(svg, text)
