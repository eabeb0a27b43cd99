"""Dumps of the original: `NAME.gob.br` -> a recording in memory."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.dump.errors import DumpFormatError, DumpNotFoundError
from amctl.dump.gob.convert import Reader, schema_from_fields
from amctl.dump.gob.decoder import Decoder, GobError, Limits
from amctl.dump.gob.inflate import inflate
from amctl.dump.gob.layout import LayoutError, layout_of
from amctl.dump.gob.weaving import unwoven
from amctl.dump.memory import MemoryDump

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amctl.telemetry.messages import GoneMsg, TxMsg

__all__ = ["read_gob"]

_TX_VALUES, _MACHINE_VALUES = 6, 20
"""A transition and a machine are as large as so many values, even if nothing is in them."""


def read_gob(
    source: str | Path | bytes, *, name: str = "", limits: Limits | None = None
) -> MemoryDump:
    """Read a whole dump, of the current layout or of that of 2024.

    The file has no order over machines. Transitions are in the order of their times, those of one
    machine always as they stand there, and after all the schemas.

    Args:
        source: A path, or the bytes of the file.
        name: What errors call it; the path if empty.
        limits: How much it may ask for; see `Limits`.

    Raises:
        DumpNotFoundError: There is no such file, or it can't be read.
        DumpFormatError: It is damaged, or no dump. The offset counts in the decompressed stream,
            and in the file itself where that can't be decompressed.
    """
    limits = limits or Limits()
    if isinstance(source, bytes):
        name = name or "(bytes)"
        return _read(inflate(source, limits.size, name), name, limits.for_file(len(source)))
    name = name or str(source)
    try:
        with Path(source).open("rb") as file:
            data = inflate(file, limits.size, name)
            limits = limits.for_file(file.tell())
    except FileNotFoundError:
        raise DumpNotFoundError(name) from None
    except OSError as error:
        raise DumpNotFoundError(name, error.strerror or str(error)) from None
    return _read(data, name, limits)


def _read(data: bytearray, name: str, limits: Limits) -> MemoryDump:
    decoder = Decoder(data, limits)
    dump = MemoryDump(name, format="gob.br")
    try:
        _fill(dump, decoder)
        if not decoder.at_end():
            raise GobError("bytes after the end of the dump", decoder.pos)
    except GobError as error:
        raise DumpFormatError(name, error.problem, error.offset) from None
    except ValueError as error:
        raise DumpFormatError(name, str(error), decoder.pos) from None
    return dump


def _fill(dump: MemoryDump, decoder: Decoder) -> None:
    top = decoder.top_type()
    layout = layout_of(decoder.types, top)
    dump.meta["layout"] = layout.name
    machines: dict[str, list[TxMsg]] = {}
    for part in decoder.elements(top):
        if "MsgStruct" not in part:
            raise LayoutError("a machine without a schema")
        decoder.charge(_MACHINE_VALUES)
        reader = Reader(layout, schema_from_fields(part["MsgStruct"]))
        dump.write(reader.schema)
        transitions = part.get("MsgTxs", ())
        decoder.charge(_TX_VALUES * len(transitions))
        machines[reader.schema.machine_id] = [reader.transition(tx) for tx in transitions]
        if part.get("Version"):
            dump.meta.setdefault("version", part["Version"])
    gone: list[GoneMsg] = []
    for woven in _by_time(machines.values()):
        tx, notes = unwoven(woven)
        for note in notes:
            for record in (note.pipe, note.gap):
                if record is not None:
                    dump.write(record)
            if note.gone is not None:
                gone.append(note.gone)
            if note.schema_ns:
                dump.schema(woven.machine_id).time_ns = note.schema_ns
        if tx is not None:
            dump.write(tx)
    for one in gone:  # last, for a machine whose schema comes once more has come back
        dump.write(one)


def _by_time(machines: Iterable[Sequence[TxMsg]]) -> list[TxMsg]:
    """All transitions in the order of their times, without one overtaking another of its machine.

    Of equal times, the one whose machine comes first in the file is first.
    """
    keyed: list[tuple[int, TxMsg]] = []
    for transitions in machines:
        latest = -(1 << 63)
        for tx in transitions:
            latest = max(latest, tx.time_ns)
            keyed.append((latest, tx))
    keyed.sort(key=itemgetter(0))
    return [tx for _, tx in keyed]
