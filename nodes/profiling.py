"""Lets `amctl profile` look into the process, or the browser thread, that a node runs in.

What it takes is imported when somebody asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.rpc.asking import register

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amctl.machine import MachineView

__all__ = ["offer_profile"]


def offer_profile(
    measure: Callable[[str, float, float], object] | None = None,
    now: Callable[[], float] = lambda: 0.0,
) -> None:
    """Answer the question `profile` in this process from now on.

    Args:
        measure: Of a browser: puts a span with begin and end on the page's timeline.
        now: That timeline's clock.
    """

    def first(source: MachineView, params: Mapping[str, Any]) -> Any:
        from amctl.telemetry.profiling.answering import offer

        return offer(measure, now).answer(source, params)

    register("profile", first)
