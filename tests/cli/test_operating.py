"""Signals while machines are being reached."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from amctl.cli import _operating


@pytest.mark.realtime
async def test_a_second_signal_does_not_wait_for_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(_operating, "_leave", left.append)

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(10)
        finally:
            assert left == []
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.01)  # the goodbyes go on, if nobody leaves

    async def command() -> None:
        with pytest.raises(KeyboardInterrupt), _operating._cancelled_by_signals():
            await work()

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        await asyncio.ensure_future(command())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert left == [130]
