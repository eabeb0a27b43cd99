"""The client's copy of the source's clock.

A diff is applied to a copy, which is published only if its sequence number and digest agree; any
doubt leads to one RESYNC. From then until the CLOCK arrives the mirror is stale: diffs are dropped
and events that promise a moved mirror are held.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from .clocks import digest, new_view
from .codec import decode, decode_ints, encode
from .codes import Code, Kind, Op
from .errors import ProtocolError
from .events import Event, Mirror, SchemaChanged, Stepped
from .framer import frame
from .link import Link
from .messages import CallBody, ClockBody, Welcome
from .sender import Queued

if TYPE_CHECKING:
    from .limits import Limits

__all__ = ["MirrorLink"]

_DIFF, _STEP, _CLOCK = int(Kind.DIFF), int(Kind.STEP), int(Kind.CLOCK)
_STAMP = struct.Struct("<BI")


class MirrorLink(Link):
    """A link whose peer tells the clock of a source."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.source_id = ""
        self.names: list[str] = []
        """State names of the source, in the order of `view`."""
        self.schema: Any = None
        """The source's schema as plain data, if schema sync is on."""
        self.args_names: list[str] = []
        """`State.field` names of the typed arguments that the source knows."""
        self.hash = ""
        self.gen = 0
        self.view, self.q, self.m = new_view(), 0, 0
        """Ticks by state, queue tick, machine tick."""
        self.moved: list[int] = []
        """Positions in `view` that the last diff moved."""
        self.stale = False
        self.held: list[Event] = []
        self.dseq = 0
        self.resyncs = 0
        """Resyncs without a good diff since."""
        self.resynced = 0
        """Resyncs in all."""

    def _control(self, kind: int, one: bytes, now: float) -> None:
        if not self.open or kind not in (_DIFF, _STEP, _CLOCK):
            super()._control(kind, one, now)
        elif kind == _CLOCK:
            clock = decode(memoryview(one)[1:], ClockBody)
            self._adopt(clock, mark=clock.names is not None)
            self.events.append(Mirror(full=True))
        else:
            self._on_diff(kind, one)

    def _on_diff(self, kind: int, one: bytes) -> None:
        body = decode_ints(memoryview(one)[6:])
        start = 1 if kind == _DIFF else 3 + body[2]
        if self._apply(one, body, start):
            if kind == _STEP:
                self.events.append(Stepped(body[1], body[3:start]))
            self.events.append(Mirror())

    def _apply(self, one: bytes, body: list[int], start: int) -> bool:
        """Move the mirror by the pairs from `start` on, if what comes out is what it must be."""
        if self.stale:
            return False
        self.dseq = (self.dseq + 1) & 255
        view, q, end = self.view[:], self.q + body[0], len(body)
        good = one[1] == self.dseq and body[0] >= 0
        good = good and 1 <= start <= end and (end - start) % 2 == 0
        if good:
            try:
                for k in range(start, end, 2):
                    view[body[k]] += body[k + 1]
                good = digest(view, q, self.m) == int.from_bytes(one[2:6], "little")
            except (IndexError, OverflowError, struct.error):
                good = False
        if not good:
            self._resync()
            return False
        self.view, self.q, self.resyncs = view, q, 0
        self.moved = body[start::2]
        return True

    def _adopt(self, clock: ClockBody | Welcome, *, mark: bool) -> None:
        """Replace the mirror, and the names if there are new ones; `mark`: tell from which call on
        our indexes are the new ones."""
        if clock.names is not None:
            self.names, self.hash, self.schema = clock.names, clock.hash, clock.schema
            self.args_names = clock.args or []
            self.events.append(SchemaChanged(clock.names))
        if len(clock.ticks) != len(self.names):
            raise ProtocolError(Code.PROTOCOL, "clock and names differ in length")
        if clock.names is not None or isinstance(clock, Welcome):
            self.gen = clock.gen
        if mark:
            body = encode(CallBody(int(Op.MARK), [self.gen]))
            self._append_bulk(Queued(int(Kind.NOTE), body, 0))
        self.view, self.q, self.m = new_view(clock.ticks), clock.q, clock.m
        self.stale, self.dseq = False, 0
        self.events += self.held
        self.held = []

    def _resync(self) -> None:
        self.resyncs += 1
        self.resynced += 1
        if self.resyncs > self.lim.resyncs:
            raise ProtocolError(Code.GAP, "clock does not agree")
        self.stale = True
        self.ctl += frame(int(Kind.RESYNC))

    def _check_stamp(self, stamp: bytes) -> None:
        seq, crc = _STAMP.unpack(stamp)
        if not self.stale and (seq, crc) != (self.dseq, digest(self.view, self.q, self.m)):
            self._resync()
