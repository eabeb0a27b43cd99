"""Lets `amctl profile` look into the process, or the browser thread, that a node runs in.

What it takes is imported when somebody asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.rpc.asking import register

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amctl.machine import MachineView
    from amctl.telemetry.profiling.marks import Timeline

__all__ = ["offer_profile"]


def offer_profile(timeline: Callable[[], Timeline] | None = None) -> None:
    """Answer the question `profile` in this process from now on.

    Args:
        timeline: Of a browser, asked when somebody asks: where handlers show as spans and ticks
            come from while a profile is taken.
    """

    def first(source: MachineView, params: Mapping[str, Any]) -> Any:
        from amctl.telemetry.profiling.answering import offer

        return offer(timeline and timeline()).answer(source, params)

    register("profile", first)
