"""Messages to rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.dump.errors import DumpFullError, UnknownMachineError
from amctl.dump.sqlite._values import WIDE, Extra, Packer, extra_of, narrow, shape_of, split_id
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, TxMsg

if TYPE_CHECKING:
    from amctl.dump.sqlite._append import Appender
    from amctl.telemetry.messages import Message

__all__ = ["MessageAppender"]


class MessageAppender:
    """Appends messages, whoever made them.

    Args:
        rows: Where to.
        name: The dump's, for errors.
    """

    def __init__(self, rows: Appender, name: str) -> None:
        self._rows, self._name = rows, name
        self._pack = Packer().pack

    def append(self, message: Message) -> None:
        """One message, of its kind.

        Raises:
            UnknownMachineError: A transition of a machine whose schema was not appended.
            DumpFullError: There are too many machines.
        """
        match message:
            case TxMsg():
                self._tx(message)
            case SchemaMsg():
                machine = self._rows.machine(message.machine_id)
                if machine is None:
                    raise DumpFullError(self._name, "there are too many machines")
                self._rows.schema(machine, shape_of(message), message.time_ns)
            case PipeMsg(kind, source, source_state, target, target_state, gone, time_ns):
                ends = source, source_state, target, target_state
                self._rows.pipe((int(kind == "remove"), *ends, int(gone)), time_ns)
            case GapMsg(count, why, machine_id, since_ns, until_ns):
                self._rows.gap(count, why, machine_id, since_ns, until_ns)
            case GoneMsg(machine_id, time_ns):
                self._rows.gone(machine_id, time_ns)

    def _tx(self, m: TxMsg) -> None:
        rows = self._rows
        machine = rows.machines.get(m.machine_id)
        if machine is None:
            raise UnknownMachineError(self._name, m.machine_id, list(rows.machines))
        extra = extra_of(m)
        src, src_id, src_time, so = self._source(m)
        if so is not None:
            extra = extra or Extra()
            extra.so = so
        numbers: list[int | None] = [
            m.queue_tick,
            m.time_ns,
            m.received_ns - m.time_ns if m.received_ns else None,
            m.queue,
            m.mut_queue_tick or None,
            m.mut_queue_token or None,
        ]
        wide = [one if one is None else narrow(one) for one in (*numbers, src_time)]
        flags = (
            (m.type & 3)
            | m.type >> 2 << 8
            | m.is_auto << 2
            | m.accepted << 3
            | m.is_check << 4
            | m.is_queued << 5
            | (WIDE if bytes in map(type, wide) else 0)
        )
        reason = packed = None
        if extra is not None:
            reason = rows.text_list(extra.take_reason())
            packed = self._pack(extra)
        seq = rows.place(machine)
        delta = rows.advance(machine, m.clocks)
        id, n = split_id(m.id)
        called = rows.list(m.called)
        head = (seq, machine.num, id, n, flags, called, delta)
        rows.rows.append((*head, *wide[:-1], reason, src, src_id, wide[-1], packed))

    def _source(
        self, m: TxMsg
    ) -> tuple[int | None, int | bytes | str | None, int | None, tuple[str, str, int] | None]:
        """The three columns, or in place of them what stands in `extra`."""
        source = m.source
        if source is None:
            return None, None, None, None
        num = self._rows.number(source.machine_id)
        if not num:
            return None, None, None, (source.machine_id, source.tx_id, source.time)
        id, n = split_id(source.tx_id)
        if n is not None:
            id = source.tx_id
        return num, id if id != "" else None, source.time or None, None
