"""Recordings as lines of JSON, packed by zstd or plain: `jsonl.zst`, documented in docs/dump.md.

They are written and read as a stream, and what is cut off at the end, or between, costs only what
was cut: every line of a transition is numbered, and whole clocks stand in some of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from amctl.dump import _jsonlines as records
from amctl.dump._streams import Lines, TextLimits
from amctl.dump._zstd import ZstdCompressor
from amctl.dump.errors import DumpFormatError, DumpVersionError, UnknownMachineError
from amctl.telemetry.messages import GapMsg, SchemaMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amctl.telemetry.messages import Message

__all__ = ["FORMAT", "VERSION", "JsonlReader", "JsonlWriter", "TextLimits"]

FORMAT: Final = "amctl-dump"
VERSION: Final = 1
KEYFRAME: Final = 200
"""Every so many transitions of a machine, the whole clocks stand in the line."""
MAX_STATES: Final = 16_384
"""States of one machine, as on the debug wire."""
_PACK = 1 << 16
_MISSING = "lines are missing"


class _Machine:
    """What the next line of a machine is told against."""

    __slots__ = ("clocks", "count", "lost", "since", "states", "time_ns")

    def __init__(self, states: records.States) -> None:
        self.states = states
        self.clocks: tuple[int, ...] | None = None
        """None: the next line must hold them all."""
        self.count = 0
        self.since = 0
        """Lines since one that held them all."""
        self.lost = 0
        """Transitions that are missing since the last one that was read."""
        self.time_ns = 0
        """When that one was."""


class JsonlWriter:
    """Writes a stream of lines; a `DumpWriter`.

    Args:
        stream: Where to; left open at the end.
        packed: Whether zstd packs it.
        meta: What the file says of itself.
    """

    def __init__(
        self, stream: BinaryIO, *, packed: bool = True, meta: Mapping[str, str] | None = None
    ) -> None:
        self._stream = stream
        self._packer = ZstdCompressor() if packed else None
        self._pending: list[bytes] = []
        self._held = 0
        self._machines: dict[str, _Machine] = {}
        self._lines = 0
        self._put(records.Header(FORMAT, VERSION, dict(meta or {})))

    def write(self, message: Message) -> None:
        """Add one message.

        Raises:
            UnknownMachineError: A transition of a machine whose schema was not written.
        """
        if isinstance(message, TxMsg):
            self._put(self._tx(message))
        elif isinstance(message, SchemaMsg):
            self._put(records.schema_line(message))
            states = records.States(message.names)
            machine = self._machines.setdefault(message.machine_id, _Machine(states))
            machine.states, machine.clocks = states, None
        else:
            self._put(records.other_line(message))
        self._lines += 1

    def _tx(self, message: TxMsg) -> records.TxLine:
        machine = self._machines.get(message.machine_id)
        if machine is None:
            raise UnknownMachineError("", message.machine_id, [*self._machines])
        ticks = None
        if machine.since < KEYFRAME:
            ticks = _ticks(machine.clocks, message.clocks, machine.states)
        whole = message.clocks if ticks is None else None
        line = records.tx_line(message, machine.count, machine.states, whole, ticks or {})
        machine.count += 1
        machine.since = 0 if whole is not None else machine.since + 1
        machine.clocks = message.clocks
        return line

    def _put(self, line: records.Line | records.Header) -> None:
        text = records.encode(line)
        self._pending.append(text)
        self._held += len(text)
        if self._held >= _PACK:
            self._flush()

    def _flush(self) -> None:
        text = b"".join(self._pending)
        self._pending.clear()
        self._held = 0
        self._stream.write(self._packer.compress(text) if self._packer else text)

    def finish(self) -> None:
        """Write the last line, and everything that waits; the stream stays open."""
        self._put(records.EndLine(self._lines))
        self._flush()
        if self._packer is not None:
            self._stream.write(self._packer.flush())
        self._stream.flush()

    def abandon(self) -> None:
        """Forget what waits."""
        self._pending.clear()


def _ticks(
    old: tuple[int, ...] | None, new: tuple[int, ...], states: records.States
) -> dict[str, int] | None:
    """What has ticked, by name; None if that can't be told so."""
    if old is None or len(old) != len(new):
        return None
    if old == new:
        return {}
    ticks: dict[str, int] = {}
    for index, (before, after) in enumerate(zip(old, new, strict=True)):
        if after == before:
            continue
        name = states.ref(index)
        if after < before or not isinstance(name, str):
            return None
        ticks[name] = after - before
    return ticks


