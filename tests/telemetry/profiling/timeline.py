"""A timeline of tests: its clock ticks by one at each look."""

from __future__ import annotations

__all__ = ["FakeTimeline"]


class FakeTimeline:
    """Keeps what it is told."""

    thread = "worker-7"

    def __init__(self) -> None:
        self.told: list[tuple[str, float, float]] = []
        self.time = -1.0

    def now(self) -> float:
        """One more than before."""
        self.time += 1
        return self.time

    def measure(self, name: str, begin: float, end: float) -> None:
        """Keep it."""
        self.told.append((name, begin, end))

    def clear_measures(self) -> None:
        """Forget them."""
        self.told.clear()

    can_tick = True
    tick = 0.0
    ticks: tuple[float, int] | None = None
    """Interval and signal, while it ticks."""

    def begin_ticks(self, seconds: float, number: int) -> None:
        """Keep it."""
        self.ticks = seconds, number

    def tick_time(self) -> float:
        """As set."""
        return self.tick

    def end_ticks(self) -> None:
        """Forget it."""
        self.ticks = None
