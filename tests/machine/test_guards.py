"""Guards (ERR-8, FRK-2, HLP-14, HLP-15)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from amctl.machine import Limits
from amctl.machine.guards import Cond, LogForwarder, LoopGuard, Pool, catching
from amctl.machine.lines import USER, LineWriter
from tests.machine.tools import boom, mach


@pytest.mark.parametrize(
    ("cond", "holds"),
    [
        (Cond(), True),
        (Cond(is_=("A", "B")), True),
        (Cond(is_=("A", "C")), False),
        (Cond(any_=(("A", "C"), ("A", "B"))), True),
        (Cond(any_=(("A", "C"), ("C",))), False),
        (Cond(any1=("C", "B")), True),
        (Cond(any1=("C",)), False),
        (Cond(not_=("C",)), True),
        (Cond(not_=("C", "A")), False),
        (Cond(clock={"A": 1}), True),
        (Cond(clock={"A": 2}), False),
        (Cond(is_=("A",), not_=("B",)), False),
    ],
)
def test_hlp_14_conditions(cond: Cond, holds: bool) -> None:
    m = mach("A B C")
    m.add(["A", "B"])
    assert cond.check(m) is holds
    m.dispose_force()
    assert not cond.check(m)


def test_hlp_14_a_loop_ends_when_states_tick_too_often() -> None:
    now = [0.0]
    m = mach("A B", now=lambda: now[0])
    guard = LoopGuard(m, ["A"], ticks=10, window=1)
    for _ in range(20):  # slowly
        assert guard.ok()
        m.toggle("A")
        m.toggle("B")
        now[0] += 0.2
    turns = 0
    while guard.ok():
        m.toggle("A")
        turns += 1
    assert 5 <= turns <= 11
    now[0] += 2
    assert guard.ok()


def test_hlp_14_a_loop_ends_with_its_context_or_machine() -> None:
    m = mach("A")
    guard, free = LoopGuard(m, ["A"], m.state_context("A")), LoopGuard(m, ["A"])
    assert guard.ok()
    m.add("A")
    assert not guard.ok()
    assert free.ok()
    m.dispose_force()
    assert not free.ok()


def test_err_8_what_foreign_code_raises_becomes_exception(
    caplog: pytest.LogCaptureFixture,
) -> None:
    m = mach("ErrA", ErrA="require:Exception")
    with catching(m):
        boom(0)
    assert (str(m.err), m.is_err(), m.is_("ErrA")) == ("boom", True, False)
    with catching(m, "ErrA"):
        boom(0)
    assert m.is_("ErrA")
    with catching(m):
        pass
    assert m.tick("Exception") == 3


def test_err_8_not_when_failures_are_not_caught() -> None:
    m = mach("A", limits=Limits(catch=False))
    with pytest.raises(ValueError, match="boom"), catching(m):
        boom(0)
    assert not m.is_err()


async def test_frk_2_a_pool_has_limits_by_handler_and_of_all() -> None:
    m, seen = mach("A B", A="multi", B="multi"), []
    pool = Pool(m, 3)
    pool.set_limit("AState", 2)
    gate = asyncio.Event()

    async def work() -> None:
        await gate.wait()

    def state(e: Any) -> None:
        seen.append(pool.fork(e, work()) is not None)

    m.bind({"AState": state, "BState": state})
    for name in "AAABB":
        m.add(name)
    assert seen == [True, True, False, True, False]
    assert len(pool) == 3
    gate.set()
    await asyncio.sleep(0.1)
    assert len(pool) == 0
    m.add("A")
    assert seen[-1]
    m.dispose_force()


async def test_frk_2_without_a_limit_there_is_none_and_failures_are_errors(
    caplog: pytest.LogCaptureFixture,
) -> None:
    m, kept = mach("A", A="multi"), []
    pool = Pool(m)

    async def work() -> None:
        raise ValueError("boom")

    m.bind({"AState": lambda e: kept.append((e, pool.fork(e, work())))})
    m.add("A")
    m.add("A")
    assert len(pool) == 2
    await asyncio.sleep(0.1)
    assert (str(m.err), len(pool)) == ("boom", 0)
    assert pool.fork(kept[0][0], work()) is None  # an event that is over


def test_hlp_15_records_of_a_logger_go_to_the_machines_log() -> None:
    lines: list[str] = []
    m = mach("A", tracers=[LineWriter(USER, sink=lambda _, text: lines.append(text))])
    logger = logging.getLogger("tests.forwarded")
    handler = LogForwarder(m, logging.INFO)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        logger.info("100 %% of %s", "it")
        logger.debug("not this")
    finally:
        logger.removeHandler(handler)
    handler.emit(logging.LogRecord("amctl.machine", logging.INFO, "", 0, "own", (), None))
    assert lines == ["[m] [exter] 100 % of it"]


def test_hlp_15_a_record_that_can_not_be_written_is_python_loggings_matter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = LogForwarder(mach("A"))
    handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "%d", ("no number",), None))
    assert "Logging error" in capsys.readouterr().err
