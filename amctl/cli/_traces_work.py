"""What the commands of `amctl traces` do between reading their words and printing."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from amctl.cli.options import global_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.cli.options import GlobalOptions
    from amctl.traces.model import Trace
    from amctl.traces.opening import TraceFiles
    from amctl.traces.outline import Outline
    from amctl.traces.picking import Filters
    from amctl.traces.waterfall import Waterfall

__all__ = ["Asked", "export", "files", "is_file", "load", "open_page", "put", "waterfall"]

_ENDINGS = (".jsonl", ".json", ".gz")
_STDOUT = "-"
_WIDTH = 100


def files(ctx: typer.Context, source: str | None) -> TraceFiles:
    """The files that a word means; without one, those of the last run.

    Raises:
        TraceNotFoundError: There are none.
    """
    from amctl.run.settings import load_settings
    from amctl.traces.opening import TraceFiles

    if source is not None:
        return TraceFiles(Path(source))
    return TraceFiles(load_settings(global_options(ctx).config).repl_dir)


def is_file(word: str) -> bool:
    """Whether a word that stands alone names a file, rather than a trace of the last run."""
    return "/" in word or word.lower().endswith(_ENDINGS) or os.path.exists(word)


def load(ctx: typer.Context, trace: str | None, source: str | None) -> Trace:
    """One trace; what is to be said about its reading is said.

    Raises:
        TracesError: There is no such file or trace.
    """
    if trace is not None and source is None and is_file(trace):
        trace, source = None, trace
    found = files(ctx, source).load(trace or "")
    for note in found.notes:
        print(note, file=sys.stderr)
    if found.trace.lost:
        print(f"{found.trace.lost:,} spans of it were lost by those who made it", file=sys.stderr)
    return found.trace


@dataclass(frozen=True, slots=True)
class Asked:
    """Filters, as they were written."""

    service: str | None = None
    machine: str | None = None
    grep: str | None = None
    errors: bool = False
    min: str | None = None
    depth: int = 0
    transitions: bool = True
    everything: bool = False
    links: bool = False
    width: int | None = None

    def __str__(self) -> str:
        given = {
            "--service": self.service,
            "--machine": self.machine,
            "--grep": self.grep,
            "--min": self.min,
        }
        words = [f"{flag} {value!r}" for flag, value in given.items() if value is not None]
        return " ".join(words + ["--errors"] * self.errors) or "--no-transitions"


def waterfall(trace: Trace, asked: Asked) -> Waterfall:
    """What is shown of a trace.

    Raises:
        BadParameter: A filter can't be read.
        NoSpanError: Nothing fits.
    """
    from amctl.traces.errors import NoSpanError
    from amctl.traces.outline import Outline
    from amctl.traces.waterfall import Look, Waterfall

    outline = Outline(trace)
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    width = asked.width or shutil.get_terminal_size((_WIDTH, 24)).columns
    look = Look(max(width, 20), ascii=not encoding.startswith("utf"), links=asked.links)
    made = Waterfall(outline, _filters(outline, asked), look)
    if not made.picked:
        raise NoSpanError(trace.trace_id, str(asked))
    return made


def _filters(outline: Outline, asked: Asked) -> Filters:
    from amctl.traces.picking import Filters

    services = machines = None
    if asked.service is not None:
        services = frozenset(_matching(asked.service, dict.fromkeys(outline.trace.services, "")))
    if asked.machine is not None:
        machines = frozenset(_matching(asked.machine, outline.machines))
    try:
        # small letters match both, as everywhere here
        small = asked.grep is not None and asked.grep == asked.grep.lower()
        grep = re.compile(asked.grep, re.IGNORECASE if small else 0) if asked.grep else None
    except re.error as error:
        raise typer.BadParameter(f"--grep {asked.grep!r}: {error}") from error
    return Filters(
        services,
        machines,
        grep,
        asked.errors,
        _nanoseconds(asked.min),
        asked.depth,
        asked.transitions,
        asked.everything,
    )


def _nanoseconds(text: str | None) -> int:
    from amctl.run.values import parse_duration

    if text is None:
        return 0
    try:
        micro = re.fullmatch(r"(\d+(?:\.\d+)?)(us|µs)", text.strip())
        return round(float(micro[1]) * 1e3 if micro else parse_duration(text) * 1e9)
    except ValueError as error:
        raise typer.BadParameter(f"--min: {error}") from error


@dataclass(frozen=True, slots=True)
class _Named:
    """A machine of a trace as patterns see it."""

    id: str
    parent_id: str
    tags: Sequence[str] = ()

    def is_active(self, state: str) -> bool:
        """A trace is over."""
        return False


def _matching(pattern: str, known: dict[str, str]) -> list[str]:
    """Which of these are meant.

    Args:
        pattern: A PAT.
        known: Id -> its parent's.

    Raises:
        BadParameter: The pattern can't be read.
        NoSpanError: Nothing fits.
    """
    from difflib import get_close_matches

    from amctl.machine.patterns import PatternError, matching
    from amctl.traces.errors import NoSpanError

    try:
        found = matching([_Named(id, parent) for id, parent in known.items()], pattern)
    except PatternError as error:
        raise typer.BadParameter(str(error)) from error
    if not found:
        close = get_close_matches(pattern, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)[:200]}"
        raise NoSpanError("", repr(pattern), hint)
    return [one.id for one in found]


# -- files that are made


def export(trace: Trace, format: str) -> bytes:
    """A trace as a document for another tool: otlp, perfetto or jaeger."""
    if format == "perfetto":
        from amctl.traces.perfetto import perfetto_document as make
    elif format == "jaeger":
        from amctl.traces.jaegerjson import jaeger_document as make
    else:
        from amctl.traces.otlp import otlp_document as make
    # escapes: a name from anywhere may hold what is no text by itself
    text = json.dumps(make(trace), separators=(",", ":"), allow_nan=False)
    return text.encode() + b"\n"


def put(output: str, content: bytes, options: GlobalOptions) -> None:
    """Write a file; nobody who looks on sees half of it. `-` is stdout.

    Raises:
        TraceOutputError: It can't be written.
    """
    from amctl.traces.errors import TraceOutputError

    if output == _STDOUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content)
    except OSError as error:
        raise TraceOutputError(output, error.strerror or str(error)) from error
    options.say(f"wrote {output} ({_size(len(content))})")


def _replace(path: Path, content: bytes) -> None:
    if path.exists() and not path.is_file():  # a device, a pipe
        path.write_bytes(content)
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, path.stat().st_mode if path.exists() else 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def open_page(output: str, options: GlobalOptions, wished: bool | None) -> None:
    """Show a written page in the person's browser.

    Args:
        output: The file.
        options: Say what becomes of it.
        wished: None: if there is a display and a browser.
    """
    from amctl.run.browser import can_open, open_for_person

    if output == _STDOUT or wished is False or not (wished or can_open()):
        return
    if not open_for_person(Path(output).resolve().as_uri()):
        options.say(f"nothing here can show it: open {output} in a browser")
