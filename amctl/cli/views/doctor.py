"""How findings and settings look on a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from amctl.cli.views.machines import Grid
from amctl.run.doctor.finding import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.cli.options import GlobalOptions
    from amctl.run.doctor.finding import Finding
    from amctl.run.settings import Settings

__all__ = ["show_findings", "show_settings"]

_STYLES = {Status.OK: "green", Status.NOTE: "cyan", Status.WARN: "yellow", Status.BAD: "bold red"}


def show_findings(findings: Sequence[Finding], options: GlobalOptions) -> None:
    """One row for each, what to do below it, and a last line that counts."""
    console = options.stdout()
    grid = Grid(("", "", "", ""), folds=True)
    area = ""
    for finding in findings:
        if options.quiet and finding.status in (Status.OK, Status.NOTE):
            continue
        mark = Text(finding.status.value, style=_STYLES[finding.status])
        shown = finding.area if finding.area != area else ""
        area = finding.area
        grid.rows.append((mark, Text(shown), Text(finding.name), Text(finding.detail)))
        if finding.mend:
            mend = Text(f"mend: {finding.mend}", style="bold")
            grid.rows.append((Text(), Text(), Text(), mend))
    if grid.rows and console.is_terminal:
        console.print(*grid.drawn())
    elif grid.rows:
        print(*grid.lines(head=False), sep="\n")
    counts = Counter(finding.status for finding in findings)
    words = [f"{counts[status]} {status.value}" for status in Status if counts[status]]
    options.say(", ".join(words) or "nothing was looked at")


def show_settings(settings: Settings, options: GlobalOptions) -> None:
    """Each key, its value, and where that came from; those that somebody set first."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("key", "value", "from"):
        table.add_column(name, overflow="fold")
    for key in sorted(settings, key=lambda key: settings.value(key).origin == "default"):
        table.add_row(key, Text(settings[key]), settings.value(key).origin)
    options.stdout().print("", table)
