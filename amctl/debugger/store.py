"""A recording as the debugger reads it: in pages, with its index, whatever happens to the file.

Nothing is raised for what may befall a recording: that it is damaged, cut, gone, replaced by
another. It is told in `health`, and what can still be read is shown. The file is never written to.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from amctl.debugger.index import DumpIndex, MachineIndex, is_error
from amctl.dump.errors import DumpError
from amctl.dump.following import Entry, state_name
from amctl.dump.memory import MemoryDump
from amctl.dump.opening import open_dump

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from amctl.dump.model import Dump
    from amctl.telemetry.messages import GapMsg, PipeMsg, SchemaMsg

__all__ = ["Condition", "Health", "Record", "Store", "Update"]

PAGE: Final = 64
"""Transitions that are read at once."""
SLICE: Final = 2048
"""Transitions that the index takes in at once, some 40 ms."""
_PAGES: Final = 128


class Condition(StrEnum):
    """What can be said of a recording as a whole."""

    WHOLE = "whole"
    EMPTY = "empty"
    """No transition, or not even a machine. It may come."""
    DAMAGED = "damaged"
    """A part of it can't be read."""
    GONE = "gone"
    """The file is no more; what was read of it stays, and more may be readable."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a recording is, in a word and in a line for people."""

    condition: Condition
    text: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """What a look at the file has found."""

    grew: int = 0
    """Transitions that are new."""
    is_new: bool = False
    """Another recording stands there now, or it was cut: all positions may be others."""


@dataclass(slots=True)
class Record(Entry):
    """A transition in its place."""

    schema: SchemaMsg
    """As it is at that time."""
    is_restart: bool = False
    """The clocks went back, as of a machine that began anew: everything before counts as 0."""

    @property
    def cursor(self) -> int:
        """Its number within the machine, from 1."""
        return self.position + 1

    @property
    def time_sum(self) -> int:
        """The machine's time behind it; what is only queued moves nothing."""
        return sum(self.before) if self.tx.is_queued else self.tx.time_sum

    @property
    def time_diff(self) -> int:
        """By how much the machine's time went on."""
        return self.time_sum - sum(self.before)

    @property
    def after(self) -> tuple[int, ...]:
        """The clocks behind it."""
        return self.before if self.tx.is_queued else self.tx.clocks

    @property
    def called(self) -> tuple[str, ...]:
        """Names of the called states."""
        return tuple(state_name(i, self.names) for i in self.tx.called)

    @property
    def touched(self) -> tuple[int, ...]:
        """States that its steps name, in their order (dbg.md 4.1)."""
        sides = (i for step in self.tx.steps for i in (step.source, step.target))
        return tuple(dict.fromkeys(i for i in sides if i >= 0))

    @property
    def is_error(self) -> bool:
        """Whether an error state is active behind it."""
        return any(
            tick & 1 and is_error(state_name(i, self.names)) for i, tick in enumerate(self.after)
        )

    @property
    def wall_ns(self) -> int:
        """Unix time in ns; 0 if it is unknown."""
        return self.tx.time_ns or self.tx.received_ns


@dataclass(slots=True)
class _Page:
    records: tuple[Record, ...]
    clocks: tuple[int, ...]
    """Behind the last one."""


