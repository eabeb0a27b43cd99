"""A profile as https://www.speedscope.app reads it, in the reader's browser alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.insight.profiles.model import Profile, Span

__all__ = ["speedscope"]

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def speedscope(profile: Profile) -> str:
    """The file's text: the samples, and beside them handlers as they followed on each other."""
    frames: list[dict[str, Any]] = [
        {
            "name": frame.name,
            **({"file": frame.file} if frame.file else {}),
            **({"line": frame.line} if frame.line else {}),
        }
        for frame in profile.frames
    ]
    name = f"{profile.target}, {profile.seconds:g} s by {profile.how}"
    profiles = [_sampled(profile, name)]
    nested = list(_nested(profile.spans))
    if nested:
        profiles.append(_evented(nested, f"{profile.target}, handlers", frames))
    return json.dumps(
        {
            "$schema": _SCHEMA,
            "name": name,
            "exporter": "amctl",
            "activeProfileIndex": 0,
            "shared": {"frames": frames},
            "profiles": profiles,
        },
        separators=(",", ":"),
    )


def _sampled(profile: Profile, name: str) -> dict[str, Any]:
    weights = [stack.microseconds for stack in profile.stacks]
    return {
        "type": "sampled",
        "name": name,
        "unit": "microseconds",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": [list(stack.frames) for stack in profile.stacks],
        "weights": weights,
    }


def _evented(spans: Sequence[Span], name: str, frames: list[dict[str, Any]]) -> dict[str, Any]:
    """Opens and closes; adds the frames it needs."""
    index: dict[str, int] = {}
    events: list[dict[str, Any]] = []
    open_: list[Span] = []

    def close(until: float) -> None:
        while open_ and _end(open_[-1]) <= until:
            span = open_.pop()
            events.append({"type": "C", "frame": index[span.name], "at": _end(span)})

    for span in spans:
        close(span.begin)
        if span.name not in index:
            index[span.name] = len(frames)
            frames.append({"name": span.name})
        events.append({"type": "O", "frame": index[span.name], "at": span.begin})
        open_.append(span)
    close(float("inf"))
    last = max(map(_end, spans))
    return {
        "type": "evented", "name": name, "unit": "microseconds",
        "startValue": 0, "endValue": last, "events": events,
    }  # fmt: skip


def _nested(spans: Sequence[Span]) -> Iterator[Span]:
    """Those that lie within or beside all others; coroutines that cross others are left out."""
    around: list[Span] = []
    for span in spans:
        while around and _end(around[-1]) <= span.begin:
            around.pop()
        if not around or _end(span) <= _end(around[-1]):
            around.append(span)
            yield span


def _end(span: Span) -> int:
    return span.begin + span.microseconds
