"""A playbook's run in a terminal: lines as tasks end, what is under way below them, the recap."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text

from amctl.repl.playbook.results import COUNTED, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TextIO

    from amctl.repl.playbook.errors import Problem
    from amctl.repl.playbook.results import PlayReport, Recap, TaskResult

__all__ = [
    "PlayView",
    "file_console",
    "machine_lines",
    "problem_lines",
    "recap_lines",
    "result_lines",
    "task_lines",
]

_INK: Final = {
    Status.OK: "green",
    Status.CHANGED: "yellow",
    Status.CANCELED: "red",
    Status.TIMEOUT: "red",
    Status.UNREACHABLE: "red",
    Status.FAILED: "red",
    Status.SKIPPED: "bright_black",
    Status.UNKNOWN: "magenta",
}
_NAMES: Final = 16
"""The narrowest column of machines."""
_STATUS: Final = max(map(len, Status))


def plain(text: str) -> str:
    """The text without what would steer a terminal: names come from elsewhere."""
    words = " ".join(text.split("\n"))
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)


class PlayView:
    """Shows a run. What is under way is shown on a terminal only.

    Args:
        console: Where lines go.
        diff: Show the clocks that moved.
        moving: Whether something may move on it.
    """

    def __init__(self, console: Console, *, diff: bool, moving: bool) -> None:
        self._console, self._diff = console, diff
        self._progress: Any = None
        self._row: Any = None
        self._left: list[str] = []
        self._title = ""
        self._moving = moving and console.is_interactive

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show what is under way while the context lasts."""
        if not self._moving:
            yield
            return
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
        self._progress = Progress(
            *columns, TimeElapsedColumn(), console=self._console, transient=True
        )
        with self._progress:
            yield
        self._progress = None

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Nothing moves while the context lasts: somebody is asked something."""
        if self._progress is not None:
            self._progress.stop()
        try:
            yield
        finally:
            if self._progress is not None:
                self._progress.start()

    def line(self, text: Text | str = "") -> None:
        """One line."""
        line = Text(text) if isinstance(text, str) else text
        if self._console.is_terminal:
            self._console.print(line, soft_wrap=True)
        else:
            print(line.plain.rstrip(), file=self._console.file, flush=True)

    # -- an observer

    def play(self, title: str, machines: Sequence[str]) -> None:
        """A heading."""
        who = ", ".join(machines) or "no machine is left for it, or within the limit"
        self.line(
            Text.assemble(("PLAY", "bold"), f"  {plain(title)}  ", (plain(who), "bright_black"))
        )

    def task(self, title: str, machines: Sequence[str]) -> None:
        """A smaller heading."""
        self.line(Text.assemble(("TASK", "bold"), f"  {plain(title)}"))
        self._title, self._left = plain(title), list(machines)
        self._move()

    def result(self, result: TaskResult) -> None:
        """A line for a machine, or several."""
        for line in result_lines(result, diff=self._diff):
            self.line(line)
        if result.machine in self._left and result.item is None:
            self._left.remove(result.machine)
        self._move()

    def _move(self) -> None:
        if self._progress is None:
            return
        if self._row is not None:
            self._progress.remove_task(self._row)
            self._row = None
        if self._left:
            text = f"{self._title}: {plain(', '.join(self._left))}"
            self._row = self._progress.add_task(text[: max(20, self._console.width - 14)])


def result_lines(result: TaskResult, *, diff: bool) -> Iterator[Text]:
    """What came of a task on one machine."""
    did = result.did
    line = Text.assemble("  ", (f"{result.status:<{_STATUS}}", _INK[result.status]))
    line.append(f"  {plain(result.machine)}")
    if result.item is not None:
        line.append(f"  ({plain(str(result.item))})", "bright_black")
    if sum(did.before.values()) != sum(did.after.values()):
        line.append(f"  {sum(did.before.values())} -> {sum(did.after.values())}")
    if result.attempts > 1:
        line.append(f"  after {result.attempts} attempts")
    if did.reason:
        line.append(f"  {plain(did.reason)}")
    if result.ignored:
        line.append("  (ignored)", "bright_black")
    yield line
    if diff:
        width = max(map(len, did.moved), default=0)
        for state, (before, after) in did.moved.items():
            sign = "+" if after & 1 else "-"
            if before & 1 == after & 1:
                sign = "*"
            yield Text(f"      {sign} {plain(state):<{width}}  {before} -> {after}")
    yield from (Text(f"      {plain(one)}", "bright_black") for one in did.lines)


def recap_lines(report: PlayReport) -> list[Text]:
    """The table of CLI.md; in check mode with a column for what nobody knows."""
    columns = [*COUNTED, *([Status.UNKNOWN] if report.is_check else [])]
    width = max([_NAMES, *(len(plain(row.machine)) for row in report.recaps)])
    head = Text("RECAP".ljust(width), "bold")
    for status in columns:
        head.append(f"  {status.value}")
    lines = [head.append("   time")]
    return [*lines, *(_row(row, columns, width) for row in report.recaps)]


def _row(row: Recap, columns: Iterable[Status], width: int) -> Text:
    line = Text(plain(row.machine).ljust(width))
    for status in columns:
        count = row.counts[status]
        line.append(f"  {count:>{len(status.value)}}", _INK[status] if count else "bright_black")
    return line.append(f"   {row.time_before} -> {row.time_after}")


def problem_lines(problems: Iterable[Problem]) -> Iterator[str]:
    """What is wrong with a playbook, each with its line and a mark below it."""
    for problem in problems:
        yield f"error: {plain(str(problem))}"
        if problem.source and problem.place.column:
            yield f"  {plain(problem.source.rstrip())}"
            yield f"  {' ' * (problem.place.column - 1)}^"
        if problem.hint:
            yield f"hint: {plain(problem.hint)}"


def task_lines(plays: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The plays and tasks of `--list-tasks`."""
    for play in plays:
        yield f"PLAY  {plain(play['play'])}  {plain(play['pattern'])}"
        for task in play["tasks"]:
            tags = f"  [{', '.join(task['tags'])}]" if task["tags"] else ""
            indent = "  " * (task["depth"] + 1)
            yield f"{indent}{plain(task['task'])}  {plain(task['place'])}{plain(tags)}"


def machine_lines(plays: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The plays and machines of `--list-machines`."""
    for play in plays:
        yield f"PLAY  {plain(play['play'])}  {plain(play['pattern'])}"
        yield from (f"  {plain(machine)}" for machine in play["machines"])


def file_console(file: TextIO) -> Console:
    """A console that writes a file."""
    return Console(file=file, no_color=True, force_terminal=False, highlight=False)
