"""Rounds in a terminal: as the sequence of their attempts, or as lanes over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from amctl.cli.views.words import ATTEMPT, INK, clip, outcome_of, seconds

if TYPE_CHECKING:
    from amctl.telemetry.snapshot import Attempt, Node, Round, Snapshot

__all__ = ["lanes", "round_line", "took"]

_SCALES = (100, 200, 500, *(s * 1000 for s in (1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900, 3600)))
_NAMES = 16
_OUTCOME = 18


def took(snap: Snapshot, past: Round) -> int:
    """Milliseconds of a round until its end, or until now."""
    end = past.ended_ms if past.ended_ms is not None else snap.run.ended_ms
    return (snap.run.now_ms if end is None else end) - past.started_ms


def round_line(snap: Snapshot, past: Round, width: int) -> Text:
    """One round: how it went, how long, and its attempts in the most telling form that fits."""
    how = (
        f"{clip(outcome_of(past, _OUTCOME), _OUTCOME):<{_OUTCOME}} {seconds(took(snap, past)):>8}  "
    )
    line = Text.assemble((f"{past.id:>4} ", "bold"), how)
    tries = [a for a in snap.attempts if a.round == past.id]
    room = width - line.cell_len
    if not tries and past.executions:  # its attempts are forgotten, its counts are not
        return line.append(f"{past.executions} executions, {past.failures} failed", INK["muted"])
    if sum(len(a.node) + 4 for a in tries) < room:
        for a in tries:
            line.append(f"{ATTEMPT[a.outcome].glyph} ", ATTEMPT[a.outcome].ink)
            line.append(f"{a.node}  ")
    elif 2 * len(tries) < room:
        for a in tries:
            line.append(f"{ATTEMPT[a.outcome].glyph} ", ATTEMPT[a.outcome].ink)
    else:
        for outcome in dict.fromkeys(a.outcome for a in tries):
            mark = ATTEMPT[outcome]
            line.append(f"{mark.glyph} {sum(a.outcome == outcome for a in tries)}  ", mark.ink)
    line.rstrip()
    return line


def lanes(snap: Snapshot, past: Round, width: int) -> list[Text]:
    """One round drawn over time, a lane per job and the scale; each outcome has its own fill."""
    longest = max(took(snap, r) for r in snap.rounds)
    span = next((ms for ms in _SCALES if ms >= longest), longest)
    axis = Text(seconds(span).rjust(width - 1), INK["muted"])
    return [*(_lane(snap, past, node, span, width) for node in snap.nodes), axis]


def _lane(snap: Snapshot, past: Round, node: Node, span: int, width: int) -> Text:
    line = Text.assemble((f"    {clip(node.id, _NAMES - 5):<{_NAMES - 4}}", INK["muted"]))
    room = width - _NAMES - 1
    at = 0
    for a in snap.attempts:
        if a.round != past.id or a.node != node.id:
            continue
        left, right = _cells(a, past, snap.run.now_ms, room, span)
        mark = ATTEMPT[a.outcome]
        left = max(left, at)
        line.append("·" * (left - at), INK["muted"])
        line.append((mark.glyph + mark.word * room)[: max(1, right - left)], mark.ink)
        at = max(left + 1, right)
    return line.append("·" * (room - at), INK["muted"])


def _cells(a: Attempt, past: Round, now: int, room: int, span: int) -> tuple[int, int]:
    end = now if a.ended_ms is None else a.ended_ms
    return (
        (a.started_ms - past.started_ms) * room // span,
        (end - past.started_ms) * room // span,
    )
