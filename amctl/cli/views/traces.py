"""Traces in a terminal: which there are, and one as a tree with bars."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from rich.text import Text

from amctl.cli.views.words import INK, counted
from amctl.traces.reading import iso_time
from amctl.traces.text import clean, padded
from amctl.traces.timeline import duration_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amctl.cli.options import GlobalOptions
    from amctl.traces.reading import Summary
    from amctl.traces.waterfall import Line, Waterfall

__all__ = ["list_lines", "put_lines", "show_lines"]

_MUTED: Final = INK["muted"]
_SERVICES: Final = (
    "cyan",
    "yellow",
    "green",
    "magenta",
    "bright_blue",
    "bright_cyan",
    "bright_yellow",
)
"""Inks of services, in their order; by turns. Red is for errors."""
_ID: Final = 12


def put_lines(lines: Iterable[Text], options: GlobalOptions) -> None:
    """Print lines: on a terminal cut to its width, else plain and whole."""
    console = options.stdout()
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        if console.is_terminal:
            console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
        else:
            # names are from anywhere; what a pipe can't hold must not end it all
            print(line.plain.rstrip().encode(encoding, "backslashreplace").decode(encoding))


def list_lines(found: Sequence[Summary], *, whole: bool) -> Iterator[Text]:
    """A table: when, how long, how much, of whom.

    Args:
        found: The traces.
        whole: Ids in full, and all services; else what will do.
    """
    if not found:
        yield Text("no trace yet", _MUTED)
        return
    head = f"{'trace':<{32 if whole else _ID}}  {'started':<19}  {'took':>7}  {'spans':>7}"
    yield Text(f"{head}  {'errors':>6}  services", _MUTED)
    for one in found:
        id = one.trace_id if whole else one.trace_id[:_ID]
        when = iso_time(one.started_ns)[:19].replace("T", " ")
        took = duration_text(one.ended_ns - one.started_ns)
        line = Text.assemble(
            (id, "bold"), f"  {when}  {took:>7}  {one.spans:>7,}  ", (f"{one.errors:>6,}", "red")
        )
        if not one.errors:
            line.stylize(_MUTED, len(line) - 6)
        line.append(f"  {clean(', '.join(one.names))}")
        if one.lost:
            line.append(f"  {counted(one.lost, 'span')} lost", "red")
        yield line


def show_lines(waterfall: Waterfall) -> Iterator[Text]:
    """What the trace is, its rows with bars, and what the signs mean."""
    trace, look = waterfall.outline.trace, waterfall.look
    inks = {name: _SERVICES[i % len(_SERVICES)] for i, name in enumerate(trace.services)}
    took = duration_text(trace.ended_ns - trace.started_ns, ascii=look.ascii)
    yield _cut(Text.assemble(("trace ", _MUTED), (trace.trace_id, "bold")), look.columns)
    facts = f"{iso_time(trace.started_ns)[:19].replace('T', ' ')}, {took}, "
    facts += f"{counted(len(trace.spans), 'span')}, {counted(len(inks), 'service')}"
    head = Text(facts, _MUTED)
    if trace.errors:
        head.append(f", {counted(trace.errors, 'error')}", "red")
    yield _cut(head, look.columns)
    yield Text()
    shown: set[str] = set()
    for line in waterfall.lines():
        shown.add(line.tone)
        yield _line(line, inks, waterfall)
    yield Text()
    for text in _legend(waterfall, shown):
        yield _cut(Text(text, _MUTED), look.columns)


def _line(line: Line, inks: dict[str, str], waterfall: Waterfall) -> Text:
    ink = inks.get(line.service, "")
    names = {"group": f"bold {ink}", "error": "red", "refused": _MUTED, "elsewhere": ink}
    bars = {"error": "red", "refused": _MUTED}
    text = Text(line.label, names.get(line.tone, _MUTED if line.tone == "link" else ""))
    text.append(line.note, "red" if line.tone == "error" else _MUTED)
    if line.bar:
        text.append(" ")
        begin = len(text)
        text.append(line.bar, _MUTED if line.tone == "axis" else bars.get(line.tone, ink))
        for at, sign in enumerate(line.bar):
            if sign == waterfall.glyphs.gap:
                text.stylize(_MUTED, begin + at, begin + at + 1)
    if line.time.strip():
        text.append(f" {line.time}", _MUTED)
    text.rstrip()
    return text


def _legend(waterfall: Waterfall, tones: set[str]) -> Iterator[str]:
    glyphs, gaps = waterfall.glyphs, waterfall.timeline.gaps
    if gaps and waterfall.look.bar:
        ascii = waterfall.look.ascii
        lengths = ", ".join(duration_text(gap.duration_ns, ascii=ascii) for gap in gaps)
        yield f"{glyphs.gap} idle time left out: {lengths}"
    signs = {
        "error": f"{glyphs.error} error",
        "refused": f"{glyphs.refused} refused",
        "elsewhere": f"{glyphs.cause} <- cause in another service",
    }
    words = [text for tone, text in signs.items() if tone in tones]
    if any(one.folded for one in waterfall.picked):
        words.append("--all unfolds everything")
    if words:
        yield "  ".join(words)


def _cut(text: Text, room: int) -> Text:
    return Text(padded(text.plain, room).rstrip(), text.style) if len(text) > room else text
