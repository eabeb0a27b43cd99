"""A recording as a Markdown report: what it holds, how it ended, and its log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO, Final

from amctl.dump.following import plain
from amctl.dump.summary import Summary, seconds_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from amctl.dump.following import Entry
    from amctl.telemetry.messages import Message

__all__ = ["LIMIT", "MarkdownWriter"]

LIMIT: Final = 1000
"""Transitions that are shown."""
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>|#~&])")


class MarkdownWriter:
    """Collects a report, and writes it at the end; a `DumpWriter`.

    Args:
        stream: Where to; left open.
        meta: What the recording says of itself.
        limit: Transitions to show at most; the first ones are shown.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        meta: Mapping[str, str] | None = None,
        limit: int | None = None,
    ) -> None:
        self._stream = stream
        self._limit = LIMIT if limit is None else limit
        self._summary = Summary(meta or {})
        self._log: list[tuple[int, str, str, str]] = []

    def write(self, message: Message) -> None:
        """Count one message, and note its line if there is room."""
        entry = self._summary.take(message)
        if entry is not None and len(self._log) < self._limit:
            self._log.append(_noted(entry))

    def finish(self) -> None:
        """Write the report."""
        for block in _report(self._summary, self._log):
            self._stream.write(block.encode("utf-8", "backslashreplace"))
        self._stream.flush()

    def abandon(self) -> None:
        """Forget it."""
        self._log.clear()


def _noted(entry: Entry) -> tuple[int, str, str, str]:
    tx = entry.tx
    return tx.time_ns, tx.machine_id, tx.id, entry.line


def _report(summary: Summary, log: Sequence[tuple[int, str, str, str]]) -> Iterator[str]:
    yield f"# {_text(summary.name)}\n\n"
    yield from _facts(summary)
    yield from _machines(summary)
    yield from _gaps(summary)
    yield f"\n## Transitions\n\nShowing {len(log)} of {summary.count}"
    yield ", seconds since the recording began.\n" if log else ".\n"
    if log:
        yield from _log(summary.first_ns, log)


def _facts(summary: Summary) -> Iterator[str]:
    rows = [
        *summary.facts(),
        ("pipe records", str(summary.pipes)),
        ("known to be missing", _lost(summary)),
        *((key, value) for key, value in summary.meta.items() if key != "name"),
    ]
    yield "| | |\n| --- | --- |\n"
    yield from (f"| {_text(key)} | {_text(value)} |\n" for key, value in rows)


def _lost(summary: Summary) -> str:
    if not summary.gaps:
        return "nothing"
    unknown = any(gap.count == 0 for gap in summary.gaps)
    return f"{'at least ' if unknown else ''}{summary.lost} messages"


def _machines(summary: Summary) -> Iterator[str]:
    yield "\n## Machines\n\n"
    yield "| machine | parent | states | transitions | from | to | active at the end |\n"
    yield "| --- | --- | --: | --: | --: | --: | --- |\n"
    for name, m in summary.machines.items():
        ends = [
            seconds_text(at - summary.first_ns) if at else "-" for at in (m.first_ns, m.last_ns)
        ]
        active = ", ".join(map(_text, m.active)) + (" (disposed of)" if m.gone_ns else "")
        cells = [_text(name), _text(m.schema.parent), len(m.schema.names), m.count, *ends, active]
        yield f"| {' | '.join(map(str, cells))} |\n"


def _gaps(summary: Summary) -> Iterator[str]:
    if not summary.gaps:
        return
    yield "\n## What is missing\n\n"
    yield from (f"- {_text(line)}\n" for line in summary.gap_texts())


def _log(first_ns: int, log: Sequence[tuple[int, str, str, str]]) -> Iterator[str]:
    width = min(30, max(len(machine) for _, machine, _, _ in log))
    lines = [
        f"{seconds_text(at - first_ns) if at else '-':>13}  {plain(machine):<{width}}  "
        f"{plain(line)}  {plain(id)}".rstrip()
        for at, machine, id, line in log
    ]
    ticks = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, ticks + 1)
    yield f"\n{fence}text\n"
    yield from (line + "\n" for line in lines)
    yield f"{fence}\n"


def _text(text: str) -> str:
    """A text in one line that means in Markdown what it says."""
    return _SPECIAL.sub(r"\\\1", plain(text)).replace("\\<", "&lt;").replace("\\&", "&amp;")
