"""How a profile is told: its handlers, and the functions that took most time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from amctl.cli.options import GlobalOptions
    from amctl.insight.profiles.model import Profile, Weight

__all__ = ["as_data", "show_profile"]

_MOST_DATA = 50


def as_data(found: Profile, files: Sequence[Path]) -> dict[str, Any]:
    """Plain data for `--json`; times of handlers and functions in microseconds."""

    def rows(weights: Sequence[Weight]) -> list[dict[str, Any]]:
        return [
            {"name": w.frame.name, "file": w.frame.file, "line": w.frame.line,
             "own_us": w.own, "total_us": w.total}
            for w in weights
        ]  # fmt: skip

    return {
        "target": found.target,
        "how": found.how,
        "seconds": found.seconds,
        "busy": round(found.busy, 6),
        "idle": found.idle,
        "samples": found.samples,
        "handlers": rows(found.handlers()),
        "functions": rows([w for w in found.weights() if not w.frame.is_handler][:_MOST_DATA]),
        "spans": len(found.spans),
        "files": [str(path) for path in files],
    }


def show_profile(found: Profile, options: GlobalOptions, most: int = 10) -> None:
    """One line for people on stderr, then a table of handlers and one of functions."""
    busy = found.busy
    share = f"{100 * busy / found.seconds:.0f} %" if found.seconds else "0 %"
    options.say(
        f"{found.target}: busy {busy:.2f} of {found.seconds:.1f} s ({share}), "
        f"{found.samples} samples by {found.how}"
    )
    console = options.stderr()
    functions = [w for w in found.weights() if not w.frame.is_handler and w.own]
    if not options.quiet:
        for title, weights, own in (
            ("handlers", found.handlers()[:most], False),
            ("functions", functions[:most], True),
        ):
            if weights:
                console.print(_table(title, weights, busy, own=own))


def _table(title: str, weights: Sequence[Weight], busy: float, *, own: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("%", justify="right", no_wrap=True)
    table.add_column(title, overflow="fold")
    for weight in weights:
        time = weight.own if own else weight.total
        frame = weight.frame
        where = "" if frame.is_handler or not frame.file else f"  {frame.file}:{frame.line}"
        share = 100 * time / (busy * 1e6) if busy else 0.0
        name = Text.assemble(frame.name, (where, "dim"))
        table.add_row(f"{time / 1e3:.1f}", f"{share:.1f}", name)
    return table
