"""What starts take, as a table: a column for each way to start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from amctl.bench.start import StartFigures

__all__ = ["start_lines"]

_ROWS: Final = {
    "cold_ms": "ms to Python in all threads, first load",
    "reload_ms": "ms to Python in all threads, reload",
    "network_ready_ms": "ms to all nodes ready, first load",
    "round_ms": "ms of one round without faults",
    "pss_mb": "MB of the browser's renderers",
}
_RATIOS: Final = {
    "cold_of_stock": "snapshot of stock, first load",
    "reload_of_stock": "snapshot of stock, reload",
}
_WIDTH = 42


def start_lines(figures: StartFigures) -> list[str]:
    """Medians of each way to start, then the ratios beside their goals."""
    told = figures.to_json()
    modes = list(dict.fromkeys(each.mode for each in figures.samples))
    count = len(figures.of(modes[0], "cold_ms"))
    heads = "".join(f"{mode:>10}" for mode in modes)
    lines = [f"{f'medians of {count}':<{_WIDTH}}{heads}"]
    for name, what in _ROWS.items():
        values = "".join(f"{told[mode][name]['median']:>10,.0f}" for mode in modes)
        lines.append(f"{what:<{_WIDTH}}{values}")
    for name, what in _RATIOS.items():
        lines.append(f"{what:<{_WIDTH}}{told[name]:>10.3f}  {told['goals'][name]:g} or less")
    return lines
