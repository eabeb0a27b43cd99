"""Which handlers a transition looks for, whether they exist or not (HND-13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.machine.plan import AUTO, RELATION_KIND
from amctl.machine.relations import REMOVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.machine.transition import Transition

__all__ = ["Candidate", "candidates"]

Candidate = tuple[str, str]
"""A binding's id, and a name without the binding's prefix."""


def candidates(tx: Transition) -> Iterator[Candidate | None]:
    """Each name with each binding that it is offered to; None where clocks move.

    To be read as far as the transition has come: vetoes up to then are heeded.
    """
    yield from _negotiation(tx)
    yield None  # nobody reads on when they don't move
    for name in (*(f"{n}End" for n in tx.exits), *(f"{n}State" for n in tx.enters), "AnyState"):
        yield from _offered(tx, name)


def _negotiation(tx: Transition) -> Iterator[Candidate]:
    plan, names = tx.plan, tx.machine.names
    targets = list(plan.targets)
    for i in plan.exits:
        yield from _offered(tx, f"{names[i]}Exit")
    for i in plan.enters:
        yield from _asked(tx, f"{names[i]}Enter", i, targets)
    at = 0
    while at < len(targets) and RELATION_KIND[plan.kind] != REMOVE:
        i = targets[at]
        if plan.config.mask >> i & 1:
            yield from _asked(tx, names[i] * 2, i, targets)
        at += 1
    for x in plan.config.order:
        at = 0
        while at < len(targets):
            if (y := targets[at]) != x:
                yield from _asked(tx, names[x] + names[y], y, targets)
            at += 1
    yield from _offered(tx, "AnyEnter")


def _asked(tx: Transition, name: str, i: int, targets: list[int]) -> Iterator[Candidate]:
    """What an auto state vetoes goes on without it, as the transition does (NEG-3)."""
    yield from _offered(tx, name)
    if tx.plan.kind == AUTO and i in targets and _is_vetoed(tx, name):
        targets.remove(i)


def _offered(tx: Transition, name: str) -> Iterator[Candidate]:
    for binding in tx.machine._bindings:
        if name.startswith(binding.prefix):
            yield binding.id, name[len(binding.prefix) :]
            if _is_vetoed(tx, name):
                return


def _is_vetoed(tx: Transition, name: str) -> bool:
    if tx.failure is not None and tx.failure[1].name == name:
        return True
    return bool(tx.vetoes) and tx.vetoes[-1][1].name == name
