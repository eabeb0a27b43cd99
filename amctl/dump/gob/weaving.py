"""Weaves what our recordings say beyond the original's into log lines, and out again.

Where a line goes depends on nothing but the transitions of its machine and the record itself, so
a recording that was written and read is written the same once more:

- A source stands behind the line that says what was called, as in the original's logs.
- An RPC edge is read there from the arguments of `HandshakeDone`, on machines with a certain tag.
- A pipe is told by both of its machines, each in the lines before its next transition; the note
  of it is with the source if that machine is known, else with the target.
- A gap stands before the next transition of its machine. What comes after the last transition of
  a machine stands at that one's end. A machine without transitions gets one for the purpose,
  named as the original names it.
- A machine that is disposed of takes its pipes along: `[pipe:gc]`. The original's tools then drop
  all that they know of it, and at the end of a run there would be nothing left to see. So those
  lines of ours get a mark in front, which hides them from the tools.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from amctl.dump.gob.notes import (
    PREFIX,
    Note,
    has_source,
    note_line,
    parse_note,
    plain,
    source_line,
    source_of,
)
from amctl.machine.lines import LogLine
from amctl.telemetry.messages import GoneMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from amctl.dump.model import Dump
    from amctl.telemetry.messages import GapMsg, PipeMsg, SchemaMsg

__all__ = [
    "SYNTHETIC",
    "halves",
    "handshake_of",
    "plain_gap",
    "plain_pipe",
    "synthetic",
    "unwoven",
    "woven",
    "woven_tx",
]

SYNTHETIC: Final = "semlogger"
"""Id of a transition that is there for its lines alone."""

_RPC_TAG, _RPC_STATE = "rpc-server", "HandshakeDone"
_USER, _OPS = 1, 3
"""Levels of lines."""
_FORGET, _MARK = "[pipe:gc] ", "[amctl] "
_BEFORE_ALL = -1 << 63
_DISPOSAL_NS = 2_000_000_000
"""A pipe that goes this long before one of its machines does goes because of it."""


def woven(dump: Dump) -> Iterator[tuple[SchemaMsg, list[TxMsg]]]:
    """Each machine with its transitions, everything else that is recorded in their lines."""
    machines = {plain(machine): _Machine(dump, machine) for machine in dump.machines()}
    if not machines:
        return
    first = next(iter(machines.values()))
    pipes = sorted(map(plain_pipe, dump.pipes()), key=_pipe_key)
    for pipe in pipes:
        home = machines.get(pipe.source) or machines.get(pipe.target) or first
        home.add_note(pipe.time_ns, note_line(Note(pipe=pipe)))
    for pipe in _alive(pipes, dump.gone()):
        for machine, text in halves(pipe):
            if machine in machines:
                machines[machine].add_missing(pipe.time_ns, LogLine(_OPS, text))
    for gap in sorted(map(plain_gap, dump.gaps()), key=_gap_key):
        home = machines.get(gap.machine_id, first)
        home.add_note(gap.until_ns, note_line(Note(gap=gap), _USER))
    for machine, time_ns in sorted((plain(k), v) for k, v in dump.gone().items()):
        gone = note_line(Note(gone=GoneMsg(machine, time_ns)))
        machines.get(machine, first).add_note(None, gone)
    for one in machines.values():
        if one.schema.time_ns:
            one.add_note(_BEFORE_ALL, note_line(Note(schema_ns=one.schema.time_ns)))
        yield one.schema, one.transitions()


def plain_pipe(pipe: PipeMsg) -> PipeMsg:
    """One as it comes back from a file; see `plain`."""
    return replace(
        pipe,
        source=plain(pipe.source),
        source_state=plain(pipe.source_state),
        target=plain(pipe.target),
        target_state=plain(pipe.target_state),
    )


def plain_gap(gap: GapMsg) -> GapMsg:
    """One as it comes back from a file; see `plain`."""
    return replace(gap, why=plain(gap.why), machine_id=plain(gap.machine_id))


def _pipe_key(pipe: PipeMsg) -> tuple[object, ...]:
    # By time. The rest settles ties in the same way every time; an end follows a beginning.
    names = (pipe.kind, pipe.source, pipe.source_state, pipe.target, pipe.target_state)
    return pipe.time_ns, names, pipe.gone


def _gap_key(gap: GapMsg) -> tuple[object, ...]:
    return gap.until_ns, gap.since_ns, gap.machine_id, gap.count, gap.why


def _alive(pipes: Iterable[PipeMsg], gone: Mapping[str, int]) -> list[PipeMsg]:
    """Those that were not unbound, each once, as it was first bound.

    A pipe that went with one of its machines counts: the network was like that.
    """
    found: dict[object, PipeMsg] = {}
    for pipe in pipes:
        key = _pipe_key(pipe)[1]
        if not pipe.gone:
            found.setdefault(key, pipe)
        elif not _went_with_machine(pipe, gone):
            found.pop(key, None)
    return [*found.values()]


def _went_with_machine(pipe: PipeMsg, gone: Mapping[str, int]) -> bool:
    ends = [gone[machine] for machine in (pipe.source, pipe.target) if machine in gone]
    return any(pipe.time_ns >= time_ns - _DISPOSAL_NS for time_ns in ends)


def halves(pipe: PipeMsg) -> Iterator[tuple[str, str]]:
    """What each end logs, if it is known."""
    if pipe.source_state:
        yield pipe.source, f"[pipe-out:{pipe.kind}] {pipe.source_state} to {pipe.target}"
    if pipe.target_state:
        yield pipe.target, f"[pipe-in:{pipe.kind}] {pipe.target_state} from {pipe.source}"


class _Machine:
    """One machine's transitions, and what is to be added to them.

    Notes stand behind all lines: taken out, they leave the lines in the order that they were in.
    """

    def __init__(self, dump: Dump, machine: str) -> None:
        self.schema = dump.schema(machine)
        self._transitions = _one_order(dump, machine)
        self._times: list[int] = []  # never falling, so that they can be searched
        for tx in self._transitions:
            time_ns = tx.time_ns or tx.received_ns
            self._times.append(max(time_ns, self._times[-1]) if self._times else time_ns)
        self._texts: set[str] | None = None
        self._lines: dict[int, list[LogLine]] = defaultdict(list)
        self._notes: dict[int, list[LogLine]] = defaultdict(list)
        # by the position of the transition before which they stand

    def add_note(self, time_ns: int | None, note: LogLine) -> None:
        """Add a note of that time, or (None) at the end."""
        self._notes[self._position(time_ns)].append(note)

    def add_missing(self, time_ns: int, line: LogLine) -> None:
        """Add a line of that time if the machine has none with that text yet."""
        if self._texts is None:
            lines = (line for tx in self._transitions for line in (*tx.pre_logs, *tx.logs))
            self._texts = {line.text for line in lines if line.text.startswith("[pipe-")}
        if line.text not in self._texts:
            self._texts.add(line.text)
            self._lines[self._position(time_ns)].append(line)

    def _position(self, time_ns: int | None) -> int:
        return len(self._times) if time_ns is None else bisect_left(self._times, time_ns)

    def transitions(self) -> list[TxMsg]:
        """All of them, with all that was added."""
        handshake, is_ours = handshake_of(self.schema), bool(self.schema.time_ns)
        out: list[TxMsg] = []
        previous: TxMsg | None = None
        for position, tx in enumerate(self._transitions):
            before = (*self._lines.get(position, ()), *self._notes.get(position, ()))
            out.append(woven_tx(tx, previous, handshake, before, is_ours=is_ours))
            previous = tx
        return self._with_end(out)

    def _with_end(self, out: list[TxMsg]) -> list[TxMsg]:
        end = len(self._transitions)
        lines, notes = self._lines.get(end, ()), self._notes.get(end, ())
        if not lines and not notes:
            return out
        if not out:
            out.append(synthetic(self.schema))
        last = out[-1]
        own = [line for line in last.logs if line.text.startswith(PREFIX)]
        others = [line for line in last.logs if not line.text.startswith(PREFIX)]
        out[-1] = replace(last, logs=(*others, *lines, *own, *notes))
        return out


def synthetic(schema: SchemaMsg, clocks: tuple[int, ...] | None = None) -> TxMsg:
    """A transition that is there for its lines alone; our readers leave it out again."""
    return TxMsg(
        schema.machine_id,
        SYNTHETIC,
        (0,) * len(schema.names) if clocks is None else clocks,
        type=2,
        is_check=True,
        logs=(note_line(Note(synthetic=True)),),
    )


def handshake_of(schema: SchemaMsg) -> int:
    """The index of the state whose arguments tell an RPC edge; -1 if the machine has none."""
    names, tags = schema.names, {tag.partition(":")[0] for tag in schema.tags}
    return names.index(_RPC_STATE) if _RPC_TAG in tags and _RPC_STATE in names else -1


def woven_tx(
    tx: TxMsg,
    previous: TxMsg | None,
    handshake: int,
    before: Sequence[LogLine] = (),
    *,
    is_ours: bool,
) -> TxMsg:
    """A transition with all that its lines don't say yet; the same one if nothing is missing.

    Args:
        tx: The transition; isn't changed.
        previous: The one before it, of its machine.
        handshake: See `handshake_of`.
        before: Lines and notes to stand before it.
        is_ours: Whether a machine of ours told it.
    """
    shakes = handshake in tx.called and _ticked(previous, tx, handshake)
    logs = _own_lines(tx, is_handshake=shakes)
    notes = _own_notes(tx, logs)
    pre_logs = tx.pre_logs
    if is_ours:
        logs, pre_logs = _marked(logs), _marked(pre_logs)
    if logs == tx.logs and pre_logs == tx.pre_logs and not notes and not before:
        return tx
    return replace(tx, logs=(*logs, *notes), pre_logs=(*pre_logs, *before))


def _marked(lines: tuple[LogLine, ...]) -> tuple[LogLine, ...]:
    if not any(line.text.startswith(_FORGET) for line in lines):
        return lines
    return tuple(
        LogLine(line.level, _MARK + line.text) if line.text.startswith(_FORGET) else line
        for line in lines
    )


def _ticked(previous: TxMsg | None, tx: TxMsg, index: int) -> bool:
    """Whether a state was activated by `tx`, or was so once more."""
    if not tx.is_active(index):
        return False
    before = previous.clocks[index] if previous and index < len(previous.clocks) else 0
    return before != tx.clocks[index]


def _own_lines(tx: TxMsg, *, is_handshake: bool) -> tuple[LogLine, ...]:
    """The lines of a transition, with those that are missing among them."""
    logs = tx.logs
    client = tx.args.get("id", "") if is_handshake else ""
    if client and not set(client) & set(" =()\n"):
        logs = _with_handshake(logs, client)
    if tx.source is not None and not has_source(logs):
        after = 1 if logs and logs[0].text.startswith(("[add", "[remove", "[set")) else 0
        logs = (*logs[:after], source_line(tx.source), *logs[after:])
    return logs


def _own_notes(tx: TxMsg, logs: Sequence[LogLine]) -> list[LogLine]:
    """What its lines can't tell."""
    notes: list[LogLine] = []
    if tx.source is not None and source_of(logs) != tx.source:
        notes.append(note_line(Note(source=tx.source)))
    if tx.reason is not None:
        notes.append(note_line(Note(reason=tx.reason)))
    return notes