class JsonlReader:
    """Reads such a stream; iterate over it once for the messages.

    What is missing comes as a `GapMsg`, with a count of 0 where nobody knows it.

    Args:
        stream: Stands at the start; left open.
        name: Path or URL, for errors.
        limits: How much it may unpack to.

    Raises:
        DumpFormatError: The first line isn't that of such a recording.
        DumpVersionError: It is of a newer version.
    """

    def __init__(self, stream: BinaryIO, name: str, limits: TextLimits | None = None) -> None:
        self._name = name
        self._lines = Lines(stream, name, limits or TextLimits())
        self._iter = iter(self._lines)
        self._machines: dict[str, _Machine] = {}
        self._missing = 0
        header = self._header(next(self._iter, b""))
        self.meta: Mapping[str, str] = header.meta
        """What the file says of itself."""
        self.format = "jsonl.zst" if self._lines.packed else "jsonl"

    def _header(self, text: bytes) -> records.Header:
        try:
            header: records.Header = records.decode(text, records.Header)
        except (ValueError, RecursionError):
            begun = b'{"format":"amctl-dump"'.startswith(text[:22])
            cut = self._lines.is_cut and begun and (text or self._lines.packed)
            problem = "ends within its first line" if cut else "isn't a jsonl recording"
            raise DumpFormatError(self._name, problem, 0) from None
        if header.format != FORMAT:
            raise DumpFormatError(self._name, f"is of the format {header.format[:60]!r}", 0)
        if not 1 <= header.version <= VERSION:
            raise DumpVersionError(self._name, header.version, VERSION)
        return header

    def __iter__(self) -> Iterator[Message]:
        """The messages, in the file's order.

        Raises:
            DumpFormatError: A line is damaged; line and offset in the text are told.
        """
        count = 0
        for text in self._iter:
            try:
                line = records.decode(text, records.Line)
                if isinstance(line, records.EndLine):
                    yield from self._last_gaps()
                    yield from self._end(line, count)
                    return
                count += 1
                yield from self._messages(line)
            except (ValueError, RecursionError) as err:
                if self._lines.is_cut:
                    break
                raise self._damaged(_cause(err, text)) from None
        yield from self._last_gaps()
        yield GapMsg(0, f"the file ends early, after line {max(1, self._lines.number)}")

    def _messages(self, line: Any) -> Iterator[Message]:
        if isinstance(line, records.TxLine):
            yield from self._tx(line)
        elif isinstance(line, records.SchemaLine):
            if len(line.names) > MAX_STATES:
                raise ValueError(f"{len(line.names)} states, at most {MAX_STATES}")
            states = records.States(line.names)
            machine = self._machines.setdefault(line.machine, _Machine(states))
            machine.states, machine.clocks = states, None
            yield records.schema_message(line)
        else:
            yield records.other_message(line)

    def _tx(self, line: records.TxLine) -> Iterator[Message]:
        machine = self._machines.get(line.machine)
        if machine is None:
            raise ValueError(f"a transition of {line.machine[:60]!r} before its schema")
        missing = line.n - machine.count
        if missing < 0:
            raise ValueError(f"transition {line.n} of {line.machine[:60]!r} comes again")
        machine.count = line.n + 1
        if missing:
            self._missing += missing
            machine.lost += missing
            machine.clocks = None
        machine.clocks = _clocks(line, machine)
        if machine.clocks is None:  # they were told against a line that is missing
            machine.lost += 1
            return
        if machine.lost:
            yield self._gap(line.machine, machine, line.time_ns)
        machine.time_ns = line.time_ns
        yield records.tx_message(line, machine.clocks, machine.states)

    def _gap(self, name: str, machine: _Machine, until_ns: int = 0) -> GapMsg:
        count, machine.lost = machine.lost, 0
        return GapMsg(count, _MISSING, name, machine.time_ns, until_ns)

    def _end(self, line: records.EndLine, count: int) -> Iterator[Message]:
        missing = line.lines - count - self._missing
        if missing > 0:
            yield GapMsg(missing, _MISSING)
        if next(self._iter, b""):
            raise self._damaged("something follows the recording's end")

    def _last_gaps(self) -> Iterator[Message]:
        yield from (self._gap(name, m) for name, m in self._machines.items() if m.lost)

    def _damaged(self, problem: str) -> DumpFormatError:
        lines = self._lines
        return DumpFormatError(self._name, f"line {lines.number}: {problem}", lines.offset)


def _clocks(line: records.TxLine, machine: _Machine) -> tuple[int, ...] | None:
    """The clocks after a transition; None if they can't be known."""
    whole = line.clocks
    if whole is not None:
        if len(whole) > MAX_STATES or min(whole, default=0) < 0:
            raise ValueError("clocks that can't be")
        return whole
    if machine.clocks is None or not line.ticks:
        return machine.clocks
    after = list(machine.clocks)
    for name, ticks in line.ticks.items():
        index = machine.states.index(name)
        if index >= len(after) or ticks < 0:
            raise ValueError(f"clocks that can't be: {name[:60]!r} {ticks:+}")
        after[index] += ticks
    return tuple(after)


def _cause(err: Exception, text: bytes) -> str:
    if isinstance(err, RecursionError):
        return "values within values, too deep"
    if isinstance(err, msgspec.ValidationError) and b'"format"' in text[:40]:
        return "another recording begins (join them with amctl dump merge)"
    return str(err)
