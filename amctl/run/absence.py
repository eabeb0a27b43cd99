"""Notices a page that nobody will reload: its threads were here, have gone, and none comes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.telemetry.recorder import Recorder

__all__ = ["all_gone", "has_joined"]


def has_joined(recorder: Recorder, nodes: Iterable[str]) -> bool:
    """Whether any of the nodes has joined, and not begun to load anew since."""
    return not _states(recorder, nodes).isdisjoint({"up", "down"})


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
            met = met or has_joined(recorder, ids)
            if not met or _states(recorder, ids) & {"up", "wait"}:
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


def _states(recorder: Recorder, nodes: Iterable[str]) -> set[str]:
    ids = frozenset(nodes)
    return {each.state for each in recorder.snapshot().lights if each.id in ids}
