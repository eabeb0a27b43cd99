"""The live view of a run: a screen of exactly as many lines as asked for, so that nothing jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from amctl.cli.views.jobs import job_lines
from amctl.cli.views.rounds import lanes, round_line
from amctl.cli.views.words import INK, LIGHT, clip, counted, event_line, headline, seconds

if TYPE_CHECKING:
    from amctl.telemetry.snapshot import Snapshot

__all__ = ["live"]

_TALL = 34
"""From this height on, few jobs are drawn as lanes over time."""
_LANED = 6
_LAMPS = 12


def live(snap: Snapshot, width: int, height: int) -> Group:
    """The screen at one moment: `height` lines, none wider than `width`.

    Made for 80 by 23 and up; in less, the events go first, then whatever is lowest.
    """
    lights = _lights(snap, width)
    jobs = job_lines(snap, width, max(1, min(len(snap.nodes), (height - 6) // 2)))
    rounds = _rounds(snap, width, tall=height >= _TALL)
    lines = [*_head(snap, width), Text(), *jobs]
    lines += [_rule("rounds", width), *rounds, _rule("connections", width), *lights]
    lines.append(_rule("events", width))
    room = max(0, height - len(lines))
    first = max(0, len(snap.events) - room)
    lines += [event_line(snap, i, width) for i in range(first, len(snap.events))]
    lines += [Text()] * (height - len(lines))
    for line in lines[:height]:
        line.no_wrap = True
        line.truncate(width, overflow="ellipsis")
    return Group(*lines[:height])


def _head(snap: Snapshot, width: int) -> list[Text]:
    run = snap.run
    time = seconds(run.now_ms if run.ended_ms is None else run.ended_ms)
    counts = f"▲{run.failures} ×{run.lies}"  # noqa: RUF001 - the glyph of the page
    right = f"round {run.round or '-'}   {counted(run.executions, 'execution')}   {counts}   {time}"
    name = clip(run.workflow, max(0, width - len(right) - 9))
    first = Text.assemble((" amctl ", "bold"), (name, INK["muted"]))
    first.append(" " * max(1, width - first.cell_len - len(right) - 1)).append(right)
    return [first, headline(snap)]


def _rounds(snap: Snapshot, width: int, *, tall: bool) -> list[Text]:
    """Lanes for the last two rounds where there is room, else a line for each of the last few."""
    drawn = tall and len(snap.nodes) <= _LANED
    slots = 2 * (len(snap.nodes) + 2) if drawn else 4 if tall else 2
    block: list[Text] = []
    for past in snap.rounds[-2:] if drawn else snap.rounds[-slots:]:
        block += [round_line(snap, past, width), *(lanes(snap, past, width) if drawn else [])]
    if not block:
        block = [Text("  The first round begins when every thread has joined.", INK["muted"])]
    return block + [Text()] * (slots - len(block))


def _lights(snap: Snapshot, width: int) -> list[Text]:
    lights = list(snap.lights)
    parts: list[Text] = []
    if len(lights) > _LAMPS:  # many threads: one lamp for all that agree
        ids = {node.id for node in snap.nodes}
        up = sum(light.state == "up" for light in lights if light.id in ids)
        mark = LIGHT["up" if up == len(ids) else "wait"]
        parts.append(Text.assemble((f"{mark.glyph} ", mark.ink), f"{up} of {len(ids)} threads"))
        lights = [li for li in lights if li.id not in ids or li.state == "down"]
    for light in lights:
        mark = LIGHT[light.state]
        label = (light.label, "" if light.state == "up" else INK["muted"])
        parts.append(Text.assemble((f"{mark.glyph} ", mark.ink), label))
    lines = [Text(" ")]
    for part in parts:
        if lines[-1].cell_len + part.cell_len + 2 > width and lines[-1].cell_len > 1:
            lines.append(Text(" "))
        lines[-1].append_text(part).append("  ")
    for line in lines:
        line.rstrip()
    return lines


def _rule(name: str, width: int) -> Text:
    return Text(f" {name} {'─' * (width - len(name) - 3)}", INK["muted"])
