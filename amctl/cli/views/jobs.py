"""The table of jobs: what each thread does now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from amctl.cli.views.words import INK, NODE, clip, layered, seconds

if TYPE_CHECKING:
    from amctl.telemetry.snapshot import Node, Snapshot

__all__ = ["WIDE", "job_lines"]

WIDE = 110
"""From this width on, the table also says what kind of thread a job has."""

_QUIET = {"offline": 3, "ready": 3, "waiting": 2, "done": 4, "verified": 4}
_THREAD = {"ui": "UI thread", "worker": "WebWorker", "local": "local"}


def job_lines(snap: Snapshot, width: int, room: int) -> list[Text]:
    """A heading and a line per job, in layer order, at most `room` lines of jobs.

    If there are more jobs, those that are doing something are shown and the rest is counted.
    """
    nodes = layered(snap.nodes)
    rest: list[Node] = []
    if len(nodes) > room:
        busy = sorted(nodes, key=lambda node: _QUIET.get(node.state, 1))
        keep = {node.id for node in busy[: room - 1]}
        rest = [node for node in nodes if node.id not in keep]
        nodes = [node for node in nodes if node.id in keep]
    widths = _widths(snap, width)
    names = ["", "job", *(["thread"] if width >= WIDE else []), "after", "state", "", "time"]
    lines = [_row([Text(name, INK["muted"]) for name in [*names, "", "result"]], widths)]
    lines += [_row(_cells(node, snap.run.now_ms, width >= WIDE), widths) for node in nodes]
    return [*lines, _more(rest)] if rest else lines


def _widths(snap: Snapshot, width: int) -> list[int]:
    wide = width >= WIDE
    job = min(max(3, *(len(n.id) for n in snap.nodes)), 14)
    after = max(5, *(len(", ".join(n.deps)) for n in snap.nodes))
    left = [1, job, *([10] if wide else []), min(after, 18 if wide else 10)]
    right = [12 if wide else 6, 8, 4, 20 if wide else 15]
    columns = len(left) + len(right) + 1
    state = width - sum(left) - sum(right) - (columns - 1)
    if state < 12:  # a narrow terminal gives up the result before the words
        right[-1] = max(0, right[-1] - (12 - state))
        state = 12
    return [*left, min(24, state), *right]


def _row(cells: list[Text], widths: list[int]) -> Text:
    line = Text()
    for index, (cell, size) in enumerate(zip(cells, widths, strict=True)):
        cell.truncate(size, overflow="ellipsis")
        gap = " " * (size - cell.cell_len)
        if index == len(widths) - 3:  # the time stands on the right
            line.append(gap).append_text(cell)
        else:
            line.append_text(cell).append(gap)
        line.append(" ")
    line.rstrip()
    return line


def _cells(node: Node, now: int, wide: bool) -> list[Text]:
    mark = NODE[node.state]
    word, share, time, result = mark.word, node.progress or 0.0, "", node.digest or ""
    if node.boot and node.state == "loading":
        boot = node.boot
        word = boot.label
        share = (boot.step - 1 + boot.done / max(1, boot.total)) / boot.of
        result = f"{boot.done / 1e6:.1f} of {boot.total / 1e6:.1f} MB" if boot.total > 1 else ""
    elif node.started_ms is not None:
        time = seconds((now if node.ended_ms is None else node.ended_ms) - node.started_ms)
        share = share if node.ended_ms is None else 1.0
    if node.attempt > 1:
        word += f" ({node.attempt})"
    failures = f"▲{clip(str(node.failures), 2)}" if node.failures else ""
    lies = f"×{node.lies}" if node.lies else ""  # noqa: RUF001 - the glyph of the page
    kind = "dispatcher" if node.dispatcher else _THREAD[node.thread]
    return [
        Text(mark.glyph, mark.ink),
        Text(node.id, "bold"),
        *([Text(kind, INK["muted"])] if wide else []),
        Text(", ".join(node.deps), INK["muted"]),
        Text(word),
        _bar(share, 12 if wide else 6, mark.ink),
        Text(time),
        Text.assemble((failures, INK["error"]), (lies, INK["remove"])),
        Text(result if len(result) <= (20 if wide else 15) else f"{result[:8]}…{result[-6:]}"),
    ]


def _bar(share: float, width: int, ink: str) -> Text:
    full = round(min(1.0, share) * width)
    return Text("━" * full, ink).append("─" * (width - full), INK["muted"])


def _more(rest: list[Node]) -> Text:
    line = Text.assemble((f"  and {len(rest)} more: ", INK["muted"]))
    for state in dict.fromkeys(node.state for node in rest):
        mark = NODE[state]
        line.append(f"{mark.glyph} ", mark.ink)
        line.append(f"{sum(n.state == state for n in rest)} {mark.word}  ")
    line.rstrip()
    return line
