"""One line of a machine's log, as data; and those that say what relations decided."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from amctl.machine._replay import missing_names, replay
from amctl.machine.plan import AUTO, CHECK_ADD, CHECK_REMOVE, RELATION_KIND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from amctl.machine._replay import Replay
    from amctl.machine.compiled import Compiled
    from amctl.machine.transition import Transition

__all__ = [
    "CHANGES",
    "DECISIONS",
    "EVERYTHING",
    "OPS",
    "USER",
    "LogLine",
    "auto_lines",
    "line",
    "relation_lines",
    "stack",
]

USER, CHANGES, OPS, DECISIONS, EVERYTHING = 1, 2, 3, 4, 5
"""Levels of lines."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a machine's log; the machine's id isn't part of it."""

    level: int
    """1 user messages, 2 changes, 3 operations, 4 decisions, 5 everything."""
    text: str

    def full(self, machine_id: str) -> str:
        """As people read it, with the first characters of the machine's id in front (LOG-1)."""
        return f"[{machine_id[:5]}] {self.text}"


@lru_cache(maxsize=4096)
def line(level: int, tag: str, names: tuple[str, ...], suffix: str = "") -> LogLine:
    """`[tag] A B`, kept for its next time."""
    return LogLine(level, f"[{tag}] {' '.join(names)}{suffix}")


@lru_cache(maxsize=1024)
def relation_lines(
    schema: Compiled, kind: int, called: tuple[int, ...], active: tuple[int, ...], again: bool
) -> tuple[LogLine, ...]:
    """What relations decided about a call, kept for its next time.

    Args:
        schema: What they say.
        kind: Of a plan.
        called: Indexes in the order of the call.
        active: Indexes in the machine's own order.
        again: Of the second resolution of an auto transition (TX-7), which has less to say.
    """
    found = replay(schema, RELATION_KIND[kind], called, active)
    is_auto = kind == AUTO
    lines = [*_rejected(schema, found.rejects[0], is_auto), *_blocked(schema, found)]
    lines += _rejected(schema, found.rejects[1], is_auto)
    if again:
        return tuple(lines)
    implied = [i for i in found.targets if i not in found.base]
    if implied:
        lines.append(LogLine(OPS, f"[implied] {_names(schema, implied)}"))
    return tuple(lines)


def auto_lines(tx: Transition) -> Iterator[LogLine]:
    """Auto states that are not tried behind a transition, since an active state removes them."""
    machine = tx.machine
    schema, config = machine._compiled, machine._config
    if tx.plan.kind in (AUTO, CHECK_ADD, CHECK_REMOVE) or tx.is_health or not tx.changed:
        return
    for i, name in enumerate(schema.names):
        if (schema.auto & ~config.mask) >> i & 1:
            by = [j for j in config.order if schema.remove[j] >> i & 1]
            if by:
                yield LogLine(EVERYTHING, f"[auto:rel:remove] {name} by {_names(schema, by)}")


def stack() -> str:
    """Where the present call comes from, without the engine's own part."""
    from traceback import extract_stack, format_list

    own = __file__.removesuffix("_line.py")
    frames = extract_stack()
    while frames and frames[-1].filename.startswith(own):
        del frames[-1]
    return "".join(format_list(frames)).rstrip()


def _blocked(schema: Compiled, found: Replay) -> Iterator[LogLine]:
    for i, by in found.blocked.items():
        level = OPS if i in found.active else DECISIONS
        yield LogLine(level, f"[rel:remove] {schema.names[i]} by {_names(schema, by)}")


def _rejected(
    schema: Compiled, rejects: Mapping[int, Sequence[int]], is_auto: bool
) -> Iterator[LogLine]:
    parts = []
    for i, missing in rejects.items():
        lacks = " ".join([f"-{name}" for name in missing_names(schema, i, missing)])
        parts.append(f"{schema.names[i]}({lacks})")
    if parts:
        tag, level = ("reject:auto", DECISIONS) if is_auto else ("reject", OPS)
        yield LogLine(level, f"[{tag}] {' '.join(parts)}")


def _names(schema: Compiled, indexes: Iterable[int]) -> str:
    return " ".join([schema.names[i] for i in indexes])
