"""What the commands of `amctl dump` do between reading their words and printing."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from amctl.cli.dumps import resolve
from amctl.cli.options import global_options
from amctl.cli.progress import steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amctl.cli.options import GlobalOptions
    from amctl.dump.checking import CheckReport
    from amctl.dump.diff import DumpDiff
    from amctl.dump.following import Entry
    from amctl.dump.model import Dump, DumpWriter
    from amctl.dump.verify import VerifyReport

__all__ = [
    "Asked",
    "Output",
    "Part",
    "Shown",
    "compare",
    "diff_json",
    "export",
    "inspect",
    "is_dump",
    "merge",
    "opened",
    "sqlite_output",
    "verdict",
    "verify",
]

_OF_A_FILE = {"amctl", "began", "first_seq", "layout", "name", "part", "version"}
"""What a recording says of its own file, not of the run."""


@contextlib.contextmanager
def opened(ctx: typer.Context, source: str | None) -> Iterator[Dump]:
    """A recording, closed at the end."""
    from amctl.dump.opening import open_dump

    with closing(open_dump(resolve(source, ctx), say=global_options(ctx).say)) as dump:
        yield dump


def is_dump(word: str) -> bool:
    """Whether a word that stands alone names a recording, rather than machines of the last one."""
    from amctl.dump.fetching import is_url
    from amctl.dump.writing import FORMATS

    if word.lower().startswith("mach://"):
        return False
    endings = tuple(f".{each}" for each in FORMATS)
    return is_url(word) or "/" in word or word.lower().endswith(endings) or os.path.exists(word)


# -- which part


def began(dump: Dump) -> int:
    """When the first transition was; 0 if there is none."""
    first = next(iter(dump.transitions(None, 0, 1)), None)
    return first.time_ns if first is not None else 0


def moment(text: str | None, option: str, dump: Dump) -> int | None:
    """Unix ns of `2.5s` or `1m` since the recording's beginning, or of a date with time."""
    from amctl.graph.machurl import parse_time
    from amctl.run.values import parse_duration

    if text is None:
        return None
    try:
        seconds = float(text) if re.fullmatch(r"\+?\d+(\.\d+)?", text) else None
        if seconds is None and not re.match(r"\d{4}-", text):
            seconds = parse_duration(text.removeprefix("+"))
        return parse_time(text) if seconds is None else began(dump) + round(seconds * 1e9)
    except ValueError as error:
        raise typer.BadParameter(f"{option} {text!r} is no time: {error}") from error


def matching(dump: Dump, pattern: str | None) -> list[str] | None:
    """The machines that fit a pattern; None without one."""
    from amctl.dump.listing import list_dump
    from amctl.graph.model import Graph, GraphMachine, GraphState
    from amctl.graph.patterns import matching as fitting

    if pattern is None:
        return None
    if pattern in dump.machines():
        return [pattern]
    machines: dict[str, GraphMachine] = {}
    for row in list_dump(dump).rows:
        ticks = dict(enumerate(row.clocks))
        states = tuple(GraphState(s, ticks.get(i, 0)) for i, s in enumerate(row.schema.names))
        machines[row.id] = GraphMachine(row.id, states, row.schema.parent, row.schema.tags)
    return fitting(Graph(machines), pattern)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a recording; without anything, all of it."""

    machines: list[str] | None = None
    since: int | None = None
    until: int | None = None

    @classmethod
    def of(
        cls, dump: Dump, patterns: Sequence[str] | None, since: str | None, until: str | None
    ) -> Part:
        """As the command line says it."""
        return cls(
            matching(dump, ",".join(patterns) if patterns else None),
            moment(since, "--from", dump),
            moment(until, "--until", dump),
        )


# -- inspect


class Asked:
    """What `inspect` is asked for."""

    def __init__(
        self, dump: Dump, what: str | None, since: str | None, until: str | None, grep: str | None
    ) -> None:
        from amctl.dump.inspecting import Query

        self.dump = dump
        self.position = -1
        """Of the one transition that is meant, within its machine; -1: it isn't one."""
        machines = None
        if what is not None and what.lower().startswith("mach://"):
            machines = [self._address(what)]
        else:
            machines = matching(dump, what)
        moments = moment(since, "--from", dump), moment(until, "--until", dump)
        self.query = Query(machines, *moments, _regex(grep))

    def _address(self, text: str) -> str:
        from amctl.graph.machurl import parse_machurl
        from amctl.graph.moments import find_position

        url = parse_machurl(text)
        self.dump.schema(url.machine)  # is it there at all?
        if url.is_moment:
            found = find_position(self.dump, url)
            self.position = found[0] if found else -1
        return url.machine

    def entries(self) -> Iterator[Entry]:
        """What is meant."""
        from amctl.dump.inspecting import search

        for entry in search(self.dump, self.query):
            if self.position < 0 or entry.position == self.position:
                yield entry