class Store:
    """A recording and its index.

    Args:
        dump: Is closed with the store.
        path: Its file, if that may change; None if nobody can change it.
        trouble: Why there is no recording yet.
    """

    def __init__(
        self, dump: Dump | None, path: str | None = None, trouble: Exception | None = None
    ) -> None:
        self._dump: Dump = dump if dump is not None else MemoryDump(path or "")
        self._path, self._is_there = path, dump is not None
        self._trouble, self._is_gone = trouble, False
        self._seen = _identity(path)
        self._refused: tuple[int, ...] | None = None
        self._pages: dict[tuple[str, int], _Page] = {}
        self._schemas: dict[str, tuple[int, Sequence[tuple[int, SchemaMsg]]]] = {}
        self._counts: dict[str, int] = {}
        self._machines: tuple[str, ...] = ()
        self._pipes: Sequence[PipeMsg] = ()
        self._gaps: Sequence[GapMsg] = ()
        self._gone: Mapping[str, int] = {}
        self.index = DumpIndex(self._dump)
        self.count = 0
        """Transitions of the recording."""
        self.generation = 0
        """Grows when another recording takes the place of this one."""
        self._look()

    @classmethod
    def open(
        cls, source: str | Path, *, say: Callable[[str], None] | None = None, wait: bool = False
    ) -> Store:
        """Open a recording of any format.

        Args:
            source: Path or http(s) URL.
            say: Told what a person should know.
            wait: Take what isn't there yet, or can't be read yet, as empty: it may come.

        Raises:
            DumpError: It can't be read, unless `wait`.
        """
        try:
            dump = open_dump(source, say=say)
        except DumpError as error:
            if not wait:
                raise
            return cls(None, str(source), error)
        return cls(dump, dump.name if os.path.exists(dump.name) else None)

    def close(self) -> None:
        """Let go of the file."""
        self._dump.close()

    # -- as a whole

    @property
    def name(self) -> str:
        """Path or URL, for people."""
        return self._dump.name

    @property
    def dump(self) -> Dump:
        """The recording itself; an empty one while there is none."""
        return self._dump

    def only(self, machine: str) -> None:
        """Index one machine alone: it is quicker, and all that one question needs."""
        self.index = DumpIndex(self._dump, machine)

    @property
    def health(self) -> Health:
        """How it is."""
        if self._trouble:
            condition = Condition.DAMAGED if self._is_there else Condition.EMPTY
            return Health(condition, str(self._trouble))
        if self._is_gone:
            return Health(Condition.GONE, f"{self.name} is gone; what was read stays")
        if not self.count:
            what = "no transition yet" if self._machines else "no machine yet"
            return Health(Condition.EMPTY, f"{self.name} holds {what}")
        return Health(Condition.WHOLE)

    @property
    def trouble(self) -> Exception | None:
        """What went wrong with the recording of late; None if nothing did."""
        return self._trouble

    @property
    def dropped(self) -> int:
        """Messages that are known to be missing."""
        return sum(gap.count for gap in self._gaps)

    def dropped_of(self, machine: str) -> int:
        """The same of one machine, and those of which nobody knows whose they were."""
        return sum(gap.count for gap in self._gaps if gap.machine_id in ("", machine))

    @property
    def gaps(self) -> Sequence[GapMsg]:
        """What is known to be missing."""
        return self._gaps

    @property
    def pipes(self) -> Sequence[PipeMsg]:
        """Structured pipe records in order of arrival."""
        return self._pipes

    @property
    def gone(self) -> Mapping[str, int]:
        """Disposed machines, with the Unix time in ns."""
        return self._gone

    @property
    def machines(self) -> tuple[str, ...]:
        """Ids, in order of first appearance."""
        return self._machines

    # -- growing

    def work(self, limit: int = SLICE) -> bool:
        """Go on with the index, a slice at most.

        Returns:
            Whether there is nothing left to do.
        """
        done = True
        with self._safe():
            done = self.index.grow(limit)
        return done

    def work_all(self) -> None:
        """Build the whole index."""
        while not self.work(8 * SLICE):
            pass

    def refresh(self) -> Update:
        """Look whether the file has changed. The index is not grown: `work` does that."""
        before = self.count
        now = _identity(self._path)
        self._is_gone = self._is_there and self._path is not None and now is None
        is_new = False
        if now is not None and self._is_other(now):
            if now != self._refused:  # it can't be read as it stands; that may take long to see
                is_new = self._reopen(now)
        elif self._is_there:
            self._trouble = None
            self._look()
        if not is_new and self.count < before and not self._trouble:  # it was cut in its place
            self._start_anew(self._dump)
            is_new = True
        return Update(self.count if is_new else self.count - before, is_new)

    def _is_other(self, now: tuple[int, ...]) -> bool:
        """Whether the file has to be opened again: SQLite's grows in its place, others don't."""
        if not self._is_there or self._seen is None:
            return True
        same = now[:2] == self._seen[:2] if self._dump.format == "sqlite" else now == self._seen
        return not same

    def _reopen(self, now: tuple[int, ...]) -> bool:
        assert self._path is not None
        try:
            dump = open_dump(self._path)
        except DumpError as error:
            self._trouble, self._refused = error, now
            return False
        self.close()
        self._refused = None
        self._seen, self._is_there = _identity(self._path), True
        self._start_anew(dump)
        self._look()
        return True

    def _start_anew(self, dump: Dump) -> None:
        self._dump, self.index = dump, DumpIndex(dump)
        self._trouble, self._counts, self._schemas = None, {}, {}
        self._pages.clear()
        self.generation += 1

    def _look(self) -> None:
        """What is there by now."""
        dump = self._dump
        with self._safe():
            self.count = dump.count()
            self._machines = tuple(dump.machines())
            self._pipes, self._gaps, self._gone = dump.pipes(), dump.gaps(), dump.gone()
        self._counts.clear()

    @contextmanager
    def _safe(self) -> Iterator[None]:
        try:
            yield
        except (DumpError, OSError) as error:
            self._trouble = error

    # -- machines and transitions

    def size(self, machine: str) -> int:
        """Transitions of a machine; also its last cursor. 0 of an unknown one."""
        found = self._counts.get(machine)
        if found is None:
            held = self.index.machines.get(machine)
            found = held.size if held is not None else 0
            if machine in self._machines:
                with self._safe():
                    found = self._dump.count(machine)
            self._counts[machine] = found
        return found

    def schemas(self, machine: str) -> Sequence[tuple[int, SchemaMsg]]:
        """Its schemas with the position they hold from; empty of an unknown one."""
        size = self.size(machine)
        at, found = self._schemas.get(machine, (-1, ()))
        if at != size:  # a new one shows with its first transition
            if machine in self._machines:
                with self._safe():
                    found = self._dump.schemas(machine)
            self._schemas[machine] = size, found
        return found

    def schema(self, machine: str, cursor: int | None = None) -> SchemaMsg | None:
        """The schema at a cursor, or the newest; None of an unknown machine."""
        held = self.schemas(machine)
        if not held:
            return None
        if cursor is None:
            return held[-1][1]
        at = bisect_right(held, max(cursor - 1, 0), key=itemgetter(0))
        return held[max(at - 1, 0)][1]

    def held(self, machine: str) -> MachineIndex | None:
        """The index of a machine, as far as it is built."""
        return self.index.machines.get(machine)

    def record(self, machine: str, cursor: int) -> Record | None:
        """A transition; None at 0, behind the last one, or where it can't be read."""
        return next(iter(self.records(machine, cursor, cursor + 1)), None)

    def records(self, machine: str, start: int, stop: int) -> Iterator[Record]:
        """Transitions from a cursor up to another one; fewer where they can't be read."""
        start, stop = max(start, 1), min(stop, self.size(machine) + 1)
        for no in range((start - 1) // PAGE, (stop - 2) // PAGE + 1 if start < stop else 0):
            for record in self._page(machine, no).records:
                if start <= record.cursor < stop:
                    yield record

    def look_up(self, machine: str, tx_id: str) -> int:
        """The cursor of a transition that the index may not have yet; 0 if there is none."""
        find = getattr(self._dump, "find", None)
        held = self.held(machine)
        if machine not in self._machines or (held and held.size >= self.size(machine)):
            return 0
        with self._safe():
            if find is not None:
                return int(find(machine, tx_id)) + 1
            start = held.size if held is not None else 0
            for at, tx in enumerate(self._dump.transitions(machine, start), start):
                if tx.id == tx_id:
                    return at + 1
        return 0

    def clocks(self, machine: str, cursor: int) -> tuple[int, ...]:
        """The clocks at a cursor; empty before the first transition."""
        record = self.record(machine, cursor)
        return record.after if record is not None else ()

    def _page(self, machine: str, no: int) -> _Page:
        key = machine, no
        page = self._pages.pop(key, None)
        wanted = min(PAGE, self.size(machine) - no * PAGE)
        if page is None or len(page.records) < wanted:
            page = self._read(machine, no)
        self._pages[key] = page
        if len(self._pages) > _PAGES:
            del self._pages[next(iter(self._pages))]
        return page

    def _read(self, machine: str, no: int) -> _Page:
        start = no * PAGE
        clocks: tuple[int, ...] = ()
        with self._safe():
            clocks = self._before(machine, start) if start else ()
        records: list[Record] = []
        schema = self.schema(machine, start + 1)
        if schema is None:
            return _Page((), clocks)
        with self._safe():
            for at, tx in enumerate(self._dump.transitions(machine, start, start + PAGE), start):
                now = self.schema(machine, at + 1) or schema
                clocks, schema = _aligned(clocks, schema, now), now
                is_restart = not tx.is_queued and sum(clocks) > tx.time_sum
                before = () if is_restart else clocks
                records.append(Record(tx, schema.names, before, at, schema, is_restart))
                clocks = clocks if tx.is_queued else tx.clocks
        return _Page(tuple(records), clocks)

    def _before(self, machine: str, position: int) -> tuple[int, ...]:
        """The clocks that a page begins with."""
        known = self._pages.get((machine, position // PAGE - 1))
        if known is not None and len(known.records) == PAGE:
            return self._moved_on(machine, position - 1, known.clocks, position)
        for back in (1, PAGE, 64 * PAGE, position):
            start, found = max(position - back, 0), None
            for at, tx in enumerate(self._dump.transitions(machine, start, position), start):
                if not tx.is_queued:
                    found = at, tx.clocks
            if found is not None:
                return self._moved_on(machine, *found, position)
        return ()

    def _moved_on(
        self, machine: str, at: int, clocks: tuple[int, ...], position: int
    ) -> tuple[int, ...]:
        """Clocks of one position at a later one: new schemas move them."""
        between = [self.schema(machine, at + 1)]
        between += [schema for start, schema in self.schemas(machine) if at < start <= position]
        for old, new in pairwise(between):
            if old is not None and new is not None:
                clocks = _aligned(clocks, old, new)
        return clocks


def _aligned(clocks: tuple[int, ...], old: SchemaMsg, new: SchemaMsg) -> tuple[int, ...]:
    if old is new or old.names == new.names or not clocks:
        return clocks
    ticks = dict(zip(old.names, clocks, strict=False))
    return tuple(ticks.get(name, 0) for name in new.names)


def _identity(path: str | None) -> tuple[int, ...] | None:
    """What tells a file from another one: device, number, size and time; None if there is none."""
    if path is None:
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
