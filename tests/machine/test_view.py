"""The seam that local machines and mirrors share."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from amctl.machine import BatchOp, Machine, MachineView, MutationType
from tests.machine.tools import mach

if TYPE_CHECKING:
    from collections.abc import Callable

MEMBERS = [n for n in vars(MachineView) if not n.startswith("_")]


def _parameters(fn: Callable[..., object]) -> list[tuple[str, object, object]]:
    """Name, kind and default of each; names of positional-only ones are free."""
    out: list[tuple[str, object, object]] = []
    for p in list(inspect.signature(fn).parameters.values())[1:]:
        free = p.kind is p.POSITIONAL_ONLY or p.name == "callback"
        out.append(("" if free else p.name, p.POSITIONAL_ONLY if free else p.kind, p.default))
    return out


@pytest.mark.parametrize("name", MEMBERS)
def test_a_machine_has_every_member(name: str) -> None:
    declared = vars(MachineView)[name]
    m = mach("A")
    found = getattr(m, name)
    assert callable(found) is not isinstance(declared, property)
    if callable(found):
        method = getattr(Machine, name)
        assert _parameters(method) == _parameters(declared)
        assert inspect.iscoroutinefunction(method) is inspect.iscoroutinefunction(declared)


def test_the_protocol_is_not_empty() -> None:
    assert {"when", "mutate", "batch", "pipes", "is_local"} <= set(MEMBERS)


async def test_a_batch_of_plain_tuples_will_do() -> None:
    m = mach("A B")
    op = BatchOp(MutationType.ADD, ("A",))
    assert (op.args, op.source) == (None, None)
    results = await m.batch([op, BatchOp(MutationType.SET, ("B",), {"x": 1})])
    assert [r.executed for r in results] == [True, True]
    assert m.active == ["B"]


async def test_a_batch_is_one_uninterrupted_run() -> None:
    m = mach("A B")
    seen: list[str] = []
    m.bind({"AState": lambda _: seen.append("A"), "BState": lambda _: seen.append("B")})
    m.spawn(m.mutate(MutationType.REMOVE, "A"))
    await m.batch([BatchOp(MutationType.ADD, ("A",)), BatchOp(MutationType.ADD, ("B",))])
    assert (seen, m.is_("A")) == (["A", "B"], True)
    await m.when_not("A")