def _with_handshake(logs: tuple[LogLine, ...], client: str) -> tuple[LogLine, ...]:
    if any(line.text.startswith("[add] ") and "(" in line.text for line in logs):
        return logs
    return (LogLine(_OPS, f"[add] {_RPC_STATE} (id={client})"), *logs)


def _one_order(dump: Dump, machine: str) -> list[TxMsg]:
    """All transitions of a machine in the state order of its newest schema.

    A schema may only grow, and mostly grows at its end. If not, those before are rewritten.
    """
    schemas = dump.schemas(machine)
    names = schemas[-1][1].names
    index = {name: i for i, name in enumerate(names)}
    out: list[TxMsg] = []
    for (start, schema), stop in zip(
        schemas, [*(start for start, _ in schemas[1:]), None], strict=True
    ):
        found = dump.transitions(machine, start, stop)
        if schema.names == names[: len(schema.names)]:
            out.extend(found)
        else:
            places = [index.get(name, -1) for name in schema.names]
            out.extend(_reordered(tx, places, len(names)) for tx in found)
    return out


def _reordered(tx: TxMsg, places: Sequence[int], count: int) -> TxMsg:
    """A transition whose state i is now state `places[i]` of `count`, or none (-1)."""
    clocks = [0] * count
    for place, tick in zip(places, tx.clocks, strict=False):
        if place >= 0:
            clocks[place] = tick

    def place_of(state: int) -> int:
        return places[state] if 0 <= state < len(places) else -1

    return replace(
        tx,
        clocks=tuple(clocks),
        called=tuple(place_of(i) for i in tx.called if place_of(i) >= 0),
        steps=tuple(
            replace(step, source=place_of(step.source), target=place_of(step.target))
            for step in tx.steps
        ),
    )


def unwoven(tx: TxMsg) -> tuple[TxMsg | None, list[Note]]:
    """A transition as it was before, and the notes that were in it; None if it was synthetic.

    The other lines stay: they are what a machine that logs enough would have logged itself. A
    `[source]` line is read into the source, in recordings of the original too.
    """
    tx.source = source_of(tx.logs)
    if not any(line.text.startswith(_MARK) for line in (*tx.pre_logs, *tx.logs)):
        return tx, []
    notes: list[Note] = []
    tx.pre_logs = _without_notes(tx.pre_logs, notes)
    tx.logs = _without_notes(tx.logs, notes)
    for note in notes:
        tx.reason = note.reason or tx.reason
        tx.source = note.source or tx.source
    return None if any(note.synthetic for note in notes) else tx, notes


def _without_notes(lines: Sequence[LogLine], notes: list[Note]) -> tuple[LogLine, ...]:
    rest: list[LogLine] = []
    for line in lines:
        note = parse_note(line.text)
        if note is not None:
            notes.append(note)
        elif line.text.startswith(_MARK + _FORGET):
            rest.append(LogLine(line.level, line.text.removeprefix(_MARK)))
        else:
            rest.append(line)
    return tuple(rest)
