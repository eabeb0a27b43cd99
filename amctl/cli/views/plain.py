"""A run as lines, for a pipe or a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.cli.views.words import title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.telemetry.snapshot import Snapshot

__all__ = ["plain"]


def plain(old: Snapshot | None, new: Snapshot, *, quiet_ms: int = 15_000) -> Iterator[str]:
    """What happened since `old`: who joined, failed, lied, was lost; each round; the end.

    Never progress, and not that a job begins. After every `quiet_ms` of silence one line says what
    the run is doing, so that nobody takes it for dead.
    """
    seen = old.events[-1].id if old and old.events else 0
    for event in new.events:
        if event.id > seen and event.kind != "start":
            yield f"{_at(event.at_ms)}  {event.node + ' ' if event.node else ''}{event.text}"
    if old is None or new.run.ended_ms is not None:
        return
    spoke = new.events[-1].at_ms if new.events else 0
    silent = (new.run.now_ms - spoke) // quiet_ms
    if silent > max(0, old.run.now_ms - spoke) // quiet_ms:
        _, words, text = title(new)
        yield f"{_at(new.run.now_ms)}  still here: {words}; {text}"


def _at(ms: int) -> str:
    return f"{ms / 1000:8.1f}s"
