"""What a run came to: said once, after its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from amctl.cli.views.rounds import round_line
from amctl.cli.views.words import CHECK, INK, clip, counted, headline, seconds

if TYPE_CHECKING:
    from amctl.telemetry.snapshot import Check, Snapshot

__all__ = ["summary"]

_ROUNDS = 6
_HALF = 64
_INDENT = 15


def summary(snap: Snapshot, width: int = 80) -> Group:
    """Outcome, last rounds, counts and seed, whole hashes, paths; fits 80 columns.

    A hash stands on two lines of 64 digits; below a wrong one stands the expected one.
    """
    run = snap.run
    lines = [headline(snap), Text()]
    left_out = len(snap.rounds) - _ROUNDS
    if left_out > 0:
        lines.append(Text(f"  and {counted(left_out, 'round')} before", INK["muted"]))
    room = min(width, 110) - 8
    lines += [Text("  round") + round_line(snap, past, room) for past in snap.rounds[-_ROUNDS:]]
    time = seconds(run.now_ms if run.ended_ms is None else run.ended_ms)
    seed = "" if run.seed is None else f", seed {run.seed}"
    counts = f"{counted(run.executions, 'execution')}, {run.failures} failed, {run.lies} lied"
    lines += [Text()] if snap.rounds else []
    lines += [Text(f"  {counts}, {time}{seed}"), Text()]
    for check in snap.checks:
        lines += _hash(check)
    if snap.links:
        lines.append(Text())
    for link in snap.links:
        lines.append(Text.assemble((f"    {link.label.lower():<10} ", INK["muted"]), link.path))
    for line in lines:
        line.no_wrap = True
    return Group(*lines)


def _hash(check: Check) -> list[Text]:
    mark = CHECK[check.verdict]
    rows = _halves(check.actual or "") or ["no result"]
    name = (f"{clip(check.id, 10):<10} ", "bold")
    first = Text.assemble((f"  {mark.glyph} ", mark.ink), name, rows[0])
    lines = [first, *_below(rows[1:])]
    if check.verdict == "wrong":
        wanted = _halves(check.expected)
        lines.append(Text(f"    {'expected':<10} {wanted[0]}", INK["muted"]))
        lines += _below(wanted[1:], INK["muted"])
    return lines


def _halves(digest: str) -> list[str]:
    return [digest[i : i + _HALF] for i in range(0, len(digest), _HALF)]


def _below(rows: list[str], style: str = "") -> list[Text]:
    return [Text(" " * _INDENT + row, style) for row in rows]
