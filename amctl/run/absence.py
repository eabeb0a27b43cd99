"""Notices a page that nobody will reload: its threads have gone, and none comes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.telemetry.recorder import Recorder

__all__ = ["all_gone"]


async def all_gone(recorder: Recorder, nodes: Iterable[str], patience: float) -> None:
    """Wait until all nodes have been away for a while, after at least one of them was here.

    Cancelling the wait is safe.

    Args:
        recorder: Knows who is here.
        nodes: Their ids.
        patience: Seconds for which all of them must be away.
    """
    ids = frozenset(nodes)
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()
    unsubscribe = recorder.subscribe(changed.set)
    met, since = False, None
    try:
        while True:
            changed.clear()
            states = {each.state for each in recorder.snapshot().lights if each.id in ids}
            met = met or not states.isdisjoint({"up", "down"})
            if not met or states & {"up", "wait"}:
                since = None
            elif since is None:
                since = loop.time()
            try:
                async with asyncio.timeout_at(None if since is None else since + patience):
                    await changed.wait()
            except TimeoutError:
                return
    finally:
        unsubscribe()
