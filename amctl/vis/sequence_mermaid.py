"""A sequence as a Mermaid `sequenceDiagram`: one message per step (vis.md 7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amctl.vis.sequence import utc_text
from amctl.vis.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.vis.sequence import Sequence

__all__ = ["render_mermaid"]

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*", re.ASCII)
_KEYWORDS = frozenset(
    (
        "activate",
        "actor",
        "alt",
        "and",
        "as",
        "autonumber",
        "box",
        "break",
        "create",
        "critical",
        "deactivate",
        "destroy",
        "else",
        "end",
        "left",
        "link",
        "links",
        "loop",
        "note",
        "opt",
        "option",
        "over",
        "par",
        "participant",
        "rect",
        "right",
        "title",
    )
)
"""Words that Mermaid would read as something else, in any case."""
_CODED = re.compile(r"[#;<>&\"%{}]")


def render_mermaid(sequence: Sequence, *, brief: bool = False, group: str | None = None) -> str:
    """The text of a Mermaid diagram.

    Args:
        sequence: What to draw.
        brief: One message per row and state, with the row's count, where each row is new.
        group: Only states of this group of the machine's schema.

    Raises:
        UnknownGroupError: The machine has no such group.
    """
    shown = sequence.members(group)
    names = [actor.name for actor in sequence.actors if actor.name in shown]
    ids = {name: _id(name, number) for number, name in enumerate(names)}
    lines = [
        "sequenceDiagram",
        f"    %% {_comment(f'{sequence.machine} {sequence.title}')}",
        f"    %% {_comment('; '.join(sequence.facts))}",
        f"    %% {utc_text(sequence.time_ns)} {_comment(sequence.url)}",
    ]
    for name in names:
        alias = "" if ids[name] == name else f" as {_coded(name)}"
        lines.append(f"    participant {ids[name]}{alias}")
    for source, target, label in _messages(sequence, brief, group):
        lines.append(f"    {ids[source]} ->> {ids[target]}: {_coded(label)}")
    return "\n".join(lines) + "\n"


def _messages(sequence: Sequence, brief: bool, group: str | None) -> Iterator[tuple[str, str, str]]:
    for row in sequence.rows(brief=brief, group=group):
        times = f" x{row.times}" if row.times > 1 else ""
        for target in row.targets:
            yield row.source or target, target, (row.handler or row.kind) + times


def _id(name: str, number: int) -> str:
    """The name itself where Mermaid takes it, else a made-up one that no state can have."""
    plain = _WORD.fullmatch(name) and name.lower() not in _KEYWORDS
    return name if plain else f"s_{number}"


def _coded(text: str) -> str:
    """Text with entity codes for what has a meaning in Mermaid; never blank."""
    return _CODED.sub(lambda m: f"#{ord(m[0])};", clean(text)).strip() or "#160;"


def _comment(text: str) -> str:
    return clean(text).replace("%%", "% %")
