"""The table of starts."""

from __future__ import annotations

from amctl.bench.start import Sample, StartFigures
from amctl.cli.views.starts import start_lines


def test_each_way_has_a_column_and_each_ratio_its_goal() -> None:
    figures = StartFigures(
        [
            Sample("stock", 6000.0, 4000.0, 7000.0, 90.0, 413.0),
            Sample("pyc", 2000.0, 1100.0, 3000.0, 80.0, 488.0),
            Sample("snapshot", 1500.0, 500.0, 2000.0, 70.0, 330.0),
        ]
    )
    rows = [" ".join(line.split()) for line in start_lines(figures)]
    assert rows == [
        "medians of 1 stock pyc snapshot",
        "ms to Python in all threads, first load 6,000 2,000 1,500",
        "ms to Python in all threads, reload 4,000 1,100 500",
        "ms to all nodes ready, first load 7,000 3,000 2,000",
        "ms of one round without faults 90 80 70",
        "MB of the browser's renderers 413 488 330",
        "snapshot of stock, first load 0.250 0.19 or less",
        "snapshot of stock, reload 0.125 0.172 or less",
    ]
