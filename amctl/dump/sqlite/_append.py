"""What is to be written: rows wait here until a commit takes them all, or none.

Numbers are given when a row is made, so that rows can refer to each other before any of them is on
disk. A commit that fails leaves everything here, for the next one. So a dump holds a prefix of what
was appended, always.

Clocks: a transition's row holds but the number of a list `[state, increment, ...]`, against the
transition of its machine before it; the same few lists come again and again. Increments may be
negative, when a machine began anew. `-1, n` in front says that the vector has n ticks from now on.
Every BLOCK transitions of a machine make a block: it holds their numbers, and the vector before its
first one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from amctl.dump.sqlite._tables import BLOCK
from amctl.dump.sqlite._values import narrow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterable, Sequence

__all__ = ["Appender", "Machine"]

_LISTS = 1 << 15
_LONG = 64
"""Lists longer than this, or more of them than that, are forgotten, and may stand there twice."""
_LONG_TEXT = 500
_SHAPES = 1 << 10
NAMES = 1 << 15
"""Machines that get a number of their own, those included that are only the source of something."""

_NUMBERED = (("machine", "num"), ("list", "id"), ("shape", "id"))
_TX = f"INSERT INTO tx VALUES ({', '.join('?' * 18)})"


class Machine:
    """A machine of the dump, as it is after its last transition."""

    __slots__ = (
        "base",
        "clocks",
        "first",
        "id",
        "no",
        "num",
        "owner",
        "peer",
        "seqs",
        "shape",
        "touched",
        "vector",
    )

    def __init__(self, num: int, id: str) -> None:
        self.num, self.id = num, id
        self.shape = 0
        """The number of its schema's shape; 0 before it has one."""
        self.owner: str | None = None
        """The stream that told its schema; None if nobody's transitions belong to it any more."""
        self.peer: object = None
        """Whose increments go on from `clocks`: intake's business."""
        self.clocks: list[int] = []
        self.vector: tuple[int, ...] | None = ()
        """The same as somebody's tuple; None if that isn't at hand."""
        self.no = 0
        """Number of its last block."""
        self.first = 0
        self.seqs: list[int] = []
        self.base = "[]"
        self.touched = False

    @property
    def count(self) -> int:
        """Transitions."""
        return self.no * BLOCK + len(self.seqs)

    def block(self) -> tuple[Any, ...]:
        """Its last block's row."""
        seqs = ",".join(map(str, self.seqs))
        return self.num, self.no, self.first, f"[{seqs}]", self.base


