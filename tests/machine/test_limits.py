"""Rarely used options: each of them is honoured (LIM-1)."""

from __future__ import annotations

import asyncio
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from amctl.machine import Limits
from tests.machine.tools import Log, boom, mach


def test_defaults_are_the_originals() -> None:
    limits = Limits()
    assert (limits.handler_deadline, limits.handler_backoff) == (10, 3)
    assert (limits.dispose_timeout, limits.catch) == (1, True)
    with pytest.raises(FrozenInstanceError):
        limits.plans = 3  # type: ignore[misc]


@pytest.mark.parametrize("name", ["AEnter", "AState"])
def test_pan_1_without_catch_the_caller_gets_the_error(name: str) -> None:
    m = mach("A B", limits=Limits(catch=False), handlers={name: boom})
    with pytest.raises(ValueError, match="boom"):
        m.add("A")
    assert not m.is_err()
    assert not m.is_busy
    assert m.add("B").executed


def test_without_catch_nobody_waits_for_ever() -> None:
    """What waited in the queue was dealt with, and the queue has ended."""
    m = mach("A B", limits=Limits(catch=False))
    found: list[Any] = []

    def state(_: Any) -> None:
        found.extend([m.when_queue(m.add("B")), m.when_queue_ends()])
        raise ValueError("boom")

    m.bind({"AState": state})
    with pytest.raises(ValueError, match="boom"):
        m.add("A")
    assert [s.done() for s in found] == [True, True]
    assert m.not_("B")


async def _ignores(_: Any) -> None:
    while True:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            if asyncio.get_running_loop().time() > 100:
                raise


async def test_pan_8_a_coroutine_that_ignores_its_end_is_given_up_after_the_deadline() -> None:
    m = mach("A", limits=Limits(handler_deadline=5, handler_backoff=2))
    errors = Log()
    errors.bind(m, "ExceptionState", AState=_ignores)
    m.add("A")
    await asyncio.sleep(1)
    m.remove("A")
    await asyncio.sleep(4.9)
    assert m.internal_errors == []
    await asyncio.sleep(0.2)
    assert "AState" in str(m.internal_errors[0])
    assert m.is_err()
    assert m.err is m.internal_errors[0]
    assert errors[-1] == "ExceptionState"
    await asyncio.sleep(100)
    await m._tasks.close()


async def test_pan_8_then_mutations_are_refused_for_a_while_but_set() -> None:
    m = mach("A B", limits=Limits(handler_deadline=5, handler_backoff=2))
    m.bind({"AState": _ignores})
    m.add("A")
    await asyncio.sleep(0)
    m.remove("A")
    await asyncio.sleep(5.1)
    refused = [m.add("B"), m.remove("Exception"), m.can_add("B"), m.can_remove("B")]
    refused += [m.add_err(ValueError("x")), m.toggle("B")]
    assert all(r.canceled for r in refused)
    assert m.set("B").executed
    await asyncio.sleep(2)
    assert m.add("A").executed
    await asyncio.sleep(100)
    await m._tasks.close()


async def test_pan_8_not_for_one_that_ends_in_time() -> None:
    async def tidies(_: Any) -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            await asyncio.sleep(4)

    m = mach("A", limits=Limits(handler_deadline=5), handlers={"AState": tidies})
    m.add("A")
    await asyncio.sleep(0)
    m.remove("A")
    await asyncio.sleep(20)
    assert m.internal_errors == []
    assert not m.is_err()


def test_no_plan_is_kept_when_none_may_be() -> None:
    m = mach("A", limits=Limits(plans=0))
    for _ in range(5):
        m.toggle("A")
    assert all(not c.plans and not any(c.known) for c in m._planner._configs.values())
    n = mach("A")
    for _ in range(5):
        n.toggle("A")
    assert any(c.plans for c in n._planner._configs.values())
