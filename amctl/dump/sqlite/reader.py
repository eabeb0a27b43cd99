"""Reading a dump, also one that a collector is writing.

Nothing is read ahead but names: opening takes as long for a million transitions as for a hundred.
Rows come in chunks, each of which is one short read transaction, so a reader never holds up the
writer. A transition's clocks are its block's vector and the lists since.
"""

from __future__ import annotations

import gc
import json
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.dump.errors import DumpFormatError, UnknownMachineError
from amctl.dump.sqlite._connect import open_reader
from amctl.dump.sqlite._tables import BLOCK
from amctl.dump.sqlite._values import (
    WIDE,
    join_id,
    read_extra,
    reason_of,
    schema_of,
    split_id,
    take_extra,
)
from amctl.telemetry.messages import GapMsg, PipeMsg, SchemaMsg, SourceRef, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from amctl.machine.reasons import Reason

__all__ = ["SqliteDump"]

_CHUNK = 4096
"""Rows of a chunk."""
_LISTS = 1 << 16
_MAX_TICKS = 1 << 20

_COLUMNS = (
    "t.seq, t.mach, t.id, t.n, t.flags, t.called, t.delta, t.queue_tick, t.time_ns, t.lag_ns,"
    " t.queue, t.mut_tick, t.mut_token, t.reason, t.src, t.src_id, t.src_time, t.extra"
)
_OF_MACHINE = (
    f"SELECT {_COLUMNS} FROM block b, json_each(b.seqs) j CROSS JOIN tx t"
    " ON t.seq = b.first + j.value WHERE b.mach = ? AND b.no >= ? AND b.no < ?"
)
_OF_ALL = f"SELECT {_COLUMNS} FROM tx t WHERE t.seq >= ? AND t.seq < ?"
_DAMAGE = (ValueError, TypeError, IndexError, KeyError, OverflowError, AttributeError)