class Appender:
    """Makes rows, and hands them to a database."""

    def __init__(self) -> None:
        self.machines: dict[str, Machine] = {}
        self.seq = 1
        """Number of the next transition."""
        self.no = 1
        """Number of the next record of another kind."""
        self.epoch = 0
        """Goes up when numbers of lists, as somebody may have kept them, are void."""
        self._list = self._shape = self._num = 1
        self._lists: dict[tuple[int, ...], int] = {}
        self._texts: dict[str, int] = {}
        self._shapes: dict[str, int] = {}
        self._names: dict[str, int] = {}
        self._touched: list[Machine] = []
        self.rows: list[tuple[Any, ...]] = []
        self._blocks: list[tuple[Any, ...]] = []
        self._new: dict[str, list[tuple[Any, ...]]] = {}

    # -- making rows

    def number(self, id: str) -> int:
        """The number of a machine, in the dump or only mentioned; 0 if there are too many."""
        found = self._names.get(id)
        if found is None:
            if len(self._names) >= NAMES:
                return 0
            found = self._names[id] = self._num
            self._num += 1
            self._add("machine (num, id)", (found, id))
        return found

    def machine(self, id: str) -> Machine | None:
        """A machine to write about; a new one if need be. None if there are too many."""
        found = self.machines.get(id)
        if found is None:
            num = self.number(id)
            if not num:
                return None
            found = self.machines[id] = Machine(num, id)
        return found

    def schema(self, machine: Machine, body: str, time_ns: int, owner: str | None = None) -> bool:
        """A machine's schema; False if the same stream `owner` has told the same before."""
        shape = self._shapes.get(body)
        if shape is None:
            if len(self._shapes) >= _SHAPES:
                self._shapes.clear()
            shape = self._shapes[body] = self._shape
            self._shape += 1
            self._add("shape (id, body)", (shape, body))
        if shape == machine.shape and owner is not None and owner == machine.owner:
            return False
        machine.shape, machine.owner = shape, owner
        row = (self._no(), self.seq, machine.num, machine.count, shape, narrow(time_ns), owner)
        self._add("schema (no, at, mach, pos, shape, time_ns, stream)", row)
        return True

    def list(self, items: tuple[int, ...]) -> int | None:
        """The number of a list; None of an empty one."""
        if not items:
            return None
        found = self._lists.get(items)
        if found is None:
            found = self._list
            self._list += 1
            self._add("list (id, items)", (found, json.dumps(items, separators=(",", ":"))))
            if len(items) <= _LONG:
                if len(self._lists) >= _LISTS:
                    self._lists.clear()
                self._lists[items] = found
        return found

    def text_list(self, items: str | None) -> int | None:
        """The same of one that is JSON already."""
        if items is None:
            return None
        found = self._texts.get(items)
        if found is None:
            found = self._list
            self._list += 1
            self._add("list (id, items)", (found, items))
            if len(items) <= _LONG_TEXT:
                if len(self._texts) >= _LISTS:
                    self._texts.clear()
                self._texts[items] = found
        return found

    def place(self, m: Machine) -> int:
        """The number of a machine's next transition. Call it before its clocks go on."""
        seq = self.seq
        self.seq = seq + 1
        seqs = m.seqs
        if len(seqs) == BLOCK:
            self._blocks.append(m.block())
            m.no += 1
            seqs = m.seqs = []
        if not seqs:
            m.first = seq
            m.base = json.dumps(m.clocks, separators=(",", ":"))
        seqs.append(seq - m.first)
        if not m.touched:
            m.touched = True
            self._touched.append(m)
        return seq

    def advance(self, m: Machine, clocks: Sequence[int]) -> int | None:
        """Set a machine's clocks; the number of the list that says how they differ."""
        if clocks is m.vector:
            return None
        m.vector = clocks if type(clocks) is tuple else None
        old, new = m.clocks, list(clocks)
        if new == old:
            return None
        items: list[int] = []
        size = len(new)
        if size != len(old):
            items += (-1, size)
            old = [*old[:size], *[0] * (size - len(old))]
        for i, (was, now) in enumerate(zip(old, new, strict=True)):
            if was != now:
                items += (i, now - was)
        m.clocks = new
        return self.list(tuple(items))

    def pipe(self, row: Sequence[Any], time_ns: int) -> None:
        """kind, source, source_state, target, target_state, gone."""
        self._add(
            "pipe (no, at, kind, source, source_state, target, target_state, gone, time_ns)",
            (self._no(), self.seq, *row, narrow(time_ns)),
        )

    def gap(self, count: int, why: str, machine: str, since_ns: int, until_ns: int) -> None:
        """What was lost."""
        times = narrow(since_ns), narrow(until_ns)
        row = (self._no(), self.seq, narrow(count), why, machine, *times)
        self._add("gap (no, at, count, why, machine, since_ns, until_ns)", row)

    def gone(self, machine: str, time_ns: int) -> None:
        """A machine was disposed of; the next one of that id has nothing to do with it."""
        row = (self._no(), self.seq, machine, narrow(time_ns))
        self._add("gone (no, at, machine, time_ns)", row)
        found = self.machines.get(machine)
        if found is not None:
            found.owner = None

    def _no(self) -> int:
        no = self.no
        self.no = no + 1
        return no

    def _add(self, table: str, row: tuple[Any, ...]) -> None:
        self._new.setdefault(table, []).append(row)

    # -- handing them over

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self.rows or self._new)

    def write(self, con: sqlite3.Connection) -> None:
        """Insert all that waits, within the caller's transaction."""
        for table, rows in self._new.items():
            marks = ", ".join("?" * len(rows[0]))
            con.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        con.executemany(_TX, self.rows)
        blocks = [*self._blocks, *(m.block() for m in self._touched)]
        con.executemany("INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?)", blocks)

    def written(self) -> None:
        """The transaction is committed: let go of it."""
        for m in self._touched:
            m.touched = False
        self._touched.clear()
        self._blocks.clear()
        self.rows.clear()
        self._new.clear()

    # -- going on

    def numbers(self) -> str:
        """What is given out next, for a file that begins in the middle of a dump."""
        return json.dumps([self.seq, self.no, self._num, self._list, self._shape])

    def emptied(self, kept: Container[str]) -> None:
        """The file was emptied of all but the schemas of the machines that are `kept`."""
        self.epoch += 1
        for id, m in list(self.machines.items()):
            m.no, m.seqs = 0, []
            if id not in kept:
                m.peer = None
                del self.machines[id]
        self._names = {id: m.num for id, m in self.machines.items()}
        self._lists.clear()
        self._texts.clear()
        used = {m.shape for m in self.machines.values()}
        self._shapes = {body: id for body, id in self._shapes.items() if id in used}

    def load(self, con: sqlite3.Connection) -> None:
        """Go on where a dump ends."""

        def one(query: str, *values: Any) -> Any:
            return con.execute(query, values).fetchone()

        numbers = one("SELECT value FROM meta WHERE key = 'numbers'")
        least = json.loads(numbers[0]) if numbers else [1] * 5
        others = [one(f"SELECT max(no) FROM {t}")[0] for t in ("schema", "pipe", "gap", "gone")]
        tops = (
            one("SELECT max(seq) FROM tx")[0],
            max(no or 0 for no in others),
            *(one(f"SELECT max({c}) FROM {t}")[0] for t, c in _NUMBERED),
        )
        after = [max(low, (top or 0) + 1) for low, top in zip(least, tops, strict=True)]
        self.seq, self.no, self._num, self._list, self._shape = after
        self._names = {id: num for num, id in con.execute("SELECT num, id FROM machine")}
        query = "SELECT mach, no, shape, stream FROM schema ORDER BY no"
        schemas = {mach: row for mach, *row in con.execute(query)}
        query = "SELECT body, id FROM shape WHERE id IN (SELECT shape FROM schema) LIMIT ?"
        self._shapes = dict(con.execute(query, (_SHAPES,)))
        gone = dict(con.execute("SELECT machine, max(no) FROM gone GROUP BY machine"))
        for id, num in self._names.items():
            if num in schemas:
                no, shape, stream = schemas[num]
                m = self.machines[id] = self._loaded(con, Machine(num, id))
                m.shape, m.owner = shape, stream if no > gone.get(id, 0) else None

    def _loaded(self, con: sqlite3.Connection, m: Machine) -> Machine:
        query = "SELECT no, first, seqs, base FROM block WHERE mach = ? ORDER BY no DESC LIMIT 1"
        row = con.execute(query, (m.num,)).fetchone()
        if row is not None:
            m.no, m.first, seqs, m.base = row
            m.seqs, m.clocks = json.loads(seqs), json.loads(m.base)
            for seq in m.seqs:
                found = con.execute(
                    "SELECT items FROM tx JOIN list ON list.id = delta WHERE seq = ?",
                    (m.first + seq,),
                ).fetchone()
                if found is not None:
                    apply(m.clocks, json.loads(found[0]))
        return m


def apply(clocks: list[int], items: Iterable[int]) -> None:
    """Move a vector on by a list."""
    pairs = iter(items)
    for i, more in zip(pairs, pairs, strict=True):
        if i >= 0:
            clocks[i] += more
        else:
            del clocks[more:]
            clocks += [0] * (more - len(clocks))
