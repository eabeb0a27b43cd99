"""`--watch`: what is shown stays up to date until Ctrl-C."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from amctl.repl.errors import ReplError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.cli._mach_flags import Call
    from amctl.cli._mach_run import Job
    from amctl.cli.options import GlobalOptions
    from amctl.repl.command import Context

__all__ = ["watch"]

_FRAME = 0.2
"""Seconds between two looks."""
Row = dict[str, Any]


async def watch(context: Context, call: Call, job: Job, options: GlobalOptions) -> None:
    """Look again and again: a live table on a terminal, else the rows that have changed.

    It ends by being cancelled only, which is safe. Machines may come and go meanwhile.

    Raises:
        UsageError: The pattern or a filter is wrong.
    """
    if options.stdout().is_terminal and not call.shown.as_lines:
        await _live(context, call, job, options)
    else:
        await _lines(context, call, job)


async def _rows(context: Context, call: Call, job: Job) -> tuple[list[Row], str]:
    """What there is now, or why there is nothing."""
    try:
        return await job.gather(context, call), ""
    except UsageError:
        raise
    except ReplError as error:
        return [], str(error)


async def _live(context: Context, call: Call, job: Job, options: GlobalOptions) -> None:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    console = options.stdout()
    with Live(console=console, auto_refresh=False, vertical_overflow="ellipsis") as screen:
        size, last = console.size, None
        while True:
            rows, problem = await _rows(context, call, job)
            if (rows, problem) != last or console.size != size:
                if console.size != size:
                    # the terminal has broken the old frame's lines anew
                    console.clear()
                size, last = console.size, (rows, problem)
                grids = job.grids(call, rows) if rows else []
                parts = [part for grid in grids for part in grid.drawn()]
                screen.update(Group(*parts, Text(problem, "red") if problem else ""), refresh=True)
            await asyncio.sleep(_FRAME)


async def _lines(context: Context, call: Call, job: Job) -> None:
    from amctl.cli._mach_run import one_line

    told: dict[tuple[str, str], Row] = {}
    first = True

    def plain(row: Row) -> str:
        nonlocal first
        if job.lines is not None:
            return f"{row['id']}: {job.lines(call, [row])[0]}"
        grids = job.grids(call, [row])
        lines = [line for grid in grids for line in grid.lines(head=first and any(grid.head))]
        first = False
        return "\n".join(lines)

    text: Callable[[Row], str] = one_line if call.shown.as_lines else plain
    while True:
        rows, _ = await _rows(context, call, job)
        for row in rows:
            key = (row["id"], str(row.get("key", row.get("process", ""))))
            if told.get(key) != row:
                told[key] = row
                print(text(row), flush=True)
        await asyncio.sleep(_FRAME)
