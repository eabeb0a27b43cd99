"""Progress of a build: what it is doing and how much is left, on a terminal; lines elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from amctl.cli.options import GlobalOptions

__all__ = ["Steps"]


class Steps:
    """Shows named steps, one after the other, on stderr; nothing with -q.

    Use it as a context manager around the work.
    """

    def __init__(self, options: GlobalOptions) -> None:
        self._options = options
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._label = ""

    def __enter__(self) -> Self:
        console = self._options.stderr()
        if console.is_terminal and not self._options.quiet:
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self._progress = Progress(
                TextColumn("{task.description:<34}"),
                BarColumn(),
                TextColumn("{task.completed:.0f} of {task.total:.0f}"),
                TimeElapsedColumn(),
                console=console,
                transient=True,
            )
            self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def step(self, label: str, done: int = 0, total: int = 1) -> None:
        """The step it is in, and how far that has come."""
        if self._progress is None:
            if label != self._label:
                self._options.say(label)
        elif label != self._label or self._task is None:
            if self._task is not None:
                self._progress.update(self._task, visible=False)
            self._task = self._progress.add_task(label, total=total, completed=done)
        else:
            self._progress.update(self._task, completed=done, total=total)
        self._label = label
