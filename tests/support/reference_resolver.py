"""The relation resolver once more, as the text has it: over lists of names, without any mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.machine import Schema

__all__ = ["exits", "resolve"]


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


def resolve(schema: Schema, kind: str, called: list[str], active: list[str]) -> list[str]:
    """Target states in order (REL-1..9)."""
    if kind == "add":
        items = _unique([*called, *active])
    elif kind == "remove":
        items = [s for s in active if s not in called]
    else:
        items = _unique(called)

    def implied(items: list[str]) -> list[str]:
        out = list(items)
        for s in items:
            if s in active and not schema[s].multi:
                continue
            out += [
                n for n in schema[s].add if n in schema and not (kind == "remove" and n in called)
            ]
        return out

    items = _required(schema, _unique(implied(items)))
    blocked: list[str] = []
    kept: list[str] = []
    for s in reversed(items):
        if any(s in schema[o].remove and o not in blocked for o in items):
            blocked.append(s)
        else:
            kept.append(s)
    removed = {n for s in kept for n in schema[s].remove}
    items = _unique(s for s in implied(kept) if s not in removed)
    return _sorted(schema, _required(schema, items[::-1]))


def exits(schema: Schema, targets: list[str], active: list[str]) -> list[str]:
    """Who leaves, in order (REL-12)."""
    return _sorted(schema, [s for s in active if s not in targets])


def _required(schema: Schema, items: list[str]) -> list[str]:
    while True:
        left = [s for s in items if all(n in items for n in schema[s].require)]
        if left == items:
            return items
        items = left


def _positions(schema: Schema) -> dict[str, int]:
    order: list[str] = []

    def visit(s: str, path: tuple[str, ...]) -> bool:
        if s in path:
            return False
        if s in order:
            return True
        if not all(visit(n, (*path, s)) for n in schema[s].require if n in schema):
            return False
        order.append(s)
        return True

    if not all(visit(s, ()) for s in schema if schema[s].require):
        return {}
    return {s: i for i, s in enumerate(order)}


def _sorted(schema: Schema, items: list[str]) -> list[str]:
    positions = _positions(schema)
    items = sorted(items, key=lambda s: positions.get(s, -1))
    for start in range(1, len(items)):
        at = start
        while at:
            left, here = items[at - 1], items[at]
            if here not in schema[left].after or left in schema[here].after:
                break
            items[at - 1], items[at] = here, left
            at -= 1
    return items