def _regex(text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text, re.IGNORECASE if text == text.lower() else 0)
    except re.error as error:
        raise typer.BadParameter(f"--grep {text!r} is no regular expression: {error}") from error


@dataclass(frozen=True, slots=True)
class Shown:
    """How `inspect` shows it."""

    limit: int
    steps: bool
    logs: bool
    as_json: bool
    as_lines: bool


def inspect(asked: Asked, shown: Shown, options: GlobalOptions) -> None:
    """Print transitions, and say if there are more."""
    from amctl.dump.inspecting import entry_json

    entries = asked.entries()
    some = islice(entries, shown.limit) if shown.limit else entries
    if asked.position >= 0:
        some = islice(entries, 1)
    if shown.as_lines:
        for entry in some:
            print(json.dumps(entry_json(entry)))
        more = next(entries, None) is not None if asked.position < 0 else False
    elif shown.as_json:
        found = [entry_json(entry) for entry in some]
        more = asked.position < 0 and next(entries, None) is not None
        print(json.dumps({"dump": asked.dump.name, "transitions": found, "more": more}))
    else:
        count = _print_entries(some, asked, shown, options)
        more = asked.position < 0 and next(entries, None) is not None
        if not count:
            options.say("no transition fits")
    if more:
        options.say(f"these are the first {shown.limit}; --limit 0 shows all")


def _print_entries(
    entries: Iterator[Entry], asked: Asked, shown: Shown, options: GlobalOptions
) -> int:
    from amctl.cli.views.recordings import EntryStyle, entry_detail, entry_lines, show_lines

    machines = asked.query.machines
    widest = max(map(len, asked.dump.machines() if machines is None else machines), default=0)
    style = EntryStyle(
        began(asked.dump),
        not options.stdout().is_terminal,
        0 if machines is not None and len(machines) == 1 else min(widest, 26),
        shown.steps,
        shown.logs,
    )
    count = 0
    for entry in entries:
        count += 1
        if asked.position >= 0:
            show_lines(entry_detail(entry, style.began_ns), options, wrap=True)
        else:
            show_lines(entry_lines(entry, style), options)
    return count


# -- export, merge


@dataclass(frozen=True, slots=True)
class Output:
    """Where a recording goes."""

    path: str | None
    format: str | None = None
    force: bool = False
    limit: int | None = None

    def writer(self, meta: dict[str, str]) -> DumpWriter:
        """A new writer."""
        from amctl.dump.writing import TEXT_FORMATS, new_writer, stream_writer

        if self.path is not None and self.path != "-":
            return new_writer(self.path, self.format, force=self.force, meta=meta, limit=self.limit)
        format = self.format or "jsonl"
        if format not in TEXT_FORMATS and (format != "jsonl.zst" or sys.stdout.isatty()):
            raise typer.BadParameter(f"{format} needs a file: -o FILE")
        return stream_writer(sys.stdout.buffer, format, meta=meta, limit=self.limit)


def sqlite_output(output: str | None, source: str) -> str:
    """Where `import` writes: `am-dbg-dump.gob.br` -> `am-dbg-dump.sqlite`, in this folder."""
    from amctl.dump.writing import FORMATS

    if output is not None:
        if output == "-" or output.lower().endswith(tuple(f".{each}" for each in FORMATS[1:])):
            raise typer.BadParameter(f"-o {output}: import makes an SQLite file, export the others")
        return output
    name = (
        re.split(r"[/\\?#]", source.rstrip("/"))[-1] if "://" not in source else _url_name(source)
    )
    for ending in FORMATS:
        name = name.removesuffix(f".{ending}")
    return f"{name or 'dump'}.sqlite"


def _url_name(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).path.rpartition("/")[2]


