"""Ctrl-C once, and twice."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from amctl.run.signals import Stopper, stop_on_signals


async def test_the_first_asks_and_the_second_leaves_at_once() -> None:
    codes: list[int] = []
    calls: list[str] = []
    stopper = Stopper(codes.append)
    stopper.at_hard_exit(lambda: calls.append("first up"))
    stopper.at_hard_exit(lambda: 1 / 0)
    stopper.at_hard_exit(lambda: calls.append("last up"))
    stopper.ask()
    assert stopper.asked.is_set()
    assert (codes, calls) == ([], [])
    stopper.ask()
    assert codes == [130]
    assert calls == ["last up", "first up"]


@pytest.mark.realtime
async def test_under_nohup_a_closed_terminal_ends_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stopper = Stopper(lambda code: None)
        with stop_on_signals(stopper):
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(5):
                await stopper.asked.wait()
        assert stopper.asked_by == "SIGTERM"
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.realtime
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_signals_ask(number: signal.Signals) -> None:
    stopper = Stopper(lambda code: None)
    with stop_on_signals(stopper):
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5):
            await stopper.asked.wait()