class SqliteDump:
    """A `Dump` in an SQLite file. The file is not changed, whatever it holds.

    Args:
        path: The file; on a read-only disk too, or copied from under a collector.
        name: What people call it; default is the path.

    Raises:
        DumpNotFoundError: There is no such file, or it can't be opened.
        DumpFormatError: It is damaged, or no dump.
        DumpVersionError: A newer amctl wrote it.
    """

    format = "sqlite"

    def __init__(self, path: str | Path, name: str = "") -> None:
        self.path = Path(path)
        self.name = name or str(path)
        self._con = open_reader(path, self.name)
        self._names: dict[int, str] = {}
        self._lists: dict[int, tuple[int, ...]] = {}
        self._reasons: dict[int, Reason] = {}

    def close(self) -> None:
        """Let go of the file."""
        self._con.close()

    def __enter__(self) -> SqliteDump:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what it says of itself

    @property
    def meta(self) -> Mapping[str, str]:
        """version, began (ISO), first_seq and, if it is one of several, part."""
        return dict(self._all("SELECT key, value FROM meta"))

    def machines(self) -> Sequence[str]:
        """Ids, in order of first appearance."""
        query = "SELECT m.id FROM schema s JOIN machine m ON m.num = s.mach GROUP BY m.num"
        return [id for (id,) in self._all(f"{query} ORDER BY min(s.no)")]

    def schema(self, machine: str) -> SchemaMsg:
        """The newest schema of a machine.

        Raises:
            UnknownMachineError: It isn't in the recording.
        """
        return self.schemas(machine)[-1][1]

    def schemas(self, machine: str) -> Sequence[tuple[int, SchemaMsg]]:
        """All schemas of a machine, each with the first position (in it) that it holds for.

        One that was replaced before a single transition is left out.

        Raises:
            UnknownMachineError: It isn't in the recording.
        """
        num = self._number(machine)
        query = "SELECT s.pos, p.body, s.time_ns FROM schema s JOIN shape p ON p.id = s.shape"
        rows = self._all(f"{query} WHERE s.mach = ? ORDER BY s.no", num)
        with self._damage(f"schema of {machine!r}"):
            found = {pos: schema_of(machine, body, time_ns) for pos, body, time_ns in rows}
        if not found:  # `machines` names only those that have some
            raise DumpFormatError(self.name, f"the schema of {machine!r} is gone")
        return list(found.items())

    def count(self, machine: str | None = None) -> int:
        """How many transition messages, queued ones included.

        Raises:
            UnknownMachineError: It isn't in the recording.
        """
        if machine is None:
            return self._end() - self._first()
        query = "SELECT no, json_array_length(seqs) FROM block WHERE mach = ?"
        rows = self._all(f"{query} ORDER BY no DESC LIMIT 1", self._number(machine))
        return rows[0][0] * BLOCK + rows[0][1] if rows else 0

    def pipes(self) -> Sequence[PipeMsg]:
        """Structured pipe records in order of arrival."""
        columns = "kind, source, source_state, target, target_state, gone, time_ns"
        rows = self._all(f"SELECT {columns} FROM pipe ORDER BY no")
        with self._damage("pipes"):
            return [
                PipeMsg("remove" if kind else "add", a, b, c, d, bool(gone), int(time_ns))
                for kind, a, b, c, d, gone, time_ns in rows
            ]

    def gaps(self) -> Sequence[GapMsg]:
        """What is known to be missing."""
        query = "SELECT count, why, machine, since_ns, until_ns FROM gap ORDER BY no"
        rows = self._all(query)
        with self._damage("gaps"):
            return [
                GapMsg(int(count), why, machine, int(since), int(until))
                for count, why, machine, since, until in rows
            ]

    def gone(self) -> Mapping[str, int]:
        """Disposed machines, with the Unix time in ns."""
        query = (
            "SELECT g.machine, g.time_ns FROM gone g WHERE NOT EXISTS (SELECT 1 FROM schema s"
            " JOIN machine m ON m.num = s.mach WHERE m.id = g.machine AND s.no > g.no)"
        )
        rows = self._all(f"{query} ORDER BY g.no")
        with self._damage("machines that are gone"):
            return {id: int(time_ns) for id, time_ns in rows}

    # -- transitions

    def find(self, machine: str, tx_id: str) -> int:
        """The position, within its machine, of the first transition of that id; -1 if none.

        Raises:
            UnknownMachineError: The machine isn't in the recording.
        """
        num = self._number(machine)
        id, n = split_id(tx_id)
        query = "SELECT min(seq) FROM tx WHERE id = ? AND n IS ? AND mach = ?"
        seq = self._all(query, id, n, num)[0][0]
        return -1 if seq is None else self._position(num, seq)

    def transitions(
        self, machine: str | None = None, start: int = 0, stop: int | None = None
    ) -> Iterator[TxMsg]:
        """Transition messages from `start` up to `stop`, of one machine or of all.

        What was there at the call is yielded, and no more.

        Raises:
            UnknownMachineError: It isn't in the recording.
            DumpFormatError: While reading: a row is damaged.
        """
        size = self.count(machine)
        start, stop = max(start, 0), size if stop is None else min(stop, size)
        if machine is None:
            return self._of_all(start, stop)
        return self._of_machine(self._number(machine), start, stop)

    def _of_machine(self, num: int, start: int, stop: int) -> Iterator[TxMsg]:
        step, end = _CHUNK // BLOCK, (stop - 1) // BLOCK + 1
        clocks: dict[int, tuple[int, ...]] = {}
        part = self._first()
        for no in range(start // BLOCK, end if start < stop else 0, step):
            rows = self._chunk(clocks, part, _OF_MACHINE, num, no, min(no + step, end))
            if not rows:
                return
            for at, message in enumerate(self._messages(rows, clocks), no * BLOCK):
                if at >= stop:
                    return
                if at >= start:
                    yield message

    def _of_all(self, start: int, stop: int) -> Iterator[TxMsg]:
        part = self._first()
        clocks: dict[int, tuple[int, ...]] = {}
        for at in range(part + start, part + stop, _CHUNK):
            rows = self._chunk(clocks, part, _OF_ALL, at, min(at + _CHUNK, part + stop))
            yield from self._messages(rows, clocks)

    def _chunk(
        self, clocks: dict[int, tuple[int, ...]], part: int, query: str, *values: int
    ) -> list[Any]:
        """Some rows, and all that is needed to make messages of them, in one transaction.

        None at all if the dump was rotated: its rows are in another file now.
        """
        self._all("BEGIN")
        try:
            if self._first() != part:
                return []
            rows = self._all(query, *values)
            with self._damage("an order"):
                rows.sort()
            if len(self._lists) >= _LISTS:
                self._lists.clear()
            wanted = {id for row in rows for id in row[5:7]} - self._lists.keys() - {None}
            found = self._among("SELECT id, items FROM list WHERE id", wanted)
            with self._damage("a list"):
                self._lists |= {id: tuple(json.loads(items)) for id, items in found}
            if len(self._reasons) >= _LISTS:
                self._reasons.clear()
            wanted = {row[13] for row in rows} - self._reasons.keys() - {None}
            found = self._among("SELECT id, items FROM list WHERE id", wanted)
            with self._damage("a reason"):
                self._reasons |= {id: reason_of(items) for id, items in found}
            wanted = {num for row in rows for num in (row[1], row[14])} - self._names.keys()
            self._names |= self._among("SELECT num, id FROM machine WHERE num", wanted - {None})
            firsts = {row[1]: row[0] for row in reversed(rows) if row[1] not in clocks}
            for num, seq in firsts.items():
                with self._damage(f"blocks of machine {num}"):
                    clocks[num] = self._before(num, seq)
            return rows
        finally:
            self._all("COMMIT")

    def _among(self, query: str, values: Iterable[int]) -> list[Any]:
        return self._all(f"{query} IN (SELECT value FROM json_each(?))", json.dumps([*values]))

    def _messages(
        self, rows: Sequence[Sequence[Any]], clocks: dict[int, tuple[int, ...]]
    ) -> Iterator[TxMsg]:
        """Transitions of rows; `clocks` holds each machine's vector before, and goes on."""
        made: list[TxMsg] = []
        problem = ""
        collects = gc.isenabled()
        gc.disable()  # it would look through all of these again and again, and find nothing
        try:
            made.extend(self._message(row, clocks) for row in rows)
        except _DAMAGE as err:
            problem = f"transition {rows[len(made)][0]}: {err}"
        finally:
            if collects:
                gc.enable()
        yield from made
        if problem:
            raise DumpFormatError(self.name, problem)

    def _message(self, row: Sequence[Any], clocks: dict[int, tuple[int, ...]]) -> TxMsg:
        if row[4] & WIDE:
            row = _widened(row)
        _, mach, id, n, flags, called, delta, queue_tick, time_ns, lag, queue = row[:11]
        mut_tick, mut_token, reason, src, src_id, src_time, extra = row[11:]
        before = clocks[mach]
        if delta is not None:
            before = _moved(before, self._list(delta))
        clocks[mach] = before
        m = TxMsg(
            self._names[mach],
            join_id(id, n),
            before,
            type=flags & 3 | flags >> 8 << 2,
            called=() if called is None else self._list(called),
            is_auto=flags & 4 != 0,
            accepted=flags & 8 != 0,
            is_check=flags & 16 != 0,
            is_queued=flags & 32 != 0,
            queue_tick=queue_tick,
            mut_queue_tick=mut_tick or 0,
            mut_queue_token=mut_token or 0,
            queue=queue,
            time_ns=time_ns,
            received_ns=0 if lag is None else time_ns + lag,
        )
        if reason is not None:
            m.reason = self._reason(reason)
        if src is not None:
            m.source = SourceRef(self._names[src], join_id(src_id, None), src_time or 0)
        if extra is not None:
            more = read_extra(extra)
            take_extra(m, more)
            if more.so is not None:
                m.source = SourceRef(*more.so)
        return m

    # -- looking things up

    def _all(self, query: str, *values: Any) -> list[Any]:
        """All rows of a short read transaction."""
        try:
            return self._con.execute(query, values).fetchall()
        except sqlite3.Error as err:
            raise DumpFormatError(self.name, f"can't be read: {err}") from None

    @contextmanager
    def _damage(self, what: str) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as err:
            raise DumpFormatError(self.name, f"{what}: {err}") from None

    def _first(self) -> int:
        rows = self._all("SELECT value FROM meta WHERE key = 'first_seq'")
        with self._damage("first_seq"):
            return int(rows[0][0])

    def _end(self) -> int:
        end: int | None = self._all("SELECT max(seq) FROM tx")[0][0]
        return self._first() if end is None else end + 1

    def _number(self, machine: str) -> int:
        query = "SELECT num FROM machine WHERE id = ? AND num IN (SELECT mach FROM schema)"
        rows = self._all(query, machine)
        if not rows:
            raise UnknownMachineError(self.name, machine, self.machines())
        num: int = rows[0][0]
        return num

    def _reason(self, id: int) -> Reason:
        found = self._reasons.get(id)
        if found is None:
            raise ValueError(f"reason {id} is missing")
        return found

    def _list(self, id: int) -> tuple[int, ...]:
        found = self._lists.get(id)
        if found is None:
            raise ValueError(f"list {id} is missing")
        return found

    def _before(self, num: int, seq: int) -> tuple[int, ...]:
        """The vector of a machine before one of its transitions."""
        query = "SELECT first, seqs, base FROM block WHERE mach = ? AND first <= ?"
        first, seqs, base = self._all(f"{query} ORDER BY no DESC LIMIT 1", num, seq)[0]
        clocks = tuple(json.loads(base))
        before = [first + one for one in json.loads(seqs) if first + one < seq]
        query = "SELECT l.items FROM tx JOIN list l ON l.id = tx.delta WHERE tx.seq"
        query += " IN (SELECT value FROM json_each(?)) ORDER BY tx.seq"
        for (items,) in self._all(query, json.dumps(before)):
            clocks = _moved(clocks, tuple(json.loads(items)))
        return clocks

    def _position(self, num: int, seq: int) -> int:
        query = "SELECT no, first, seqs FROM block WHERE mach = ? AND first <= ?"
        rows = self._all(f"{query} ORDER BY no DESC LIMIT 1", num, seq)
        with self._damage(f"blocks of machine {num}"):
            no, first, seqs = rows[0]
            position: int = no * BLOCK + json.loads(seqs).index(seq - first)
            return position


def _moved(clocks: tuple[int, ...], items: tuple[int, ...]) -> tuple[int, ...]:
    moved = list(clocks)
    pairs = iter(items)
    for i, more in zip(pairs, pairs, strict=True):
        if i >= 0:
            moved[i] += more
        elif more <= _MAX_TICKS:
            moved = [*moved[:more], *[0] * (more - len(moved))]
        else:
            raise ValueError(f"{more} ticks")
    return tuple(moved)


def _widened(row: Sequence[Any]) -> Sequence[Any]:
    """A row some of whose numbers are digits, because they have more than 64 bits."""
    numbers = [int(one) if type(one) is bytes else one for one in row[7:13]]
    source = int(row[16]) if type(row[16]) is bytes else row[16]
    return [*row[:7], *numbers, *row[13:16], source, row[17]]
