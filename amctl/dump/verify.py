"""Whether an SQLite dump is sound: what `check` of a read to the end can't see.

The file's own structure, then everything that the rows of a dump promise each other. Rows are read
in order, once, and clocks are summed up anew and compared with every keyframe.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from amctl.dump.errors import DumpFormatError
from amctl.dump.sqlite import _tables
from amctl.dump.sqlite._append import apply
from amctl.dump.sqlite._connect import open_reader
from amctl.dump.sqlite._tables import BLOCK
from amctl.dump.sqlite._values import read_extra, reason_of, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["VerifyReport", "verify"]

_MOST: Final = 20
"""Problems that are told one by one."""
_TICKS: Final = 1 << 20
_ODD: Final = ("called", "ticks", "down")
"""Kinds of problems that are none of the file."""
_CHUNK: Final = 10_000


@dataclass(slots=True)
class VerifyReport:
    """What was found."""

    name: str
    version: int = 0
    part: int = 1
    """Of a rotated dump, from 1."""
    machines: int = 0
    transitions: int = 0
    queued: int = 0
    """Transitions among them that tell of a queued mutation."""
    blocks: int = 0
    """Keyframes that were compared."""
    restarts: int = 0
    """Times that a machine began anew under its id."""
    streams: int = 0
    gaps: int = 0
    lost: int = 0
    """Messages that are known to be missing: no damage, it was told."""
    problems: list[str] = field(default_factory=list)
    """What is damaged; empty if nothing is."""
    oddities: list[str] = field(default_factory=list)
    """What no collector writes, but may come of importing something."""

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return not self.problems


class _Machine:
    """What was read of one so far."""

    __slots__ = ("block", "blocks", "clocks", "count", "id", "restarted", "schemas", "size")

    def __init__(self, id: str) -> None:
        self.id = id
        self.clocks: list[int] | None = None
        self.blocks: dict[int, tuple[int, list[int], list[int]]] = {}
        self.block: tuple[int, list[int], list[int]] = (0, [], [])
        self.count = 0
        self.schemas: list[tuple[int, int]] = []
        """Still to come: number of the first transition, states."""
        self.size = -1
        self.restarted = True


def verify(
    path: str | Path, name: str = "", *, progress: Callable[[int, int], None] | None = None
) -> VerifyReport:
    """Look at everything; one snapshot of it, if somebody is writing.

    Args:
        path: An SQLite dump.
        name: What people call it.
        progress: Told transitions done, and those of the whole dump, now and then.

    Raises:
        DumpNotFoundError: There is no such file.
        DumpFormatError: It is no dump at all, or so damaged that it can't be opened.
        DumpVersionError: A newer amctl wrote it.
    """
    report = VerifyReport(name or str(path))
    con = open_reader(path, report.name)
    try:
        con.execute("BEGIN")
        _Verifier(con, report, progress).run()
    except sqlite3.Error as err:
        report.problems.append(f"can't be read: {err}")
    finally:
        con.close()
    return report


class _Verifier:
    def __init__(
        self,
        con: sqlite3.Connection,
        report: VerifyReport,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._con, self._report, self._progress = con, report, progress
        self._machines: dict[int, _Machine] = {}
        self._ids: dict[int, str] = {}
        self._lists: dict[int, tuple[int, ...]] = {}
        self._reasons: set[int] = set()
        self._first = 1
        self._kinds: Counter[str] = Counter()

    def run(self) -> None:
        """All of it; what can't be gone on from ends it."""
        for (text,) in self._con.execute(f"PRAGMA integrity_check({_MOST})"):
            if text != "ok":
                self._problem("file", text)
        self._report.version = _tables.check(self._con, self._report.name)
        try:
            self._meta()
            self._names()
            self._schemas()
            self._read_lists()
            self._blocks()
            self._transitions()
            self._ends()
            self._others()
        except DumpFormatError as err:
            self._problem("stop", str(err))
        for kind, count in self._kinds.items():
            if count > _MOST:
                self._told(kind).append(f"{kind}: {count - _MOST} more")

    def _problem(self, kind: str, text: str) -> None:
        self._kinds[kind] += 1
        if self._kinds[kind] <= _MOST:
            self._told(kind).append(text)

    def _told(self, kind: str) -> list[str]:
        return self._report.oddities if kind in _ODD else self._report.problems

    def _one(self, query: str) -> Any:
        return self._con.execute(query).fetchone()[0]

    # -- the small tables

    def _meta(self) -> None:
        meta = dict(self._con.execute("SELECT key, value FROM meta"))
        try:
            self._first = int(meta["first_seq"])
            self._report.part = int(meta.get("part", 1))
            if "rotating_to" in meta:
                self._problem("meta", "a rotation was cut off; the next collector completes it")
        except (KeyError, ValueError) as err:
            raise DumpFormatError(self._report.name, f"meta {err} is no number") from None

    def _names(self) -> None:
        self._ids = dict(self._con.execute("SELECT num, id FROM machine"))
        for num, id in self._ids.items():
            if type(id) is not str or num < 1:
                self._problem("machine", f"machine {num} is called {id!r}")

    def _schemas(self) -> None:
        query = (
            "SELECT s.no, s.at, s.mach, s.pos, s.time_ns, p.body"
            " FROM schema s LEFT JOIN shape p ON p.id = s.shape ORDER BY s.no"
        )
        for no, at, mach, _, time_ns, body in self._con.execute(query):
            if mach not in self._ids:
                self._problem("schema", f"schema {no} is of machine {mach}, which isn't there")
                continue
            try:
                shape = schema_of(self._ids[mach], body, time_ns)
            except (ValueError, TypeError) as err:
                self._problem("schema", f"schema {no} of {self._ids[mach]!r}: {err}")
                continue
            machine = self._machines.setdefault(mach, _Machine(self._ids[mach]))
            machine.schemas.append((at, len(shape.names)))
        self._report.machines = len(self._machines)
        for machine in self._machines.values():
            machine.schemas.reverse()

    def _read_lists(self) -> None:
        for id, items in self._con.execute("SELECT id, items FROM list"):
            try:
                found = json.loads(items)
                if type(found) is list and all(type(each) is int for each in found):
                    self._lists[id] = tuple(found)
                else:
                    reason_of(items)
                    self._reasons.add(id)
            except (ValueError, TypeError, RecursionError) as err:
                self._problem("list", f"list {id}: {err}")

    def _blocks(self) -> None:
        query = "SELECT mach, no, first, seqs, base FROM block ORDER BY mach, no"
        for mach, no, first, seqs, base in self._con.execute(query):
            machine = self._machines.get(mach)
            if machine is None:
                self._problem("block", f"block {no} is of machine {mach}, which has no schema")
                continue
            if no != len(machine.blocks):
                where = f"block {no} of {machine.id!r}"
                self._problem("block", f"{where}: {len(machine.blocks)} was next")
            try:
                machine.blocks[no] = first, json.loads(seqs), json.loads(base)
            except (ValueError, TypeError, RecursionError) as err:
                self._problem("block", f"block {no} of {machine.id!r}: {err}")

    # -- transitions

    def _rows(self) -> Iterator[Any]:
        cursor = self._con.execute(
            "SELECT seq, mach, id, flags, called, delta, reason, src, extra FROM tx ORDER BY seq"
        )
        while rows := cursor.fetchmany(_CHUNK):
            yield from rows

    def _transitions(self) -> None:
        total = self._one("SELECT count(*) FROM tx")
        for expected, row in enumerate(self._rows(), self._first):
            if row[0] != expected:
                text = f"transition {row[0]}: {expected} was next"
                raise DumpFormatError(self._report.name, text)
            self._transition(row)
            self._report.transitions += 1
            if self._progress is not None and self._report.transitions % _CHUNK == 0:
                self._progress(self._report.transitions, total)

    def _transition(self, row: Any) -> None:
        seq, mach, id, flags, called, delta, reason, src, extra = row
        machine = self._machines.get(mach)
        if machine is None:
            self._problem("tx", f"transition {seq} is of machine {mach}, which has no schema")
            return
        where = f"transition {seq} of {machine.id!r}"
        while machine.schemas and machine.schemas[-1][0] <= seq:
            machine.size, machine.restarted = machine.schemas.pop()[1], True
        if machine.size < 0:
            self._problem("tx", f"{where} comes before the machine's schema")
        if type(id) is bytes and len(id) != 16:
            self._problem("tx", f"{where} has an id of {len(id)} bytes")
        if src is not None and src not in self._ids:
            self._problem("tx", f"{where} comes from machine {src}, which isn't there")
        names = self._lists.get(called, ()) if called is not None else ()
        if called is not None and not names:
            self._problem("tx", f"{where}: list {called} is missing")
        elif names and (not 0 <= min(names) <= max(names) < machine.size):
            self._problem("called", f"{where} calls {names}, with {machine.size} states")
        if reason is not None and reason not in self._reasons:
            self._problem("tx", f"{where}: reason {reason} is missing")
        if extra is not None:
            try:
                read_extra(extra)
            except (ValueError, TypeError) as err:
                self._problem("tx", f"{where}: {err}")
        self._place(machine, seq, where)
        self._advance(machine, delta, where)
        machine.restarted = False
        if type(flags) is int and flags & 32:
            self._report.queued += 1

    def _place(self, machine: _Machine, seq: int, where: str) -> None:
        """It stands in its block; a block's keyframe is what the clocks add up to."""
        no, at = divmod(machine.count, BLOCK)
        machine.count += 1
        if not at:
            self._report.blocks += 1
            machine.block = machine.blocks.get(no, (0, [], []))
            base = machine.block[2]
            if machine.clocks is not None and machine.clocks != base:
                self._problem("block", f"block {no} of {machine.id!r} differs from its clocks")
            machine.clocks = list(base)
        first, seqs, _ = machine.block
        if at >= len(seqs) or first + seqs[at] != seq:
            self._problem("block", f"{where} isn't where block {no} says")

    def _advance(self, machine: _Machine, delta: int | None, where: str) -> None:
        if delta is None or machine.clocks is None:
            return
        items = self._lists.get(delta)
        try:
            if items is None:
                raise ValueError(f"list {delta} is missing")
            if items[0] == -1 and not 0 <= items[1] <= machine.size:
                self._problem("ticks", f"{where}: {items[1]} ticks, with {machine.size} states")
                if items[1] > _TICKS:
                    raise ValueError(f"{items[1]} ticks")
            goes_down = any(more < 0 for i, more in zip(items[::2], items[1::2], strict=True))
            apply(machine.clocks, items)
        except (ValueError, IndexError) as err:
            self._problem("tx", f"{where}: {err}")
            return
        if goes_down:
            if machine.restarted:
                self._report.restarts += 1
            else:
                self._problem("down", f"{where}: a tick goes down, and no new schema was told")

    # -- what is left

    def _ends(self) -> None:
        for machine in self._machines.values():
            promised = sum(len(seqs) for _, seqs, _ in machine.blocks.values())
            if promised != machine.count:
                text = f"{machine.id!r} has {machine.count} transitions, its blocks {promised}"
                self._problem("block", text)

    def _others(self) -> None:
        end = self._first + self._report.transitions
        for table in ("schema", "pipe", "gap", "gone"):
            query = f"SELECT no FROM {table} WHERE at < ? OR at > ? ORDER BY no"
            for (no,) in self._con.execute(query, (self._first, end)):
                self._problem(table, f"{table} {no} is at a transition that isn't there")
        for id, number in self._con.execute("SELECT id, next FROM stream"):
            self._report.streams += 1
            if type(number) is not int or number < 0:
                self._problem("stream", f"stream {id!r} goes on from {number!r}")
        for count, _ in self._con.execute("SELECT count, why FROM gap"):
            self._report.gaps += 1
            self._report.lost += int(count)
