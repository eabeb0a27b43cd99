"""Which files are meant: a path, a folder's newest, and what belongs to it.

A run that writes a lot goes on in a new file, and sets the old one aside as `traces.1.jsonl`, which
earlier runs are called too. They are told apart by the ids of their traces.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from amctl.traces.errors import TraceNotFoundError, UnknownTraceError
from amctl.traces.reading import Summary, Tally, load, summaries

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from amctl.traces.model import Trace

__all__ = ["Found", "TraceFiles"]

_NAME = re.compile(r"traces(?:\.(\d+))?\.jsonl(?:\.gz)?")
_PEEKED = 1 << 16


class Found:
    """A trace, and what there is to say about its reading."""

    def __init__(self, trace: Trace, notes: Iterable[str]) -> None:
        self.trace = trace
        self.notes = list(notes)


class TraceFiles:
    """Files of traces that a path stands for.

    Args:
        path: A file, or a folder with `traces.jsonl` and its predecessors.

    Raises:
        TraceNotFoundError: There is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.older: list[Path] = []
        """Further files of a folder, the newest first."""
        self.is_folder = path.is_dir()
        if self.is_folder:
            numbered = sorted(
                (int(match[1] or 0), one)
                for one in path.iterdir()
                if (match := _NAME.fullmatch(one.name)) and one.is_file()
            )
            if not numbered:
                raise TraceNotFoundError(str(path), "there is no traces.jsonl in that folder")
            self.path, *self.older = (one for _, one in numbered)
        elif not path.exists():
            raise TraceNotFoundError(str(path))

    def summaries(self, *, everything: bool = False) -> tuple[list[Summary], list[str]]:
        """Traces, the last one to begin first, and what there is to say about their reading.

        Args:
            everything: Those of a folder's older files too.

        Raises:
            TraceNotFoundError, TraceFormatError: A file went away, or is no trace.
        """
        tally = Tally()
        files = [*reversed(self.older), self.path] if everything else self._parts(self.path)
        found = summaries(files, tally)
        return found, [*tally.told(str(self.path))]

    def load(self, asked: str = "") -> Found:
        """One trace.

        Args:
            asked: The beginning of its id; empty is the one that began last.

        Raises:
            UnknownTraceError: No trace fits, or several do.
            TraceNotFoundError, TraceFormatError: A file went away, or is no trace.
        """
        prefix = asked.lower()
        known: list[str] = []
        for path in (self.path, *self.older):
            tally = Tally()
            fitting = load(self._parts(path), prefix, tally)
            if len(fitting) > 1 and asked:
                ids = [trace.trace_id for trace in fitting]
                raise UnknownTraceError(str(path), asked, ids, fits=True)
            if fitting:
                return Found(fitting[0], tally.told(str(path)))
            if not asked:
                raise UnknownTraceError(str(path), asked, ())
            known += [one.trace_id for one in summaries([path], Tally())]
        raise UnknownTraceError(str(self.path), asked, known)

    def _parts(self, path: Path) -> list[Path]:
        """The file, with those before it that begin with the same trace; the oldest first."""
        parts = [path]
        files = [self.path, *self.older]
        for before in files[files.index(path) + 1 :]:
            first = _first_trace(before)
            if not first or first != _first_trace(path):
                break
            parts.insert(0, before)
        return parts


def _first_trace(path: Path) -> str:
    """The first trace id that a file of lines mentions; empty if it isn't found quickly."""
    try:
        with path.open("rb") as file:
            found: Any = re.search(rb'"traceId":\s*("[^"]{1,64}")', file.read(_PEEKED))
        return str(json.loads(found[1])) if found else ""
    except (OSError, ValueError):
        return ""