def _meta(dumps: Sequence[Dump]) -> dict[str, str]:
    """What recordings say of their run, as far as they agree; and their names."""
    told = [{k: v for k, v in dump.meta.items() if k not in _OF_A_FILE} for dump in dumps]
    first, *others = told
    meta = {k: v for k, v in first.items() if all(o.get(k, v) == v for o in others)}
    return {"name": ", ".join(Path(dump.name).name for dump in dumps), **meta}


def export(dump: Dump, part: Part, to: Output, options: GlobalOptions) -> None:
    """Write a part of a recording."""
    from amctl.dump.copying import copy

    writer = to.writer(_meta([dump]))
    with _finished(writer), steps(options) as progress:
        count = copy(
            dump,
            writer,
            machines=part.machines,
            since=part.since,
            until=part.until,
            progress=lambda done, total: progress("writing", done, total),
        )
    if to.path is not None and to.path != "-":
        options.say(f"{to.path}: {count} transitions of {dump.name}")


@contextlib.contextmanager
def _finished(writer: DumpWriter) -> Iterator[None]:
    try:
        yield
        writer.finish()
    except BaseException:
        writer.abandon()
        raise


def merge(ctx: typer.Context, sources: Sequence[str], to: Output) -> dict[str, Any]:
    """Merge recordings; what came of it."""
    from amctl.dump.merge import merge as merged

    options = global_options(ctx)
    with ExitStack() as stack:
        dumps = [stack.enter_context(opened(ctx, source)) for source in sources]
        writer = to.writer(_meta(dumps))
        with _finished(writer), steps(options) as progress:
            report = merged(
                dumps, writer, progress=lambda done, total: progress("merging", done, total)
            )
    for conflict in report.conflicts:
        options.say(f"warning: {conflict}")
    options.say(
        f"{to.path}: {report.transitions} transitions of {report.machines} machines; "
        f"{report.duplicates} were in more than one recording"
    )
    return asdict(report)


# -- verify, diff


def verify(ctx: typer.Context, source: str | None) -> dict[str, Any]:
    """What a full read has found; a recording that can't even be opened is damaged, too."""
    from amctl.dump.errors import DumpFormatError

    name = resolve(source, ctx)
    try:
        with opened(ctx, name) as dump, steps(global_options(ctx)) as progress:
            return _verified(dump, lambda done, total: progress("reading", done, total))
    except DumpFormatError as error:
        return {"dump": name, "format": "", "ok": False, "problems": [str(error)]}


def _verified(dump: Dump, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """By the rules of its format where it has some."""
    from amctl.dump.checking import check
    from amctl.dump.gathering import TemporaryDump
    from amctl.dump.verify import verify as verify_sqlite

    report: CheckReport | VerifyReport
    if dump.format == "sqlite":
        path = dump.path if isinstance(dump, TemporaryDump) else dump.name
        report = verify_sqlite(path, dump.name, progress=progress)
    else:
        report = check(dump, progress=progress)
    made = asdict(report)
    return {"dump": made.pop("name"), "format": dump.format, "ok": report.ok, **made}


def verdict(report: dict[str, Any]) -> Iterator[str]:
    """The report in words."""
    counts = f"{report.get('transitions', 0)} transitions of {report.get('machines', 0)} machines"
    yield f"{report['dump']}: {f'whole, {counts}' if report['ok'] else 'damaged'}"
    yield from (f"damaged: {problem}" for problem in report["problems"])
    yield from (f"odd: {oddity}" for oddity in report.get("oddities", ()))
    if report.get("gaps"):
        yield f"missing: {report['lost'] or 'an unknown number of'} messages, as the recording says"


def compare(one: Dump, other: Dump, options: GlobalOptions) -> DumpDiff:
    """Where two recordings part."""
    from amctl.dump.diff import diff

    with steps(options) as progress:
        return diff(one, other, progress=lambda done, total: progress("comparing", done, total))


def diff_json(found: DumpDiff) -> dict[str, Any]:
    """One document."""
    made = asdict(found)
    made["equal"] = found.is_equal
    made["first"] = None if found.first is None else asdict(found.first)
    for each in (made["first"], *(machine["first"] for machine in made["machines"])):
        for side in ("a", "b"):
            if each is not None and each[side] is not None:
                del each[side]["key"]
    return made
