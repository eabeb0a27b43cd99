"""A profile as https://www.speedscope.app reads it, in the reader's browser alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amctl.insight.profiles.model import Profile

__all__ = ["speedscope"]

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def speedscope(profile: Profile) -> str:
    """The file's text: one sampled profile, in microseconds."""
    frames = [
        {
            "name": frame.name,
            **({"file": frame.file} if frame.file else {}),
            **({"line": frame.line} if frame.line else {}),
        }
        for frame in profile.frames
    ]
    weights = [stack.microseconds for stack in profile.stacks]
    name = f"{profile.target}, {profile.seconds:g} s by {profile.how}"
    return json.dumps(
        {
            "$schema": _SCHEMA,
            "name": name,
            "exporter": "amctl",
            "activeProfileIndex": 0,
            "shared": {"frames": frames},
            "profiles": [
                {
                    "type": "sampled",
                    "name": name,
                    "unit": "microseconds",
                    "startValue": 0,
                    "endValue": sum(weights),
                    "samples": [list(stack.frames) for stack in profile.stacks],
                    "weights": weights,
                }
            ],
        },
        separators=(",", ":"),
    )
