"""Progress: what is being done and how much is left, on a terminal alone."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amctl.cli.options import GlobalOptions
    from amctl.run.report import Progress

__all__ = ["WORDS", "share", "steps"]

WORDS = {
    "begin": "starting Python under Node",
    "stdlib": "compiling Python's library",
    "app": "compiling our code",
    "snapshot": "taking a memory image",
    "compress": "compressing",
}
"""What the builder calls a step -> what a person reads."""


@contextlib.contextmanager
def steps(options: GlobalOptions) -> Iterator[Progress]:
    """Show steps on stderr while the context lasts: bars on a terminal, else a line each for -v."""
    console = options.stderr()
    if options.quiet or not console.is_interactive:
        yield _lines(options)
        return
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    label = TextColumn("{task.description:<28}")
    columns = (label, BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, transient=True) as bars:

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                for earlier in tasks.values():  # `begin` is over when something else begins
                    bars.update(earlier, completed=bars.tasks[earlier].total)
                tasks[step] = bars.add_task(WORDS.get(step, step))
            bars.update(tasks[step], completed=done, total=total)

        yield show


@contextlib.contextmanager
def share(options: GlobalOptions, text: str) -> Iterator[Callable[[float], None]]:
    """One bar while the context lasts, on a terminal; it is told the share that is over, 0 to 1."""
    console = options.stderr()
    if options.quiet or not console.is_interactive:
        options.say(text, level=1)
        yield lambda done: None
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(text, total=1.0)
        yield lambda done: bar.update(task, completed=done)


def _lines(options: GlobalOptions) -> Progress:
    seen: set[str] = set()

    def show(step: str, done: int, total: int) -> None:
        if step not in seen:
            seen.add(step)
            options.say(WORDS.get(step, step), level=1)

    return show
